from allauth.account.views import LoginView
from django.contrib.auth.views import LogoutView
from django.urls import path

from accounts.members import views as members
from accounts.profile import views as profile
from accounts.tokens import service_account_views as services
from accounts.tokens import views as tokens

app_name = "accounts"

_FLEET = "fleets/<slug:slug>"

urlpatterns = [
    path("accounts/", profile.account, name="account"),
    path("accounts/sign-in/", LoginView.as_view(template_name="accounts/sign_in.html"), name="sign_in"),
    path("accounts/sign-out/", LogoutView.as_view(), name="sign_out"),
    path("accounts/sessions/<int:pk>/end/", profile.end_session, name="end_session"),
    path("accounts/sessions/end-others/", profile.end_other_sessions, name="end_other_sessions"),
    path("accounts/passkeys/challenge/", profile.passkey_challenge, name="passkey_challenge"),
    path("accounts/invitation/<str:secret>/", members.invitation, name="invitation"),
    path(f"{_FLEET}/members/", members.members, name="members"),
    path(f"{_FLEET}/members/<int:membership_id>/role/", members.change_role, name="members_role"),
    path(f"{_FLEET}/members/<int:membership_id>/remove/", members.remove, name="members_remove"),
    path(f"{_FLEET}/members/invitations/<int:invitation_id>/resend/", members.resend, name="members_resend"),
    path(f"{_FLEET}/members/invitations/<int:invitation_id>/revoke/", members.revoke, name="members_revoke"),
    path(f"{_FLEET}/api-tokens/", tokens.tokens, name="tokens"),
    path(f"{_FLEET}/api-tokens/<int:token_id>/revoke/", tokens.revoke, name="revoke_token"),
    path(f"{_FLEET}/settings/service-accounts/", services.service_accounts, name="service_accounts"),
    path(
        f"{_FLEET}/settings/service-accounts/<int:token_id>/revoke/",
        services.revoke,
        name="revoke_service_account",
    ),
]

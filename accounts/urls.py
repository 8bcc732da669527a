from allauth.account.views import LoginView
from django.contrib.auth.views import LogoutView
from django.urls import path

from accounts.members import views as members
from accounts.profile import views as profile
from accounts.tokens import views as tokens

app_name = "accounts"

urlpatterns = [
    path("", profile.account, name="account"),
    path("sign-in/", LoginView.as_view(template_name="accounts/sign_in.html"), name="sign_in"),
    path("sign-out/", LogoutView.as_view(), name="sign_out"),
    path("sessions/<int:pk>/end/", profile.end_session, name="end_session"),
    path("sessions/end-others/", profile.end_other_sessions, name="end_other_sessions"),
    path("passkeys/challenge/", profile.passkey_challenge, name="passkey_challenge"),
    path("invitation/<str:secret>/", members.invitation, name="invitation"),
    path("<slug:slug>/members/", members.members, name="members"),
    path("<slug:slug>/members/<int:membership_id>/role/", members.change_role, name="members_role"),
    path("<slug:slug>/members/<int:membership_id>/remove/", members.remove, name="members_remove"),
    path(
        "<slug:slug>/members/invitations/<int:invitation_id>/resend/", members.resend, name="members_resend"
    ),
    path(
        "<slug:slug>/members/invitations/<int:invitation_id>/revoke/", members.revoke, name="members_revoke"
    ),
    path("<slug:slug>/tokens/", tokens.tokens, name="tokens"),
    path("<slug:slug>/tokens/<int:token_id>/revoke/", tokens.revoke, name="revoke_token"),
]

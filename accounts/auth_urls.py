"""The django-allauth views that this project uses, under allauth's URL names. There is no sign-up view."""

from typing import Any

from allauth.account import views as account
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as webauthn
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import LogoutView
from django.urls import path, re_path
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache

from accounts.profile import confirm_views as confirm
from accounts.profile import views as profile


def _page(view: Any, template: str, **context: str | Promise) -> Any:
    """Returns the view with one of the project's templates, never cached."""
    return never_cache(view.as_view(template_name=f"accounts/{template}.html", extra_context=context))


urlpatterns = [
    path("", profile.account, name="mfa_index"),
    path("sign-in/", _page(account.LoginView, "sign_in"), name="account_login"),
    path("sign-in/second-factor/", _page(mfa.AuthenticateView, "second_factor"), name="mfa_authenticate"),
    path("sign-in/passkey/", webauthn.login_webauthn, name="mfa_login_webauthn"),
    path("sign-in/closed/", _page(account.AccountInactiveView, "inactive"), name="account_inactive"),
    path("sign-out/", LogoutView.as_view(), name="account_logout"),
    path(
        "confirm/",
        _page(confirm.ConfirmByPasswordView, "confirm", way="password"),
        name="account_reauthenticate",
    ),
    path("confirm/code/", _page(confirm.ConfirmByCodeView, "confirm", way="code"), name="mfa_reauthenticate"),
    path(
        "confirm/passkey/",
        _page(confirm.ConfirmByPasskeyView, "confirm", way="passkey"),
        name="mfa_reauthenticate_webauthn",
    ),
    path("e-mail/", never_cache(profile.change_address), name="account_email"),
    re_path(
        r"^e-mail/confirm/(?P<key>[-:\w]+)/$",
        _page(account.ConfirmEmailView, "address_confirm"),
        name="account_confirm_email",
    ),
    path(
        "password/",
        _page(
            account.PasswordChangeView,
            "form",
            title=_("Change password"),
            intro=_("You'll be signed out everywhere else."),
            button=_("Change password"),
        ),
        name="account_change_password",
    ),
    path(
        "password/set/",
        _page(account.PasswordSetView, "form", title=_("Set password"), button=_("Set password")),
        name="account_set_password",
    ),
    path("password/forgotten/", never_cache(profile.password_reset), name="account_reset_password"),
    path(
        "password/forgotten/sent/",
        _page(account.PasswordResetDoneView, "password_link_sent"),
        name="account_reset_password_done",
    ),
    re_path(
        r"^password/new/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        _page(account.PasswordResetFromKeyView, "password_new"),
        name="account_reset_password_from_key",
    ),
    path(
        "password/changed/",
        _page(account.PasswordResetFromKeyDoneView, "password_changed"),
        name="account_reset_password_from_key_done",
    ),
    path("two-factor/app/", _page(totp.ActivateTOTPView, "app_add"), name="mfa_activate_totp"),
    path(
        "two-factor/app/remove/",
        _page(
            totp.DeactivateTOTPView,
            "form",
            title=_("Remove the authenticator app?"),
            intro=_(
                "Its codes will stop working. Without a passkey, your password alone will be enough "
                "to sign in."
            ),
            button=_("Remove app"),
            danger="yes",
        ),
        name="mfa_deactivate_totp",
    ),
    path(
        "two-factor/codes/",
        _page(codes.ViewRecoveryCodesView, "recovery_codes"),
        name="mfa_view_recovery_codes",
    ),
    path(
        "two-factor/codes/new/",
        _page(
            codes.GenerateRecoveryCodesView,
            "form",
            title=_("Generate new recovery codes?"),
            intro=_("Your current codes will stop working."),
            button=_("Generate new codes"),
        ),
        name="mfa_generate_recovery_codes",
    ),
    path("two-factor/codes/file/", codes.download_recovery_codes, name="mfa_download_recovery_codes"),
    path("passkeys/", profile.account, name="mfa_list_webauthn"),
    path(
        "passkeys/add/",
        never_cache(login_required(profile.AddPasskeyView.as_view())),
        name="mfa_add_webauthn",
    ),
    path(
        "passkeys/<int:pk>/rename/",
        _page(webauthn.EditWebAuthnView, "form", title=_("Rename passkey"), button=_("Save")),
        name="mfa_edit_webauthn",
    ),
    path(
        "passkeys/<int:pk>/remove/",
        _page(
            webauthn.RemoveWebAuthnView,
            "form",
            title=_("Remove the passkey?"),
            intro=_("The passkey will stop working here. Delete it on your device, too."),
            button=_("Remove passkey"),
            danger="yes",
        ),
        name="mfa_remove_webauthn",
    ),
]

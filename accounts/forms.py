"""allauth's forms with the project's field labels."""

from typing import Any

from allauth.account import forms as account
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base import forms as mfa
from allauth.mfa.models import Authenticator
from allauth.mfa.totp import forms as totp
from allauth.mfa.webauthn import forms as webauthn
from django import forms
from django.utils.translation import gettext_lazy as _

PASSWORD_HINT = _("At least eight characters, not only digits, and not a common password.")

_LABELS = {
    "login": _("Email"),
    "email": _("Email"),
    "password": _("Password"),
    "oldpassword": _("Current password"),
    "password1": _("New password"),
    "password2": _("Confirm new password"),
    "code": _("Code"),
    "name": _("Name"),
}


class LabeledForm(forms.Form):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.label = _LABELS.get(name, field.label)
            field.help_text = PASSWORD_HINT if name == "password1" else ""


class SignInForm(LabeledForm, account.LoginForm):
    pass


class ChangePasswordForm(LabeledForm, account.ChangePasswordForm):
    pass


class SetPasswordForm(LabeledForm, account.SetPasswordForm):
    pass


class PasswordResetForm(LabeledForm, account.ResetPasswordForm):
    pass


class NewPasswordForm(LabeledForm, account.ResetPasswordKeyForm):
    pass


class ChangeAddressForm(LabeledForm, account.AddEmailForm):
    pass


class ConfirmByPasswordForm(LabeledForm, account.ReauthenticateForm):
    pass


class ConfirmByCodeForm(LabeledForm, mfa.ReauthenticateForm):
    pass


class SecondFactorForm(LabeledForm, mfa.AuthenticateForm):
    pass


class AddAppForm(LabeledForm, totp.ActivateTOTPForm):
    pass


class WebAuthnFormMixin(forms.Form):
    """Rejects malformed credentials with a validation error; allauth raises KeyError or AttributeError for some."""

    def clean_credential(self) -> Authenticator:
        try:
            return super().clean_credential()  # type: ignore[misc,no-any-return]
        except (KeyError, AttributeError) as error:
            raise get_adapter().validation_error("incorrect_code") from error


class PasskeySignInForm(WebAuthnFormMixin, webauthn.LoginWebAuthnForm):
    pass


class SecondFactorByPasskeyForm(WebAuthnFormMixin, webauthn.AuthenticateWebAuthnForm):
    pass


class ConfirmByPasskeyForm(WebAuthnFormMixin, webauthn.ReauthenticateWebAuthnForm):
    pass


class AddPasskeyForm(LabeledForm, webauthn.AddWebAuthnForm):
    def clean(self) -> dict[str, Any]:
        try:
            return super().clean()
        except (KeyError, AttributeError) as error:
            raise get_adapter().validation_error("incorrect_code") from error


class RenamePasskeyForm(LabeledForm, webauthn.EditWebAuthnForm):
    pass

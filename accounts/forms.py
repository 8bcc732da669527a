"""allauth's forms with the project's field labels and limits on attempts."""

from typing import Any

from allauth.account import forms as account
from allauth.account.adapter import get_adapter as get_account_adapter
from allauth.core import context
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base import forms as mfa
from allauth.mfa.models import Authenticator
from allauth.mfa.totp import forms as totp
from allauth.mfa.webauthn import forms as webauthn
from allauth.mfa.webauthn.internal import auth
from django import forms
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

from accounts import attempts, known_devices
from accounts.attempts import Outcome
from accounts.models import User

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


class PasswordAttemptMixin(forms.Form):
    """Judges the signed-in user's current password, with the limit of reauthentication."""

    user: Any  # the stubs of allauth's forms disagree on its type
    exhausted = False

    @sensitive_variables()
    def judge(self, password: str, *, error: str) -> str:
        """Returns the password. Raises a validation error if it's wrong or no attempts are left."""
        outcome = attempts.attempt(
            user=self.user,
            scope=attempts.REAUTHENTICATION,
            check=lambda: self.user.check_password(password),
        )
        if outcome is Outcome.RIGHT:
            return password
        self.exhausted = outcome is Outcome.EXHAUSTED
        raise get_account_adapter().validation_error("too_many_attempts" if self.exhausted else error)


class ChangePasswordForm(PasswordAttemptMixin, LabeledForm, account.ChangePasswordForm):
    @sensitive_variables()
    def clean_oldpassword(self) -> str:
        return self.judge(self.cleaned_data["oldpassword"], error="enter_current_password")


class SetPasswordForm(LabeledForm, account.SetPasswordForm):
    pass


class PasswordResetForm(LabeledForm, account.ResetPasswordForm):
    pass


class NewPasswordForm(LabeledForm, account.ResetPasswordKeyForm):
    pass


class ChangeAddressForm(LabeledForm, account.AddEmailForm):
    pass


class ConfirmByPasswordForm(PasswordAttemptMixin, LabeledForm, account.ReauthenticateForm):
    @sensitive_variables()
    def clean_password(self) -> str:
        return self.judge(self.cleaned_data["password"], error="incorrect_password")


class CodeAttemptMixin(LabeledForm):
    """Judges codes of authenticator apps and recovery codes, with a limit that is counted per person."""

    user: Any  # the stubs of allauth's forms disagree on its type
    exhausted = False

    def attempts_scope(self) -> str:
        """Returns what the attempts count against."""
        return attempts.REAUTHENTICATION

    @sensitive_variables()
    def clean_code(self) -> str:
        code: str = self.cleaned_data["code"]
        outcome = attempts.attempt(
            user=self.user, scope=self.attempts_scope(), check=lambda: self._is_right(code)
        )
        if outcome is Outcome.RIGHT:
            return code
        self.exhausted = outcome is Outcome.EXHAUSTED
        if self.exhausted:
            raise get_account_adapter().validation_error("too_many_attempts")
        raise get_adapter().validation_error("incorrect_code")

    @sensitive_variables()
    def _is_right(self, code: str) -> bool:
        factors = Authenticator.objects.filter(user=self.user).exclude(type=Authenticator.Type.WEBAUTHN)
        for factor in factors:
            if factor.wrap().validate_code(code):
                factor.user = self.user
                self.authenticator = factor
                return True
        return False


class ConfirmByCodeForm(CodeAttemptMixin, mfa.ReauthenticateForm):
    pass


class SecondFactorForm(CodeAttemptMixin, mfa.AuthenticateForm):
    def attempts_scope(self) -> str:
        return known_devices.attempts_scope(
            request=context.request, user=self.user, otherwise=attempts.SECOND_FACTOR
        )


class AddAppForm(LabeledForm, totp.ActivateTOTPForm):
    pass


class CredentialField(forms.JSONField):
    """A passkey's response, a JSON object. Python refuses to parse deep nesting and numbers of thousands of digits."""

    widget = forms.HiddenInput

    def to_python(self, value: Any) -> Any:
        try:
            credential = super().to_python(value)
        except (ValueError, RecursionError) as error:
            raise get_adapter().validation_error("incorrect_code") from error
        if credential is not None and not isinstance(credential, dict):
            raise get_adapter().validation_error("incorrect_code")
        return credential


# What allauth and fido2 raise for malformed credentials.
_MALFORMED = (KeyError, AttributeError, TypeError, ValueError)


class WebAuthnFormMixin(forms.Form):
    """Rejects malformed credentials with a validation error."""

    credential: Any = CredentialField()

    def clean_credential(self) -> Authenticator:
        try:
            return super().clean_credential()  # type: ignore[misc,no-any-return]
        except _MALFORMED as error:
            raise get_adapter().validation_error("incorrect_code") from error


class PasskeySignInForm(WebAuthnFormMixin, webauthn.LoginWebAuthnForm):
    pass


class OwnPasskeyMixin(forms.Form):
    """Judges a passkey of a known user without a limit: nobody can guess one, and others' failures lock nobody out."""

    user: User

    def clean_credential(self) -> Authenticator:
        credential = self.cleaned_data["credential"]
        auth.parse_authentication_response(credential)
        return auth.complete_authentication(self.user, credential)


class SecondFactorByPasskeyForm(WebAuthnFormMixin, OwnPasskeyMixin, webauthn.AuthenticateWebAuthnForm):
    pass


class ConfirmByPasskeyForm(WebAuthnFormMixin, OwnPasskeyMixin, webauthn.ReauthenticateWebAuthnForm):
    pass


class AddPasskeyForm(LabeledForm, webauthn.AddWebAuthnForm):
    credential: Any = CredentialField()

    def clean(self) -> dict[str, Any]:
        try:
            return super().clean()
        except _MALFORMED as error:
            raise get_adapter().validation_error("incorrect_code") from error


class RenamePasskeyForm(LabeledForm, webauthn.EditWebAuthnForm):
    pass

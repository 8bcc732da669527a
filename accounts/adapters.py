"""What this product wants of django-allauth where its settings do not say."""

from typing import Any, ClassVar

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

from accounts import confirmation, keyring
from accounts.letters import services as letters
from accounts.models import User

# Who has signed in sees that; and whoever asked for a mail is told on the page itself.
_NOT_SAID = {
    "account/messages/logged_in.txt",
    "account/messages/email_confirmation_sent.txt",
    "mfa/messages/recovery_codes_generated.txt",
}


class AccountAdapter(DefaultAccountAdapter):
    """Nobody signs up by themselves, letters go by Celery, and one rule says when to confirm who one is."""

    error_messages: ClassVar[dict[str, Any]] = DefaultAccountAdapter.error_messages | {
        "email_password_mismatch": _(
            "This e-mail address and password do not belong together. Check both and try again."
        ),
        "too_many_login_attempts": _(
            "Too many wrong tries. Wait five minutes, or have a link sent to choose a new password."
        ),
        "enter_current_password": _("This is not your present password."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        return not confirmation.is_fresh(self.request)

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("accounts:account")

    def get_email_verification_redirect_url(self, email_address: Any) -> str:
        return reverse("accounts:account")

    def add_message(
        self,
        request: HttpRequest,
        level: int,
        message_template: str | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        if message_template not in _NOT_SAID:
            super().add_message(request, level, message_template, *args, **kwargs)

    @sensitive_variables("context")
    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """What is secret in the context stays behind: the worker makes it anew."""
        letters.post(user=context["user"], kind=_kind(template_prefix), address=email, told={})

    def send_notification_mail(
        self,
        template_prefix: str,
        user: User,
        context: dict[str, Any] | None = None,
        email: str | None = None,
    ) -> None:
        told = {
            "ip": self.get_client_ip(self.request),
            "user_agent": self.get_http_user_agent(self.request)[:200],
            "to_email": (context or {}).get("to_email", ""),
        }
        letters.post(user=user, kind=_kind(template_prefix), address=email or user.email, told=told)


def _kind(template_prefix: str) -> str:
    return template_prefix.rpartition("/")[2]


class MfaAdapter(DefaultMFAAdapter):
    """Secrets are encrypted with our ring of keys."""

    error_messages: ClassVar[dict[str, Any]] = DefaultMFAAdapter.error_messages | {
        "incorrect_code": _("This was not right, or is too old. Try again."),
    }

    @sensitive_variables()
    def encrypt(self, text: str) -> str:
        return keyring.encrypt(text).decode()

    @sensitive_variables()
    def decrypt(self, encrypted_text: str) -> str:
        return keyring.decrypt(encrypted_text.encode())

    def generate_authenticator_name(self, user: User, type: Authenticator.Type) -> str:  # noqa: A002
        number = Authenticator.objects.filter(user_id=user.pk, type=type).count() + 1
        return gettext("Passkey %(number)d") % {"number": number}

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        return super().get_public_key_credential_rp_entity() | {"name": "Smartcar Fleet"}

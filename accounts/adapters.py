"""Adapters for what django-allauth's settings don't cover."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.contrib import messages
from django.contrib.auth.models import AbstractBaseUser
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

from accounts import attempts, known_devices, reauthentication
from accounts.emails import AccountEmail, queue_account_email
from accounts.models import User
from core import encryption

# The message shown after each of allauth's actions. Other actions show none: the result of a sign-in is visible anyway.
_MESSAGES = {
    "account/messages/cannot_delete_primary_email.txt": _(
        "You use this address to sign in, so it can't be removed."
    ),
    "account/messages/email_confirmation_failed.txt": _("This address belongs to another account."),
    "account/messages/email_confirmed.txt": _("Email address changed."),
    "account/messages/email_deleted.txt": _("Email address change canceled."),
    "account/messages/password_changed.txt": _("Password changed. You were signed out everywhere else."),
    "account/messages/password_set.txt": _("Password set."),
    "mfa/messages/totp_activated.txt": _("Authenticator app added."),
    "mfa/messages/totp_deactivated.txt": _("Authenticator app removed."),
    "mfa/messages/webauthn_added.txt": _("Passkey added."),
    "mfa/messages/webauthn_removed.txt": _("Passkey removed."),
}


class AccountAdapter(DefaultAccountAdapter):
    """No sign-up without an invitation, emails sent by workers, one rule for reauthentication."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "email_password_mismatch": _("Incorrect email or password. Check both and try again."),
        "too_many_login_attempts": _(
            "Too many failed attempts. Wait five minutes, or request a link to choose a new password."
        ),
        "enter_current_password": _("This isn't your current password. Try again."),
        "too_many_attempts": _("Too many failed attempts. Wait five minutes, then try again."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        return not reauthentication.is_recent(self.request)

    @sensitive_variables()
    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Counts an attempt to sign in: in a known browser on its own, elsewhere per address, as allauth does.

        So nobody locks a user out by entering wrong passwords. A known browser without attempts left counts as unknown.
        """
        self._known_browser = self._find_known_browser(request, credentials.get("email", ""))
        if self._known_browser is None or not attempts.take(**self._known_browser):
            super().pre_authenticate(request, **credentials)

    @sensitive_variables()
    def authenticate(self, request: HttpRequest, **credentials: Any) -> AbstractBaseUser | None:
        user = super().authenticate(request, **credentials)
        if user is not None and self._known_browser is not None:
            attempts.clear(**self._known_browser)
        return user

    def _find_known_browser(self, request: HttpRequest, email: str) -> dict[str, Any] | None:
        user = User.objects.filter(email__iexact=email).first()
        key = known_devices.known_device(request=request, user=user) if user else None
        return {"user": user, "scope": f"{attempts.SIGN_IN}:{key}"} if key else None

    def post_login(self, request: HttpRequest, user: AbstractBaseUser, **kwargs: Any) -> HttpResponse:
        response: HttpResponse = super().post_login(request, user, **kwargs)
        known_devices.remember(request=request, response=response, user=User.objects.get(pk=user.pk))
        return response

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("accounts:account")

    def get_email_verification_redirect_url(self, email_address: Any) -> str:
        return reverse("accounts:account")

    def add_message(
        self,
        request: HttpRequest,
        level: int,
        message_template: str | None = None,
        message_context: dict[str, Any] | None = None,
        extra_tags: str = "",
        message: str | None = None,
    ) -> None:
        text = message or _MESSAGES.get(message_template or "")
        if text:
            messages.add_message(request, level, text, extra_tags=extra_tags)

    @sensitive_variables("context")
    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Queues the email without the context's secrets: the worker creates the link."""
        kind = AccountEmail(_kind(template_prefix))
        queue_account_email(user=context["user"], kind=kind, recipient=email, params={})

    def send_notification_mail(
        self,
        template_prefix: str,
        user: AbstractBaseUser,
        context: dict[str, Any] | None = None,
        email: str | None = None,
    ) -> None:
        params = {
            "ip": self.get_client_ip(self.request),
            "user_agent": self.get_http_user_agent(self.request)[:200],
            "to_email": (context or {}).get("to_email", ""),
        }
        recipient_user, kind = User.objects.get(pk=user.pk), _kind(template_prefix)
        # Canceling an address change sends no email.
        if kind in AccountEmail.values:
            queue_account_email(
                user=recipient_user,
                kind=AccountEmail(kind),
                recipient=email or recipient_user.email,
                params=params,
            )


def _kind(template_prefix: str) -> str:
    return template_prefix.rpartition("/")[2]


class MfaAdapter(DefaultMFAAdapter):
    """Encrypts the secrets of second factors with the project's encryption keys."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": _("Incorrect or expired code. Try again."),
    }

    @sensitive_variables()
    def encrypt(self, text: str) -> str:
        return encryption.encrypt(text).decode()

    @sensitive_variables()
    def decrypt(self, encrypted_text: str) -> str:
        return encryption.decrypt(encrypted_text.encode())

    def generate_authenticator_name(self, user: AbstractBaseUser, type: Authenticator.Type) -> str:  # noqa: A002
        number = Authenticator.objects.filter(user_id=user.pk, type=type).count() + 1
        return gettext("Passkey %(number)d") % {"number": number}

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        return super().get_public_key_credential_rp_entity() | {"name": "Smartcar Fleet"}

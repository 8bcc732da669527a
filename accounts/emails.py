"""Emails about a user's account, in the user's language.

Requests queue them and a worker sends them, so that the response time doesn't depend on whether an address is known.
Links with tokens are created only when the email is sent.
"""

from collections.abc import Mapping

from allauth.account.forms import default_token_generator
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.db import models
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _
from django.views.decorators.debug import sensitive_variables

from accounts.models import User
from core.mail.kinds import EmailKind, RenderedEmail, register
from core.mail.models import OutgoingEmail
from core.mail.services import queue_email

_PREFIX = "accounts."


class AccountEmail(models.TextChoices):
    """The kinds of account emails. The values are allauth's names."""

    PASSWORD_RESET = "password_reset_key", "Password reset"
    CONFIRM_ADDRESS = "email_confirmation", "Address to confirm"
    ADDRESS_CHANGED = "email_changed", "Address changed"
    PASSWORD_CHANGED = "password_changed", "Password changed"
    PASSWORD_SET = "password_set", "Password set"
    PASSWORD_WAS_RESET = "password_reset", "Password was reset"
    TOTP_ON = "totp_activated", "Authenticator app added"
    TOTP_OFF = "totp_deactivated", "Authenticator app removed"
    RECOVERY_CODES = "recovery_codes_generated", "New recovery codes"
    PASSKEY_ADDED = "webauthn_added", "Passkey added"
    PASSKEY_REMOVED = "webauthn_removed", "Passkey removed"


# Headline and sentence of each email that reports a change.
_CHANGES: dict[str, tuple[str, str]] = {
    AccountEmail.ADDRESS_CHANGED: (
        _("Your email address was changed"),
        _("You now sign in with %(to_email)s. This address no longer works for sign-in."),
    ),
    AccountEmail.PASSWORD_CHANGED: (
        _("Your password was changed"),
        _("You were signed out everywhere else."),
    ),
    AccountEmail.PASSWORD_SET: (
        _("A password was set"),
        _("You can now sign in with the password."),
    ),
    AccountEmail.PASSWORD_WAS_RESET: (
        _("Your password was changed"),
        _("The password was changed with a link sent to this address. You were signed out everywhere."),
    ),
    AccountEmail.TOTP_ON: (
        _("An authenticator app was added"),
        _("Signing in with your password now requires a code from the app."),
    ),
    AccountEmail.TOTP_OFF: (
        _("The authenticator app was removed"),
        _("Signing in no longer requires a code from the app."),
    ),
    AccountEmail.RECOVERY_CODES: (
        _("New recovery codes were generated"),
        _("The old codes no longer work."),
    ),
    AccountEmail.PASSKEY_ADDED: (
        _("A passkey was added"),
        _("You can now sign in with the passkey, without a password."),
    ),
    AccountEmail.PASSKEY_REMOVED: (
        _("A passkey was removed"),
        _("The passkey no longer works."),
    ),
}


def queue_account_email(
    *, user: User, kind: AccountEmail, recipient: str, params: Mapping[str, str]
) -> OutgoingEmail | None:
    """Queues an email about the account, in the user's language.

    `params` are the request's `ip` and `user_agent`, and `to_email`, a new address. They are empty for emails with a
    link.
    """
    language = user.language or translation.get_language() or settings.LANGUAGE_CODE
    return queue_email(
        kind=email_code(kind), object_id=user.pk, recipient=recipient, language=language, params=params
    )


def email_code(kind: AccountEmail) -> str:
    """Returns the kind code of the outgoing email."""
    return f"{_PREFIX}{kind.value}"


def register_emails() -> None:
    """Registers the email kinds at start-up."""
    for kind in AccountEmail:
        register(EmailKind(email_code(kind), kind.label, User, _render))


@sensitive_variables()
def _render(email: OutgoingEmail) -> RenderedEmail | None:
    user = User.objects.filter(pk=email.object_id, is_active=True).first()
    if user is None:
        return None
    kind = AccountEmail(email.kind.removeprefix(_PREFIX))
    if kind is AccountEmail.PASSWORD_RESET:
        return _render_template("password_reset", user, link=_reset_link(user))
    if kind is AccountEmail.CONFIRM_ADDRESS:
        link = _confirmation_link(user, email.recipient)
        return _render_template("confirm_address", user, link=link) if link else None
    headline, sentence = _CHANGES[kind]
    return _render_template(
        "account_changed",
        user,
        headline=gettext(headline),
        sentence=gettext(sentence) % email.params,
        when=email.created_at,
        ip=email.params["ip"],
        browser=email.params["user_agent"],
    )


@sensitive_variables()
def _render_template(template: str, user: User, **context: object) -> RenderedEmail:
    """Renders the template, whose first line is the subject."""
    context |= {"user": user, "site": settings.SITE_URL}
    subject, text = render_to_string(f"accounts/emails/{template}.txt", context).split("\n", 1)
    return RenderedEmail(subject.strip(), text.strip() + "\n")


@sensitive_variables()
def _reset_link(user: User) -> str:
    key = default_token_generator.make_token(user)
    return _url("account_reset_password_from_key", uidb36=user_pk_to_url_str(user), key=key)


@sensitive_variables()
def _confirmation_link(user: User, address: str) -> str:
    """Returns the link that confirms the address, or "" if the address is no longer pending."""
    pending = EmailAddress.objects.filter(user=user, email=address, verified=False).first()
    return _url("account_confirm_email", key=EmailConfirmationHMAC(pending).key) if pending else ""


def _url(view: str, **kwargs: str) -> str:
    return f"{settings.SITE_URL}{reverse(view, kwargs=kwargs)}"

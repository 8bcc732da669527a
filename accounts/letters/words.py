"""What the letters say, in the language that is active."""

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from accounts.letters.models import Kind

_NEWS: dict[str, tuple[str, str]] = {
    Kind.ADDRESS_CHANGED: (
        _("Your e-mail address was changed"),
        _("You sign in with %(to_email)s from now on; this address is no longer yours here."),
    ),
    Kind.PASSWORD_CHANGED: (
        _("Your password was changed"),
        _("You were signed out everywhere else."),
    ),
    Kind.PASSWORD_SET: (
        _("A password was set"),
        _("You can sign in with it from now on."),
    ),
    Kind.PASSWORD_WAS_RESET: (
        _("Your password was changed"),
        _("It was done with a link that was sent to this address. You were signed out everywhere."),
    ),
    Kind.TOTP_ON: (
        _("An authenticator app was added"),
        _("Signing in with your password needs a code of it from now on."),
    ),
    Kind.TOTP_OFF: (
        _("The authenticator app was removed"),
        _("Signing in needs no code of it any more."),
    ),
    Kind.RECOVERY_CODES: (
        _("New recovery codes were made"),
        _("The former ones open nothing any more."),
    ),
    Kind.PASSKEY_ADDED: (
        _("A passkey was added"),
        _("You can sign in with it, without a password."),
    ),
    Kind.PASSKEY_REMOVED: (
        _("A passkey was removed"),
        _("It opens nothing any more."),
    ),
}


def news(*, kind: str, told: dict[str, str]) -> tuple[str, str]:
    """Headline and sentence of a letter that tells what happened. Raises KeyError for one that asks for something."""
    headline, sentence = _NEWS[kind]
    return gettext(headline), gettext(sentence) % told

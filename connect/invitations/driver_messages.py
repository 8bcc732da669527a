"""Texts for drivers about the error behind an invitation, and what to do before signing in."""

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from connect.status.state_machine import ACCOUNT

_WHY = {
    f"{ACCOUNT}:AUTHENTICATION_FAILED": _(
        "The manufacturer no longer accepts your sign-in, for example because your password changed."
    ),
    f"{ACCOUNT}:ACCOUNT_ISSUE": _("Your manufacturer account needs your attention."),
    f"{ACCOUNT}:NO_VEHICLES": _("Your manufacturer account no longer has any cars."),
    f"{ACCOUNT}:VEHICLE_MISSING": _("The car is no longer in your manufacturer account."),
    f"{ACCOUNT}:SUBSCRIPTION": _("The manufacturer's connected services for this car aren't active."),
}
_UNKNOWN = _("The manufacturer requires you to sign in again.")
_TODO = {
    f"{ACCOUNT}:ACCOUNT_ISSUE": _(
        "Open the manufacturer's app and complete any pending steps, such as accepting new "
        "terms of use or finishing your registration."
    ),
    f"{ACCOUNT}:NO_VEHICLES": _("Add the car to your account in the manufacturer's app."),
    f"{ACCOUNT}:VEHICLE_MISSING": _("Add the car to your account in the manufacturer's app."),
    f"{ACCOUNT}:SUBSCRIPTION": _(
        "Renew the car's connected services in the manufacturer's app, or choose a package "
        "that includes remote access. If you've already done this, continue."
    ),
}


def why(error: str) -> str:
    """Returns why the driver has to sign in again. `error` is TYPE:CODE, or ""."""
    return gettext(_WHY.get(error, _UNKNOWN))


def next_step(error: str) -> str:
    """Returns what to do in the manufacturer's app first, or ""."""
    return gettext(_TODO[error]) if error in _TODO else ""

"""What a driver is told of the trouble that a link is about, and what to do before signing in."""

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from connect.status.state_machine import ACCOUNT

_WHY = {
    f"{ACCOUNT}:AUTHENTICATION_FAILED": _(
        "The maker no longer accepts the sign-in that you gave, for example because your password has changed."
    ),
    f"{ACCOUNT}:ACCOUNT_ISSUE": _("The maker wants something settled in your account."),
    f"{ACCOUNT}:NO_VEHICLES": _("Your account at the maker has no car any more."),
    f"{ACCOUNT}:VEHICLE_MISSING": _("The car is no longer in your account at the maker."),
    f"{ACCOUNT}:SUBSCRIPTION": _("The maker's connected services for this car are not active."),
}
_UNKNOWN = _("The maker asks for your sign-in again.")
_TODO = {
    f"{ACCOUNT}:ACCOUNT_ISSUE": _(
        "Open the maker's app and finish what it asks for, such as new terms of use or the end of a registration."
    ),
    f"{ACCOUNT}:NO_VEHICLES": _("Add the car to your account in the maker's app."),
    f"{ACCOUNT}:VEHICLE_MISSING": _("Add the car to your account in the maker's app."),
    f"{ACCOUNT}:SUBSCRIPTION": _(
        "Renew the connected services of the car in the maker's app, or choose a package that includes remote "
        "access. If you did that already, go on."
    ),
}


def why(error: str) -> str:
    """Why the driver is asked to sign in again. `error` is TYPE:CODE, or ""."""
    return gettext(_WHY.get(error, _UNKNOWN))


def next_step(error: str) -> str:
    """What has to be done in the maker's app first, or ""."""
    return gettext(_TODO[error]) if error in _TODO else ""

"""Why a connection is in its state, in words for a fleet manager: kept in English, translated where they are shown."""

from django.utils.translation import gettext_noop as _

from connect.status.state_machine import ACCOUNT, GONE, INVALID_GRANT, REQUESTS_USED_UP
from connect.status.states import ConnectionState

DATA = _("Data arrives.")
RESOLVED = _("Smartcar reports that the trouble is over.")
WORKED = _("Smartcar answers requests for this car again.")
MONTH = _("A new month has begun, with new requests.")

_BY_ERROR = {
    f"{ACCOUNT}:AUTHENTICATION_FAILED": _(
        "The maker no longer accepts the driver's sign-in, for example after a new password."
    ),
    f"{ACCOUNT}:ACCOUNT_ISSUE": _(
        "The maker wants something settled in the driver's account, such as new terms of use."
    ),
    f"{ACCOUNT}:NO_VEHICLES": _("The driver's account at the maker has no car any more."),
    f"{ACCOUNT}:VEHICLE_MISSING": _("The car is no longer in the driver's account at the maker."),
    f"{ACCOUNT}:PERMISSION": _("The driver's account at the maker does not allow what the fleet asks for."),
    f"{ACCOUNT}:SUBSCRIPTION": _(
        "The maker's connected services for this car have ended, were never started, or do not include this."
    ),
    "BILLING:VEHICLE_LIMIT": _("The Smartcar plan has no room for this car."),
    "BILLING:ACCOUNT_SUSPENDED": _("Smartcar has suspended this site's account over an unpaid bill."),
    REQUESTS_USED_UP: _("This month's requests for the car are used up. Pushed data still arrives."),
    GONE: _("Smartcar does not list this connection any more: the driver ended it there."),
    INVALID_GRANT: _("Smartcar no longer accepts the driver's token."),
    "PERMISSION": _("The driver's permission does not cover what the fleet asks for."),
}
_BY_STATE = {
    ConnectionState.NEEDS_REAUTHENTICATION: _("The maker asks the driver to sign in again."),
    ConnectionState.PERMISSION_MISSING: _("The driver's permission does not cover what the fleet asks for."),
    ConnectionState.SUBSCRIPTION_NEEDED: _("The maker's connected services are not active for this car."),
    ConnectionState.PLAN_LIMIT: _("The Smartcar plan does not cover this car."),
    ConnectionState.STALE: _("Nothing was heard of the car for far longer than is normal."),
}


def reason_for(state: ConnectionState, error: str) -> str:
    """The cause of a state that an error (`TYPE:CODE`) put a connection in."""
    return _BY_ERROR.get(error) or _BY_STATE.get(state, "")

"""Why a connection is in its state, in words for a fleet manager."""

from connect.standing.machine import ACCOUNT, GONE, INVALID_GRANT, REQUESTS_USED_UP
from connect.standing.states import ConnectionState

DATA = "Data arrives."
RESOLVED = "Smartcar reports that the trouble is over."
WORKED = "Smartcar answers requests for this car again."
MONTH = "A new month has begun, with new requests."

_BY_ERROR = {
    f"{ACCOUNT}:AUTHENTICATION_FAILED": (
        "The maker no longer accepts the driver's sign-in, for example after a new password."
    ),
    f"{ACCOUNT}:ACCOUNT_ISSUE": (
        "The maker wants something settled in the driver's account, such as new terms of use."
    ),
    f"{ACCOUNT}:NO_VEHICLES": "The driver's account at the maker has no car any more.",
    f"{ACCOUNT}:VEHICLE_MISSING": "The car is no longer in the driver's account at the maker.",
    f"{ACCOUNT}:PERMISSION": "The driver's account at the maker does not allow what the fleet asks for.",
    f"{ACCOUNT}:SUBSCRIPTION": (
        "The maker's connected services for this car have ended, were never started, or do not include this."
    ),
    "BILLING:VEHICLE_LIMIT": "The Smartcar plan has no room for this car.",
    "BILLING:ACCOUNT_SUSPENDED": "Smartcar has suspended this site's account over an unpaid bill.",
    REQUESTS_USED_UP: "This month's requests for the car are used up. Pushed data still arrives.",
    GONE: "Smartcar does not list this connection any more: the driver ended it there.",
    INVALID_GRANT: "Smartcar no longer accepts the driver's token.",
    "PERMISSION": "The driver's permission does not cover what the fleet asks for.",
}
_BY_STATE = {
    ConnectionState.NEEDS_REAUTHENTICATION: "The maker asks the driver to sign in again.",
    ConnectionState.PERMISSION_MISSING: "The driver's permission does not cover what the fleet asks for.",
    ConnectionState.SUBSCRIPTION_NEEDED: "The maker's connected services are not active for this car.",
    ConnectionState.PLAN_LIMIT: "The Smartcar plan does not cover this car.",
    ConnectionState.STALE: "Nothing was heard of the car for far longer than is normal.",
}


def of(state: ConnectionState, error: str) -> str:
    """The cause of a state that an error (`TYPE:CODE`) put a connection in."""
    return _BY_ERROR.get(error) or _BY_STATE.get(state, "")

"""The reasons for a connection's state."""

from connect.messages import StateReason
from connect.status.state_machine import ACCOUNT, GONE, INVALID_GRANT, REQUESTS_USED_UP
from connect.status.states import ConnectionState
from core.message_codes import Message

_BY_ERROR = {
    f"{ACCOUNT}:AUTHENTICATION_FAILED": StateReason.AUTHENTICATION_FAILED,
    f"{ACCOUNT}:ACCOUNT_ISSUE": StateReason.ACCOUNT_ISSUE,
    f"{ACCOUNT}:NO_VEHICLES": StateReason.NO_VEHICLES,
    f"{ACCOUNT}:VEHICLE_MISSING": StateReason.VEHICLE_MISSING,
    f"{ACCOUNT}:PERMISSION": StateReason.ACCOUNT_PERMISSION,
    f"{ACCOUNT}:SUBSCRIPTION": StateReason.ACCOUNT_SUBSCRIPTION,
    "BILLING:VEHICLE_LIMIT": StateReason.VEHICLE_LIMIT,
    "BILLING:ACCOUNT_SUSPENDED": StateReason.ACCOUNT_SUSPENDED,
    REQUESTS_USED_UP: StateReason.REQUESTS_USED_UP,
    GONE: StateReason.GRANT_ENDED,
    INVALID_GRANT: StateReason.TOKEN_REJECTED,
    "PERMISSION": StateReason.PERMISSION_MISSING,
}
_BY_STATE = {
    ConnectionState.NEEDS_REAUTHENTICATION: StateReason.REAUTHENTICATION_NEEDED,
    ConnectionState.PERMISSION_MISSING: StateReason.PERMISSION_MISSING,
    ConnectionState.SUBSCRIPTION_NEEDED: StateReason.SUBSCRIPTION_NEEDED,
    ConnectionState.PLAN_LIMIT: StateReason.PLAN_LIMIT,
    ConnectionState.STALE: StateReason.NO_DATA,
}


def reason_for(state: ConnectionState, error: str) -> Message:
    """Returns the reason for a state that was caused by an error (`TYPE:CODE`, or "")."""
    reason = _BY_ERROR.get(error) or _BY_STATE.get(state)
    return reason.message() if reason else Message()

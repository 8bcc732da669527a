"""The next action a manager can take for a connection, with one click. Pure functions."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from connect.models import Connection
from connect.status.state_machine import REQUESTS_USED_UP
from connect.status.states import AuthorizationPurpose, ConnectionState

# How long a new connection may take to deliver data before a check is suggested.
FIRST_DATA = timedelta(minutes=15)


class NextActionType(StrEnum):
    """What the button does."""

    LINK = "link"  # creates a link for the driver
    CHECK = "check"  # reads the vehicle now
    PLAN = "plan"  # opens Smartcar's dashboard
    NONE = "none"


@dataclass(frozen=True, slots=True)
class NextAction:
    """`label` is the button's, `text` explains what it does and why; both are empty if there is nothing to do."""

    kind: NextActionType
    label: StrOrPromise = ""
    text: StrOrPromise = ""
    purpose: AuthorizationPurpose = AuthorizationPurpose.SIGN_IN


NOTHING = NextAction(NextActionType.NONE)
CHECK = NextAction(
    NextActionType.CHECK,
    _("Check now"),
    _(
        "Reads the vehicle through Smartcar. If data arrives, the connection is working. If "
        "not, the reason appears here."
    ),
)
SIGN_IN = NextAction(
    NextActionType.LINK,
    _("Ask the driver to sign in"),
    _(
        "Creates a personal link to the manufacturer's sign-in page. The driver doesn't need "
        "to select a vehicle again."
    ),
)
PERMISSIONS = NextAction(
    NextActionType.LINK,
    _("Request permissions"),
    _(
        "Creates a personal link where the driver can see which permissions are requested "
        "and why, and grant them."
    ),
    AuthorizationPurpose.PERMISSIONS,
)
RENEW = NextAction(
    NextActionType.LINK,
    _("Ask the driver to renew"),
    _(
        "Creates a personal link that explains what to renew in the manufacturer's app, then "
        "asks the driver to sign in again."
    ),
)
AGAIN = NextAction(
    NextActionType.LINK,
    _("Invite the driver again"),
    _("Creates a personal link the driver can use to share the vehicle again."),
    AuthorizationPurpose.CONNECT,
)
WAIT_FOR_MONTH = NextAction(
    NextActionType.PLAN,
    _("Open Smartcar dashboard"),
    _(
        "The limit resets at the start of next month. To lift the limit now, buy a larger "
        "plan in the dashboard, then check the connection here."
    ),
)
PLAN = NextAction(
    NextActionType.PLAN,
    _("Open Smartcar dashboard"),
    _("Buy the plan in the dashboard, then check the connection here."),
)
_BY_STATE = {
    ConnectionState.STALE: CHECK,
    ConnectionState.NEEDS_REAUTHENTICATION: SIGN_IN,
    ConnectionState.PERMISSION_MISSING: PERMISSIONS,
    ConnectionState.SUBSCRIPTION_NEEDED: RENEW,
    ConnectionState.REVOKED: AGAIN,
    ConnectionState.REMOVED: AGAIN,
}


def next_action(connection: Connection, *, now: datetime) -> NextAction:
    """Returns the next action; NOTHING if the connection needs none."""
    state = ConnectionState(connection.state)
    if state is ConnectionState.PENDING and now - connection.state_since > FIRST_DATA:
        return CHECK
    if state is ConnectionState.PLAN_LIMIT:
        return WAIT_FOR_MONTH if connection.state_error == REQUESTS_USED_UP else PLAN
    return _BY_STATE.get(state, NOTHING)

"""What a manager can do next about a connection, with one click. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from connect.models import Connection
from connect.status.state_machine import REQUESTS_USED_UP
from connect.status.states import AuthorizationPurpose, ConnectionState

# A car that was just connected has this long to deliver before anybody need look.
FIRST_DATA = timedelta(minutes=15)


class NextActionType(StrEnum):
    """What pressing the button does."""

    LINK = "link"  # makes a personal link for the driver
    CHECK = "check"  # reads the car now
    PLAN = "plan"  # leads to Smartcar's dashboard
    NONE = "none"


@dataclass(frozen=True, slots=True)
class NextAction:
    """`label` is on the button, `text` says what it does and why; both empty where nothing is to be done."""

    kind: NextActionType
    label: StrOrPromise = ""
    text: StrOrPromise = ""
    purpose: AuthorizationPurpose = AuthorizationPurpose.SIGN_IN


NOTHING = NextAction(NextActionType.NONE)
CHECK = NextAction(
    NextActionType.CHECK,
    _("Check now"),
    _("Reads the car through Smartcar. If data comes, the connection is well; if not, its cause shows here."),
)
SIGN_IN = NextAction(
    NextActionType.LINK,
    _("Ask the driver to sign in"),
    _("Makes a personal link that leads the driver to the maker's sign-in. No car has to be chosen again."),
)
PERMISSIONS = NextAction(
    NextActionType.LINK,
    _("Ask the driver to allow it"),
    _("Makes a personal link on which the driver sees what is asked for and why, and allows it."),
    AuthorizationPurpose.PERMISSIONS,
)
RENEW = NextAction(
    NextActionType.LINK,
    _("Ask the driver to renew it"),
    _(
        "Makes a personal link that explains what to renew in the maker's app, and signs the driver in again "
        "afterwards."
    ),
)
AGAIN = NextAction(
    NextActionType.LINK,
    _("Invite the driver again"),
    _("Makes a personal link with which the driver can share the car anew."),
    AuthorizationPurpose.CONNECT,
)
WAIT_FOR_MONTH = NextAction(
    NextActionType.PLAN,
    _("Open Smartcar's dashboard"),
    _("It ends by itself when the month turns. A larger plan ends it at once: buy it there, then check."),
)
PLAN = NextAction(
    NextActionType.PLAN,
    _("Open Smartcar's dashboard"),
    _("The plan is bought there. Afterwards check the connection here."),
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
    """The one next step; NOTHING while all is well."""
    state = ConnectionState(connection.state)
    if state is ConnectionState.PENDING and now - connection.state_since > FIRST_DATA:
        return CHECK
    if state is ConnectionState.PLAN_LIMIT:
        return WAIT_FOR_MONTH if connection.state_error == REQUESTS_USED_UP else PLAN
    return _BY_STATE.get(state, NOTHING)

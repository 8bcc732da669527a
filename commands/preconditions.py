"""Checks before a command is sent: why it isn't possible, or why it may be pointless. No database access.

A refusal rejects the command. So does an obstacle on the pages, unless the member sends the command anyway: even a
state that counts as current (vehicles.current_state) may have changed. A hint rejects nothing. An unknown state is
neither.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.models import SmartcarApiVersion
from commands import make_quirks
from commands.types import CHARGING, PERMISSION, SCHEDULING, V3_ONLY, CommandType
from connect import virtual_key
from connect.models import Connection, ConnectionState
from vehicles import catalogue
from vehicles.energy import WITHOUT_PLUG
from vehicles.makes import make_name
from vehicles.selectors import VehicleState

# All signals that the checks use, and the state that each command's button shows.
SIGNALS = (
    catalogue.IS_LOCKED,
    catalogue.IS_CHARGING,
    catalogue.CABLE_CONNECTED,
    catalogue.CHARGE_LIMITS,
    catalogue.CHARGE_PORT_OPEN,
    catalogue.STATE_OF_CHARGE,
    catalogue.CHARGE_TIMERS,
    catalogue.SPEED,
    catalogue.DIGITAL_KEY_PAIRED,
)
# Vehicles reject these while driving (IN_MOTION, "Vehicle State Errors").
_WHILE_PARKED = frozenset({CommandType.LOCK, CommandType.UNLOCK, CommandType.OPEN_CHARGE_PORT})

# The texts below are in English, and are translated when they are displayed.
NO_CONNECTION = gettext_noop(
    "This vehicle has no working connection. Ask the driver to reconnect the vehicle, "
    "then send the command again."
)
_CONNECTION_WARNINGS = {
    ConnectionState.PLAN_LIMIT: gettext_noop(
        "Smartcar reported that your plan doesn't currently cover requests for this vehicle, "
        "so commands may be rejected."
    ),
    ConnectionState.STALE: gettext_noop("No recent data from this vehicle, so it may not respond."),
}
_NOT_PERMITTED = {
    "control_security": gettext_noop(
        "The driver didn't grant permission to lock and unlock the vehicle. Ask the driver "
        "to reconnect the vehicle and grant this permission."
    ),
    "control_charge": gettext_noop(
        "The driver didn't grant permission for charging commands. Ask the driver to "
        "reconnect the vehicle and grant this permission."
    ),
    "control_navigation": gettext_noop(
        "The driver didn't grant permission to send destinations. Ask the driver to "
        "reconnect the vehicle and grant this permission."
    ),
}
_CONTRADICTIONS = {
    CommandType.LOCK: (catalogue.IS_LOCKED, True, gettext_noop("Already locked.")),
    CommandType.UNLOCK: (catalogue.IS_LOCKED, False, gettext_noop("Already unlocked.")),
    CommandType.START_CHARGE: (catalogue.IS_CHARGING, True, gettext_noop("Already charging.")),
    CommandType.STOP_CHARGE: (catalogue.IS_CHARGING, False, gettext_noop("The vehicle isn't charging.")),
    CommandType.OPEN_CHARGE_PORT: (
        catalogue.CHARGE_PORT_OPEN,
        True,
        gettext_noop("The charge port is already open."),
    ),
    CommandType.CLOSE_CHARGE_PORT: (
        catalogue.CHARGE_PORT_OPEN,
        False,
        gettext_noop("The charge port is already closed."),
    ),
}


class SkipReason(StrEnum):
    """Why a bulk command leaves a vehicle out. Stored with it."""

    ALREADY = "already"
    MOVING = "moving"
    UNPLUGGED = "unplugged"
    IMPOSSIBLE = "impossible"
    # Was left out by the review, and would be possible since.
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class PreconditionResult:
    """Why a command isn't possible (`refusal`), why the vehicle would reject it by what it last reported (`obstacle`),
    or why it may be pointless (`hint`). Each may be empty.

    `skip` is why a bulk command leaves the vehicle out; None if it would be sent.
    """

    refusal: str = ""
    hint: str = ""
    obstacle: str = ""
    skip: SkipReason | None = None

    @property
    def reason(self) -> str:
        """Why the command's button is disabled; "" if it isn't."""
        return self.refusal or self.obstacle

    def with_hint(self, text: str) -> "PreconditionResult":
        """Returns the result with one more hint, if there is one."""
        return replace(self, hint=" ".join(filter(None, (text, self.hint))))


def connection_warning(connection: Connection) -> str:
    """Returns a warning about the connection that concerns all commands; "" without one."""
    text = _CONNECTION_WARNINGS.get(ConnectionState(connection.state))
    return _(text) if text else ""


def is_supported(*, kind: CommandType, state: VehicleState, connection: Connection) -> bool:
    """Whether the command makes sense for this vehicle and connection."""
    if kind in V3_ONLY and connection.api_version == SmartcarApiVersion.V2:
        return False
    if kind in SCHEDULING and not make_quirks.schedule_types(state.vehicle.make):
        return False
    return kind not in CHARGING or _electric(state)


def check(
    *,
    kind: CommandType,
    state: VehicleState,
    connection: Connection,
    incapable: Collection[str] = (),
    params: Mapping[str, object] | None = None,
) -> PreconditionResult:
    """Checks whether a command to a vehicle is possible.

    `incapable` contains the commands that the vehicle recently reported as unsupported; `params` the command's
    parameters, if they are known already.
    """
    quirk = make_quirks.quirk_for(kind, state)
    refusal = (
        _refusal(kind, state, connection, incapable)
        or quirk.refusal
        or _unsupported(kind, state, params or {})
    )
    now = timezone.now()
    obstacle_skip, obstacle = _obstacle(kind, state, now)
    pointless_skip, hint = _pointless(kind, state, now)
    return PreconditionResult(
        refusal=refusal,
        hint=" ".join(filter(None, (hint, quirk.hint))),
        obstacle=obstacle,
        skip=SkipReason.IMPOSSIBLE if refusal else obstacle_skip or pointless_skip,
    )


def _refusal(
    kind: CommandType, state: VehicleState, connection: Connection, incapable: Collection[str]
) -> str:
    if kind in V3_ONLY and connection.api_version == SmartcarApiVersion.V2:
        return _(
            "This vehicle is connected through Smartcar's older API (v2), which doesn't support this command."
        )
    if not is_supported(kind=kind, state=state, connection=connection):
        if kind in SCHEDULING and _electric(state):
            return _("Vehicles of this make don't support charge schedules.")
        return _("This vehicle has no battery to charge.")
    permission = PERMISSION[kind]
    # An empty list of scopes means that they are unknown, not that nothing is allowed.
    if connection.scopes and permission not in connection.scopes:
        return _(_NOT_PERMITTED[permission])
    key = state.signal(catalogue.DIGITAL_KEY_PAIRED)
    if virtual_key.is_surely_missing(state.vehicle, key, now=timezone.now()):
        return _(
            "This Tesla doesn't have Smartcar's virtual key, so it rejects commands. Ask the driver "
            "to add it: the driver's page and the connection's page have the link."
        )
    if kind in incapable:
        return _(
            "Smartcar reported within the last week that this vehicle doesn't support this "
            "command. You can try again one week after that report."
        )
    return ""


def _unsupported(kind: CommandType, state: VehicleState, params: Mapping[str, object]) -> str:
    """Returns why the vehicle's make doesn't support these parameters."""
    if kind != CommandType.SET_CHARGE_SCHEDULE or params.get("type") in (
        None,
        *make_quirks.schedule_types(state.vehicle.make),
    ):
        return ""
    names = {"daily": _("daily"), "weekly": _("weekly"), "workweek": _("workweek")}
    supported = ", ".join(names[name] for name in sorted(make_quirks.schedule_types(state.vehicle.make)))
    return _("%(make)s supports only %(types)s charge schedules. Choose that type.") % {
        "make": make_name(state.vehicle.make),
        "types": supported,
    }


def _obstacle(kind: CommandType, state: VehicleState, now: datetime) -> tuple[SkipReason | None, str]:
    """Returns why the vehicle would reject the command, as a code and as a text."""
    plugged = state.current_value(catalogue.CABLE_CONNECTED, now=now)
    if kind == CommandType.START_CHARGE and plugged is False:
        return SkipReason.UNPLUGGED, _("The vehicle isn't plugged in.")
    if kind == CommandType.CLOSE_CHARGE_PORT and plugged is True:
        text = _("The vehicle is plugged in. The charge port closes after the cable is unplugged.")
        return SkipReason.IMPOSSIBLE, text
    if kind in _WHILE_PARKED and _is_moving(state, now):
        text = _("The vehicle is moving. Vehicles reject this command until they're parked.")
        return SkipReason.MOVING, text
    return None, ""


def _pointless(kind: CommandType, state: VehicleState, now: datetime) -> tuple[SkipReason | None, str]:
    """Returns why the command would change nothing, as a code and as a text."""
    if kind not in _CONTRADICTIONS:
        return None, ""
    signal, reached, text = _CONTRADICTIONS[kind]
    already = state.current_value(signal, now=now) is reached
    return (SkipReason.ALREADY, _(text)) if already else (None, "")


def _is_moving(state: VehicleState, now: datetime) -> bool:
    """Whether the vehicle is moving, by its speed. An old speed doesn't count: the vehicle has parked since."""
    return (state.current_value(catalogue.SPEED, now=now) or 0) > 0


def _electric(state: VehicleState) -> bool:
    """Whether the vehicle can be plugged in: by the powertrain if known (v3), else by the signals it reports."""
    if state.vehicle.powertrain:
        return state.vehicle.powertrain.upper() not in WITHOUT_PLUG
    return any(
        state.signal(signal)
        for signal in (catalogue.STATE_OF_CHARGE, catalogue.IS_CHARGING, catalogue.CABLE_CONNECTED)
    )

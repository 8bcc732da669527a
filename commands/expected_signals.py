"""Which signal confirms that a vehicle executed a command. No database access.

The response to a command doesn't include the vehicle's new state; a later signal does ("Commands").
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from commands.messages import CommandMessage
from commands.parameters import PLACE
from commands.types import CommandType
from core.message_codes import Message
from vehicles import catalogue
from vehicles.catalogue import Signal
from vehicles.charge_limits import limits_by_current

Body = Mapping[str, Any]
Parameters = Mapping[str, Any]
# Some vehicles report limits as fractions.
_ROUNDING = 0.5
# About 100 m: manufacturers round the locations of schedules.
_MAX_DISTANCE = 0.001


class ConfirmationMessages(NamedTuple):
    """The messages for an unknown outcome, and for a missing confirming signal."""

    pending: CommandMessage
    not_reported: CommandMessage


@dataclass(frozen=True, slots=True)
class ExpectedState:
    """The signal that confirms a command, and the messages about it.

    `evaluate` returns whether a signal's body shows that the command was executed: True, False, or None if it shows
    neither.
    """

    signal: Signal
    messages: ConfirmationMessages
    evaluate: Callable[[Body, Parameters], bool | None]

    def matches(self, body: Body, parameters: Parameters) -> bool:
        return self.evaluate(body, parameters) is True


def expected_state(kind: CommandType) -> ExpectedState | None:
    """Returns what confirms the command, or None if vehicles report nothing about it."""
    return _EXPECTED_STATES.get(kind)


def _equals(expected: bool) -> Callable[[Body, Parameters], bool | None]:
    def evaluate(body: Body, parameters: Parameters) -> bool | None:
        value = body.get("value")
        return value is expected if isinstance(value, bool) else None

    return evaluate


def _has_limit(body: Body, parameters: Parameters) -> bool | None:
    """Compares the active limit, global limits, and those for AC and DC charging.

    A limit for another location confirms nothing. One for another current contradicts nothing: the command sets one of
    them.
    """
    everywhere = [entry["limit"] for entry in body.get("values", ()) if entry.get("type") == "GLOBAL"]
    limits = [limit for limit in (body.get("activeLimit"), *everywhere) if limit is not None]
    by_current = limits_by_current(body).values()
    if any(abs(limit - parameters["percent"]) < _ROUNDING for limit in (*limits, *by_current)):
        return True
    return False if limits else None


def _has_schedule(body: Body, parameters: Parameters) -> bool | None:
    if not set(parameters) >= {"windows", *PLACE}:
        return None  # The location was erased in the meantime.
    expected_windows = {tuple(times) for times in parameters["windows"].values()}
    return any(
        str(timer.get("scheduleType", "")).lower() == parameters["type"]
        and _is_near(timer.get("condition"), parameters)
        and _windows(timer) == expected_windows
        for timer in schedules_in(body)
    )


def _schedule_deleted(body: Body, parameters: Parameters) -> bool | None:
    return all(timer.get("scheduleId") != parameters["schedule_id"] for timer in schedules_in(body))


def schedules_in(body: Body) -> list[Mapping[str, Any]]:
    """Returns the charge schedules for a location among a vehicle's charge timers, as reported."""
    return [entry for entry in body.get("values", ()) if entry.get("type") == "LOCATION"]


def _is_near(place: Any, parameters: Parameters) -> bool:
    return isinstance(place, Mapping) and all(
        isinstance(place.get(name), int | float) and abs(place[name] - parameters[name]) < _MAX_DISTANCE
        for name in PLACE
    )


def _windows(timer: Mapping[str, Any]) -> set[tuple[str, str]]:
    listed = timer.get("schedules")
    windows = [window for window in listed if isinstance(window, Mapping)] if isinstance(listed, list) else []
    return {(str(window.get("startTime"))[:5], str(window.get("endTime"))[:5]) for window in windows}


_LOCK = ConfirmationMessages(CommandMessage.PENDING_LOCK, CommandMessage.NOT_REPORTED_LOCK)
_CHARGING = ConfirmationMessages(CommandMessage.PENDING_CHARGING, CommandMessage.NOT_REPORTED_CHARGING)
_LIMIT = ConfirmationMessages(CommandMessage.PENDING_CHARGE_LIMIT, CommandMessage.NOT_REPORTED_CHARGE_LIMIT)
_PORT = ConfirmationMessages(CommandMessage.PENDING_CHARGE_PORT, CommandMessage.NOT_REPORTED_CHARGE_PORT)
_SCHEDULE = ConfirmationMessages(
    CommandMessage.PENDING_CHARGE_SCHEDULE, CommandMessage.NOT_REPORTED_CHARGE_SCHEDULE
)
_OTHER = ConfirmationMessages(CommandMessage.PENDING_OTHER, CommandMessage.NOT_REPORTED_OTHER)
_EXPECTED_STATES = {
    CommandType.LOCK: ExpectedState(catalogue.IS_LOCKED, _LOCK, _equals(True)),
    CommandType.UNLOCK: ExpectedState(catalogue.IS_LOCKED, _LOCK, _equals(False)),
    CommandType.START_CHARGE: ExpectedState(catalogue.IS_CHARGING, _CHARGING, _equals(True)),
    CommandType.STOP_CHARGE: ExpectedState(catalogue.IS_CHARGING, _CHARGING, _equals(False)),
    CommandType.SET_CHARGE_LIMIT: ExpectedState(catalogue.CHARGE_LIMITS, _LIMIT, _has_limit),
    CommandType.OPEN_CHARGE_PORT: ExpectedState(catalogue.CHARGE_PORT_OPEN, _PORT, _equals(True)),
    CommandType.CLOSE_CHARGE_PORT: ExpectedState(catalogue.CHARGE_PORT_OPEN, _PORT, _equals(False)),
    CommandType.SET_CHARGE_SCHEDULE: ExpectedState(catalogue.CHARGE_TIMERS, _SCHEDULE, _has_schedule),
    CommandType.DELETE_CHARGE_SCHEDULE: ExpectedState(catalogue.CHARGE_TIMERS, _SCHEDULE, _schedule_deleted),
}
CONFIRMING_SIGNALS = frozenset(expected.signal for expected in _EXPECTED_STATES.values())


def messages_for(kind: CommandType) -> ConfirmationMessages:
    """Returns the messages about a command without a clear response, or without its confirming signal."""
    expected = expected_state(kind)
    return expected.messages if expected else _OTHER


def pending_message(kind: CommandType) -> Message:
    """Returns what will settle a command without a clear response."""
    return messages_for(kind).pending.message()


def not_reported_message(kind: CommandType) -> Message:
    """Returns why no signal confirmed an accepted command, and what to do."""
    return messages_for(kind).not_reported.message()

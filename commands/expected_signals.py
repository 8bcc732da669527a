"""Which signal proves that a car did what it was asked for. No database.

A command's answer does not carry the car's new state; a later signal does ("Commands").
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

Body = Mapping[str, Any]
Parameters = Mapping[str, Any]
# Limits come as fractions from some cars.
_ROUNDING = 0.5
# Some 100 m: makes round the places of schedules.
_NEAR = 0.001


class ConfirmationMessages(NamedTuple):
    """What is recorded while the outcome is unknown, when no signal confirms the command, and when one contradicts."""

    pending: CommandMessage
    not_reported: CommandMessage
    contradicted: CommandMessage


@dataclass(frozen=True, slots=True)
class ExpectedState:
    """The signal to wait for, the messages about it, and what its body says of the command: it was done (true), it
    was not (false), or nothing (None)."""

    signal: Signal
    messages: ConfirmationMessages
    says: Callable[[Body, Parameters], bool | None]

    def shows(self, body: Body, parameters: Parameters) -> bool:
        return self.says(body, parameters) is True


def expected_state(kind: CommandType) -> ExpectedState | None:
    """What proves the command, or None if cars report nothing of it."""
    return _EXPECTED_STATES.get(kind)


def _is(expected: bool) -> Callable[[Body, Parameters], bool | None]:
    def says(body: Body, parameters: Parameters) -> bool | None:
        value = body.get("value")
        return value is expected if isinstance(value, bool) else None

    return says


def _limited(body: Body, parameters: Parameters) -> bool | None:
    """The limit in force, or one that holds everywhere: one of a place elsewhere proves nothing."""
    everywhere = [entry["limit"] for entry in body.get("values", ()) if entry.get("type") == "GLOBAL"]
    limits = [limit for limit in (body.get("activeLimit"), *everywhere) if limit is not None]
    return any(abs(limit - parameters["percent"]) < _ROUNDING for limit in limits) if limits else None


def _scheduled(body: Body, parameters: Parameters) -> bool | None:
    if not set(parameters) >= {"windows", *PLACE}:
        return None  # Its place was erased meanwhile.
    wanted = {tuple(times) for times in parameters["windows"].values()}
    return any(
        str(timer.get("scheduleType", "")).lower() == parameters["type"]
        and _near(timer.get("condition"), parameters)
        and _windows(timer) == wanted
        for timer in schedules_in(body)
    )


def _unscheduled(body: Body, parameters: Parameters) -> bool | None:
    return all(timer.get("scheduleId") != parameters["schedule_id"] for timer in schedules_in(body))


def schedules_in(body: Body) -> list[Mapping[str, Any]]:
    """The charge schedules of a place among a car's charge timers, as the car tells them."""
    return [entry for entry in body.get("values", ()) if entry.get("type") == "LOCATION"]


def _near(place: Any, parameters: Parameters) -> bool:
    return isinstance(place, Mapping) and all(
        isinstance(place.get(name), int | float) and abs(place[name] - parameters[name]) < _NEAR
        for name in PLACE
    )


def _windows(timer: Mapping[str, Any]) -> set[tuple[str, str]]:
    listed = timer.get("schedules")
    windows = [window for window in listed if isinstance(window, Mapping)] if isinstance(listed, list) else []
    return {(str(window.get("startTime"))[:5], str(window.get("endTime"))[:5]) for window in windows}


_LOCK = ConfirmationMessages(
    CommandMessage.PENDING_LOCK, CommandMessage.NOT_REPORTED_LOCK, CommandMessage.CONTRADICTED_LOCK
)
_CHARGING = ConfirmationMessages(
    CommandMessage.PENDING_CHARGING,
    CommandMessage.NOT_REPORTED_CHARGING,
    CommandMessage.CONTRADICTED_CHARGING,
)
_LIMIT = ConfirmationMessages(
    CommandMessage.PENDING_CHARGE_LIMIT,
    CommandMessage.NOT_REPORTED_CHARGE_LIMIT,
    CommandMessage.CONTRADICTED_CHARGE_LIMIT,
)
_PORT = ConfirmationMessages(
    CommandMessage.PENDING_CHARGE_PORT,
    CommandMessage.NOT_REPORTED_CHARGE_PORT,
    CommandMessage.CONTRADICTED_CHARGE_PORT,
)
_SCHEDULE = ConfirmationMessages(
    CommandMessage.PENDING_CHARGE_SCHEDULE,
    CommandMessage.NOT_REPORTED_CHARGE_SCHEDULE,
    CommandMessage.CONTRADICTED_CHARGE_SCHEDULE,
)
_OTHER = ConfirmationMessages(
    CommandMessage.PENDING_OTHER, CommandMessage.NOT_REPORTED_OTHER, CommandMessage.CONTRADICTED_OTHER
)
_EXPECTED_STATES = {
    CommandType.LOCK: ExpectedState(catalogue.IS_LOCKED, _LOCK, _is(True)),
    CommandType.UNLOCK: ExpectedState(catalogue.IS_LOCKED, _LOCK, _is(False)),
    CommandType.START_CHARGE: ExpectedState(catalogue.IS_CHARGING, _CHARGING, _is(True)),
    CommandType.STOP_CHARGE: ExpectedState(catalogue.IS_CHARGING, _CHARGING, _is(False)),
    CommandType.SET_CHARGE_LIMIT: ExpectedState(catalogue.CHARGE_LIMITS, _LIMIT, _limited),
    CommandType.OPEN_CHARGE_PORT: ExpectedState(catalogue.CHARGE_PORT_OPEN, _PORT, _is(True)),
    CommandType.CLOSE_CHARGE_PORT: ExpectedState(catalogue.CHARGE_PORT_OPEN, _PORT, _is(False)),
    CommandType.SET_CHARGE_SCHEDULE: ExpectedState(catalogue.CHARGE_TIMERS, _SCHEDULE, _scheduled),
    CommandType.DELETE_CHARGE_SCHEDULE: ExpectedState(catalogue.CHARGE_TIMERS, _SCHEDULE, _unscheduled),
}
CONFIRMING_SIGNALS = frozenset(proof.signal for proof in _EXPECTED_STATES.values())


def messages_for(kind: CommandType) -> ConfirmationMessages:
    """What is recorded of a command without a clear answer, or without its confirming signal."""
    expected = expected_state(kind)
    return expected.messages if expected else _OTHER


def pending_message(kind: CommandType) -> Message:
    """What will settle a command without a clear answer."""
    return messages_for(kind).pending.message()


def not_reported_message(kind: CommandType) -> Message:
    """Why no signal confirmed an accepted command, and what to do."""
    return messages_for(kind).not_reported.message()


def contradicted_message(kind: CommandType) -> Message:
    """Why a command without a clear answer has failed: a later signal shows another state."""
    return messages_for(kind).contradicted.message()

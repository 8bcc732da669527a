"""Which signal proves that a car did what it was asked for. No database.

A command's answer does not carry the car's new state; a later signal does ("Commands").
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.utils.translation import gettext_noop

from commands.parameters import PLACE
from commands.types import CommandType
from vehicles import catalogue
from vehicles.catalogue import Signal

Body = Mapping[str, Any]
Parameters = Mapping[str, Any]
# Limits come as fractions from some cars.
_ROUNDING = 0.5
# Some 100 m: makes round the places of schedules.
_NEAR = 0.001


class ConfirmationMessages(NamedTuple):
    """What is kept in the ledger of a command without a clear answer, or without its proof: in English, marked."""

    will_tell: str
    not_reported: str
    reported_otherwise: str


@dataclass(frozen=True, slots=True)
class ExpectedState:
    """The signal to wait for, what is said of it, and what its body says of the command: it was done (true), it was
    not (false), or nothing (None)."""

    signal: Signal
    words: ConfirmationMessages
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
    gettext_noop("The car's next lock signal will tell."),
    gettext_noop(
        "The car accepted it, but has not reported its lock since. Look at the car, or read it again."
    ),
    gettext_noop(
        "The car reports another lock since, so it was not carried out. Ask again if it is still wanted."
    ),
)
_CHARGING = ConfirmationMessages(
    gettext_noop("The car's next charging signal will tell."),
    gettext_noop(
        "The car accepted it, but has not reported its charging since. Look at the car, or read it again."
    ),
    gettext_noop(
        "The car reports another charging since, so it was not carried out. Ask again if it is still wanted."
    ),
)
_LIMIT = ConfirmationMessages(
    gettext_noop("The car's next charge limit signal will tell."),
    gettext_noop(
        "The car accepted it, but has not reported its charge limit since. Look at the car, or read it again."
    ),
    gettext_noop(
        "The car reports another charge limit since, so it was not carried out. Ask again if it is still wanted."
    ),
)
_PORT = ConfirmationMessages(
    gettext_noop("The car's next charge port signal will tell."),
    gettext_noop(
        "The car accepted it, but has not reported its charge port since. Look at the car, or read it again."
    ),
    gettext_noop(
        "The car reports another charge port since, so it was not carried out. Ask again if it is still wanted."
    ),
)
_SCHEDULE = ConfirmationMessages(
    gettext_noop("The car's next charge schedule signal will tell."),
    gettext_noop(
        "The car accepted it, but has not reported its charge schedule since. Look at the car, or read it again."
    ),
    gettext_noop(
        "The car reports another charge schedule since, so it was not carried out. Ask again if it is still wanted."
    ),
)
_NOTHING = ConfirmationMessages(
    gettext_noop("No signal of the car will tell: look at its screen, or ask its driver."),
    gettext_noop(
        "The car took it. Cars do not report this, so nothing will confirm it: its screen shows it."
    ),
    gettext_noop(
        "The car reports another state since, so it was not carried out. Ask again if it is still wanted."
    ),
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
    """What is said of a command without a clear answer, or without its proof."""
    proof = expected_state(kind)
    return proof.words if proof else _NOTHING


def pending_message(kind: CommandType) -> str:
    """What settles a command of which no clear answer came, as a sentence."""
    return messages_for(kind).will_tell


def not_reported_message(kind: CommandType) -> str:
    """Why an accepted command stays without its proof, and what to do."""
    return messages_for(kind).not_reported


def contradicted_message(kind: CommandType) -> str:
    """Why a command without a clear answer has failed: the car's own word, of a later time."""
    return messages_for(kind).reported_otherwise

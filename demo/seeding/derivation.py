"""Derives past commands and alerts from readings, so that they agree with what the vehicles did. Pure functions."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from alerts.battery import HYSTERESIS
from commands.messages import CommandMessage
from commands.models import CommandState
from commands.types import CHARGING, CommandType
from core.message_codes import Message
from smartcar_api.error_messages import ErrorMessage

# A command comes this long before the reading that confirms it.
_LEAD = timedelta(seconds=18)
_SAMPLES_PER_VEHICLE = 4


@dataclass(frozen=True, slots=True)
class LowPeriod:
    """A time in which a vehicle's battery or tank was low. `end` is None if it still is."""

    start: datetime
    end: datetime | None
    level: float


@dataclass(frozen=True, slots=True)
class PastCommand:
    """A command in the past, with the states that it went through and their times."""

    vehicle_id: int
    kind: CommandType
    changes: Sequence[tuple[CommandState, datetime]]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    message: Message = field(default_factory=Message)
    error: tuple[str, str] = ("", "")

    @property
    def requested_at(self) -> datetime:
        return self.changes[0][1]

    @property
    def state(self) -> CommandState:
        return self.changes[-1][0]


def low_periods(levels: Iterable[tuple[datetime, float]], *, threshold: float) -> Iterator[LowPeriod]:
    """Yields when the level was low, by the same rule as alerts: below the threshold, until well above it."""
    begun: tuple[datetime, float] | None = None
    for at, level in levels:
        if begun is None and level < threshold:
            begun = at, level
        elif begun is not None and level >= threshold + HYSTERESIS:
            yield LowPeriod(begun[0], at, begun[1])
            begun = None
    if begun is not None:
        yield LowPeriod(begun[0], None, begun[1])


def changes(values: Iterable[tuple[datetime, Any]]) -> Iterator[tuple[datetime, Any]]:
    """Yields the values that differ from the one before. The first is none, since nothing is before it."""
    before: Any = None
    for at, value in values:
        if before is not None and value != before:
            yield at, value
        before = value


def confirmed_commands(
    rng: Random,
    *,
    vehicle_id: int,
    locks: Sequence[tuple[datetime, bool]],
    charging: Sequence[tuple[datetime, bool]],
    limit: float | None,
) -> Iterator[PastCommand]:
    """Yields commands to a vehicle that its readings confirm, from changes of its lock and its charging.

    `limit` is its charge limit in percent, None for a vehicle without one.
    """
    occasions = [(at, CommandType.LOCK if value else CommandType.UNLOCK) for at, value in locks]
    occasions += [(at, CommandType.START_CHARGE) for at, value in charging if value]
    for at, kind in sorted(rng.sample(occasions, min(len(occasions), _SAMPLES_PER_VEHICLE))):
        yield _through(vehicle_id, kind, at - _LEAD, *_STEPS_TO_CONFIRMED)
    if limit is not None and charging and rng.random() < 0.5:
        at = rng.choice(charging)[0] - timedelta(minutes=rng.randint(2, 40))
        percent = {"percent": round(limit)}
        yield _through(vehicle_id, CommandType.SET_CHARGE_LIMIT, at, *_STEPS_TO_CONFIRMED, parameters=percent)


_STEPS_TO_CONFIRMED = (
    (CommandState.REQUESTED, 0.0),
    (CommandState.SENDING, 0.4),
    (CommandState.ACCEPTED, 3.1),
    (CommandState.CONFIRMED, 18.0),
)
_SENT = _STEPS_TO_CONFIRMED[:2]


def other_commands(
    rng: Random,
    *,
    vehicle_ids: Sequence[int],
    electric_ids: Sequence[int],
    start: datetime,
    now: datetime,
    person: str,
) -> Iterator[PastCommand]:
    """Yields commands to these vehicles that ended otherwise: rejected, expired, canceled, unconfirmed, unknown.

    Each had no effect, so readings need not agree with it. Commands to charge are to `electric_ids`. `person` canceled
    the canceled ones.
    """
    endings: tuple[
        tuple[CommandType, Sequence[tuple[CommandState, float]], Message, tuple[str, str]], ...
    ] = (
        (
            CommandType.LOCK,
            (*_SENT, (CommandState.REFUSED, 4.0)),
            ErrorMessage.VEHICLE_STATE_ASLEEP.message(),
            ("VEHICLE_STATE", "ASLEEP"),
        ),
        (
            CommandType.START_CHARGE,
            (*_SENT, (CommandState.REFUSED, 3.0)),
            ErrorMessage.VEHICLE_STATE_CHARGING_PLUG_NOT_CONNECTED.message(),
            ("VEHICLE_STATE", "CHARGING_PLUG_NOT_CONNECTED"),
        ),
        (
            CommandType.UNLOCK,
            ((CommandState.REQUESTED, 0.0), (CommandState.EXPIRED, 60.0)),
            CommandMessage.TOO_LATE.message(),
            ("", ""),
        ),
        (
            CommandType.LOCK,
            ((CommandState.WAITING, 0.0), (CommandState.CANCELLED, 340.0)),
            CommandMessage.CANCELED.message(person=person),
            ("", ""),
        ),
        (
            CommandType.LOCK,
            (*_SENT, (CommandState.ACCEPTED, 3.0), (CommandState.UNCONFIRMED, 900.0)),
            CommandMessage.NOT_REPORTED_LOCK.message(),
            ("", ""),
        ),
        (
            CommandType.LOCK,
            (*_SENT, (CommandState.FAILED, 6.0)),
            CommandMessage.NOT_CARRIED_OUT.message(),
            ("", ""),
        ),
    )
    seconds = (now - start).total_seconds()
    for kind, steps, message, error in endings:
        for _ in range(2):
            at = start + timedelta(seconds=rng.uniform(0.1, 0.98) * seconds)
            possible = electric_ids if kind in CHARGING else vehicle_ids
            if possible:
                yield _through(rng.choice(possible), kind, at, *steps, message=message, error=error)


def _through(
    vehicle_id: int,
    kind: CommandType,
    at: datetime,
    *steps: tuple[CommandState, float],
    parameters: Mapping[str, Any] | None = None,
    message: Message | None = None,
    error: tuple[str, str] = ("", ""),
) -> PastCommand:
    """Returns a command with these states, each so many seconds after `at`."""
    times = [(state, at + timedelta(seconds=seconds)) for state, seconds in steps]
    return PastCommand(vehicle_id, kind, times, parameters or {}, message or Message(), error)

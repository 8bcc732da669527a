"""Judges counters and locations by the vehicle's earlier values. Pure functions: no database, no clock.

An odometer doesn't fall or jump, and a vehicle isn't suddenly on another continent. A value that contradicts the latest
one is held back in `LatestSignalRow.memory` and rejected with a reason, until AGREEING values of different times in a
row agree with each other: then the vehicle has a new instrument, or has been transported, and all of them count. A
value that fits the latest one again drops what was held back.

Values that arrive late are judged by their neighbors in history. They never count as agreeing with others, so a change
of the instrument is found only by values that are newer than the latest one, in whatever order these arrive.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any, NamedTuple

from core.message_codes import NO_MESSAGE, Message
from vehicles import catalogue
from vehicles.correction_notes import CorrectionNote, Count
from vehicles.latest_state import LatestSignalRow
from vehicles.places.geometry import squared_chord, to_kilometers, to_vector

AGREEING = 3
REPLACES = "replaces"
"""In the body of a counter's first reading from a new instrument: the last count of the one before."""

_HELD = "held"  # the key in the memory: values that are held back, oldest first
_MOST_HELD = 5
Body = Mapping[str, Any]


class Value(NamedTuple):
    """A normalized body and its time."""

    at: datetime
    body: Body


class _Counter(NamedTuple):
    """How far a count may fall through rounding, and rise at once and per hour; and how it is worded."""

    slack: float
    at_once: float
    per_hour: float
    words: Count


_COUNTERS = {
    catalogue.ODOMETER.code: _Counter(5, 200, 150, Count.KILOMETERS),
    catalogue.MAX_RANGE_CHARGE_COUNT.code: _Counter(0, 5, 1, Count.TIMES_CHARGED),
}
# A count that is exactly this multiple of the last one was sent in another unit: miles, or more or fewer digits.
_FACTORS = (1.609344, 10, 100, 1_000)
_FACTOR_TOLERANCE = 0.002
# By road, rail or ferry; manufacturers also report a location some time before or after its time.
_KM_AT_ONCE, _KM_PER_HOUR = 50, 300


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a value counts.

    If it doesn't, `reason` says why. `confirmed` are the values before it that were held back and count now, and `note`
    says so.
    """

    reason: Message = NO_MESSAGE
    confirmed: Sequence[Value] = ()
    note: str = ""


def is_judged(code: str) -> bool:
    """Returns whether values of this signal are judged by earlier ones."""
    return code in _CONTRADICTIONS


def is_counter(code: str) -> bool:
    """Returns whether the signal counts up, and starts again with a new instrument."""
    return code in _COUNTERS


def judge(state: LatestSignalRow, value: Value) -> Verdict:
    """Returns whether a value that isn't older than the latest one counts, and updates what is held back."""
    if state.body is None or state.observed_at is None or state.body.get("value") == 0:
        return Verdict()  # A count of 0 was no count.
    reason = _CONTRADICTIONS[state.code](state.code, Value(state.observed_at, state.body), value)
    if not reason:
        _hold(state, [])
        return Verdict()
    held = _agreeing(state.code, _held(state), value)
    if len(held) < AGREEING:
        _hold(state, held)
        return Verdict(reason)
    _hold(state, [])
    return _confirmed(state, [each for each in held if each != value])


def contradiction(code: str, value: Value, *, before: Value | None, after: Value | None) -> Message:
    """Returns why a value that arrived late contradicts its neighbors in history; NO_MESSAGE if it doesn't."""
    steps = pairwise([each for each in (before, value, after) if each is not None])
    reasons = (_CONTRADICTIONS[code](code, one, other) for one, other in steps)
    return next(filter(None, reasons), NO_MESSAGE)


def _agreeing(code: str, held: Sequence[Value], value: Value) -> list[Value]:
    """Returns the values that agree with each other, including this one, oldest first.

    A repetition of a value that is held back isn't another one. If they contradict each other, the newest one remains.
    """
    if value in held:
        return list(held)
    values = sorted([*held, value], key=lambda each: each.at)[-_MOST_HELD:]
    contradicts = _CONTRADICTIONS[code]
    for position, (one, other) in reversed(list(enumerate(pairwise(values), start=1))):
        if contradicts(code, one, other):
            return values[position:]
    return values


def _confirmed(state: LatestSignalRow, before: Sequence[Value]) -> Verdict:
    if state.code not in _COUNTERS:
        return Verdict(confirmed=before, note=CorrectionNote.LOCATION_CONFIRMED.note())
    assert state.body is not None
    last = state.body["value"]
    first = before[0]
    confirmed = [first._replace(body={**first.body, REPLACES: last}), *before[1:]]
    return Verdict(
        confirmed=confirmed, note=CorrectionNote.NEW_INSTRUMENT.note(before=_words(state.code, last))
    )


def _held(state: LatestSignalRow) -> list[Value]:
    return [Value(datetime.fromisoformat(at), body) for at, body in state.memory.get(_HELD, ())]


def _hold(state: LatestSignalRow, values: Sequence[Value]) -> None:
    kept = [[each.at.isoformat(), dict(each.body)] for each in values]
    if kept == state.memory.get(_HELD, []):
        return
    state.memory = {key: value for key, value in state.memory.items() if key != _HELD}
    if kept:
        state.memory[_HELD] = kept
    state.touched = state.changed = True


def _contradicts_count(code: str, one: Value, other: Value) -> Message:
    """Returns why a later count contradicts an earlier one; NO_MESSAGE if it doesn't."""
    counter = _COUNTERS[code]
    before, count = one.body["value"], other.body["value"]
    words = {"value": _words(code, count), "before": _words(code, before)}
    if count < before - counter.slack:
        return CorrectionNote.COUNTER_FELL.message(**words)
    most = counter.at_once + counter.per_hour * _hours(one, other)
    if count - before > most or _is_multiple(count, before, counter):
        return CorrectionNote.COUNTER_JUMPED.message(**words)
    return NO_MESSAGE


def _is_multiple(count: float, before: float, counter: _Counter) -> bool:
    if not before or count - before <= counter.at_once:
        return False
    return any(abs(count / before / factor - 1) < _FACTOR_TOLERANCE for factor in _FACTORS)


def _words(code: str, count: float) -> Message:
    return _COUNTERS[code].words.message(count=round(count))


def _contradicts_location(code: str, one: Value, other: Value) -> Message:
    """Returns why a vehicle can't be at a later location; NO_MESSAGE if it can."""
    latitude, longitude = other.body["latitude"], other.body["longitude"]
    reach = _KM_AT_ONCE + _KM_PER_HOUR * _hours(one, other)
    if _distance(one.body, latitude, longitude) <= reach:
        return NO_MESSAGE
    if abs(longitude) <= 90 and _distance(one.body, longitude, latitude) <= reach:
        return CorrectionNote.COORDINATES_SWAPPED.message()
    return CorrectionNote.LOCATION_JUMPED.message()


def _distance(body: Body, latitude: float, longitude: float) -> float:
    there = to_vector(latitude, longitude)
    return to_kilometers(squared_chord(to_vector(body["latitude"], body["longitude"]), there))


def _hours(one: Value, other: Value) -> float:
    return max(0.0, (other.at - one.at).total_seconds() / 3600)


_CONTRADICTIONS: Mapping[str, Callable[[str, Value, Value], Message]] = {
    **dict.fromkeys(_COUNTERS, _contradicts_count),
    catalogue.PRECISE_LOCATION.code: _contradicts_location,
}

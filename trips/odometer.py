"""Judges the values of an odometer by each other, and makes one line of them that never falls.

Vehicles and clouds round down, send miles as kilometers, repeat old values, and get new instruments. A value that
can't follow the one before is held back. Three in a row that agree with each other are a new instrument: from then on
the line continues where it was, and a `Reset` says what was between. Fewer are errors and don't count.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import groupby, pairwise
from typing import Final, NamedTuple


class Sample(NamedTuple):
    """A value of the odometer and its time."""

    time: float
    km: float


class NoteCode(StrEnum):
    """What was wrong with a value."""

    CONTRADICTED = "contradicted"
    BACKWARDS = "backwards"
    JUMPED = "jumped"
    MILES = "miles"
    NEW_INSTRUMENT = "new_instrument"


class Note(NamedTuple):
    """A value that doesn't count, or counts differently."""

    time: float
    km: float
    code: NoteCode


class Reset(NamedTuple):
    """A new instrument: from this time on it shows `offset` less than the line."""

    time: float
    offset: float


@dataclass(slots=True)
class Odometer:
    """The line, and what had to be done for it."""

    line: list[Sample] = field(default_factory=list)
    resets: list[Reset] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)


AGREEING: Final = 3
_ROUNDING_KM: Final = 1.0
_KM_AT_ONCE, _KM_PER_HOUR = 30.0, 170.0
_MILE: Final = 1.609344


def clean_odometer(samples: Sequence[Sample]) -> Odometer:
    """Returns the line of these samples, which are in order of time."""
    result = Odometer()
    held: list[Sample] = []
    offset = 0.0
    for sample in _one_per_time(samples, result.notes):
        km = sample.km + offset
        last = result.line[-1] if result.line else Sample(sample.time, km)
        fitting = _fitting(last, Sample(sample.time, km))
        if fitting is not None:
            _reject(held, last, result.notes)
            held = []
            if fitting != km and abs(fitting - km) > _ROUNDING_KM:
                result.notes.append(Note(sample.time, sample.km, NoteCode.MILES))
            result.line.append(Sample(sample.time, fitting))
            continue
        held = [*held, sample] if not held or _follows(held[-1], sample) else [sample]
        if len(held) >= AGREEING:
            offset = last.km - held[0].km
            result.resets.append(Reset(held[0].time, offset))
            result.notes.append(Note(held[0].time, held[0].km, NoteCode.NEW_INSTRUMENT))
            result.line += [Sample(one.time, one.km + offset) for one in held]
            held = []
    if result.line:
        _reject(held, result.line[-1], result.notes)
    return result


def _fitting(last: Sample, sample: Sample) -> float | None:
    """Returns the km with which the sample continues the line; None if it can't."""
    if last.km - _ROUNDING_KM <= sample.km <= last.km:
        return last.km
    if _follows(last, sample):
        return sample.km
    for factor in (_MILE, 1 / _MILE):
        converted = Sample(sample.time, sample.km * factor)
        near = _follows(last, converted) and converted.km - last.km < _KM_AT_ONCE
        if near or abs(converted.km - last.km) <= _ROUNDING_KM:
            return max(last.km, converted.km)
    return None


def _follows(before: Sample, after: Sample) -> bool:
    hours = (after.time - before.time) / 3600
    return 0 <= after.km - before.km <= _KM_AT_ONCE + _KM_PER_HOUR * hours


def _reject(held: Sequence[Sample], last: Sample, notes: list[Note]) -> None:
    for sample in held:
        code = NoteCode.BACKWARDS if sample.km < last.km else NoteCode.JUMPED
        notes.append(Note(sample.time, sample.km, code))


def _one_per_time(samples: Sequence[Sample], notes: list[Note]) -> Iterator[Sample]:
    """Yields one sample per time. Of those that contradict each other, the smallest that doesn't fall behind counts."""
    last = float("-inf")
    for time, group in groupby(samples, key=lambda sample: sample.time):
        values = sorted({sample.km for sample in group})
        chosen = next((km for km in values if km >= last), values[-1])
        notes += [Note(time, km, NoteCode.CONTRADICTED) for km in values if km != chosen]
        last = chosen
        yield Sample(time, chosen)


def unstick(samples: Sequence[Sample]) -> list[Sample]:
    """Returns the line without the last samples of a time at a standstill that ends with a jump faster than any drive.

    Such an odometer was stuck: the vehicle moved before it showed so.
    """
    result: list[Sample] = list(samples[:1])
    for before, after in pairwise(samples):
        while (
            len(result) >= 2
            and result[-1].km == result[-2].km
            and result[-1] == before
            and (after.km - before.km) > _KM_PER_HOUR * (after.time - result[-1].time) / 3600
        ):
            result.pop()
            before = result[-1]
        result.append(after)
    return result

"""Finds trips in readings. A pure function: no input or output, and the same readings give the same trips."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from trips.bounds import Bound, step_bounds
from trips.cleaning import clean
from trips.decoding import Pattern, Step, decode
from trips.movement import line
from trips.readings import Reading
from trips.silence import UNKNOWN, SleepHabit


@dataclass(frozen=True, slots=True)
class Trip:
    start: Bound
    end: Bound
    odometer_start_km: float
    odometer_end_km: float

    @property
    def distance_km(self) -> float:
        return self.odometer_end_km - self.odometer_start_km


def detect(readings: Iterable[Reading], *, habit: SleepHabit = UNKNOWN) -> list[Trip]:
    """Returns the trips."""
    signals = clean(readings)
    start, gaps = line(signals, habit)
    steps = decode(gaps)
    return list(_trips(steps, start))


def _trips(steps: Sequence[Step], km: float) -> Iterator[Trip]:
    begun: tuple[Bound, float] | None = None
    for index, step in enumerate(steps):
        after = km + step.interval.km
        if begun is None and step.pattern in (Pattern.DRIVING, Pattern.ARRIVING, Pattern.STOPPING):
            begun = (Bound.at(step.interval.start), km)
        if step.pattern is Pattern.ARRIVING and begun:
            yield Trip(begun[0], step_bounds(step)[0], begun[1], after)
            begun = None
        elif step.pattern is Pattern.DEPARTING:
            begun = (step_bounds(step)[0], km)
        elif step.pattern is Pattern.WHOLE_TRIP:
            first, last = step_bounds(step)
            yield Trip(first, last, km, after)
        elif step.pattern is Pattern.STOPPING and begun:
            first, last = step_bounds(step)
            driven = (first.estimate - step.interval.start) + (step.interval.end - last.estimate)
            share = (first.estimate - step.interval.start) / driven if driven > 0 else 0.5
            middle = km + share * step.interval.km
            yield Trip(begun[0], first, begun[1], middle)
            begun = (last, middle)
        km = after
    if begun is not None:
        yield Trip(begun[0], Bound.at(steps[-1].interval.end), begun[1], km)

"""When a trip began and ended: the estimate, and the earliest and latest time that nine in ten lie between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from trips.decoding import Pattern, Step
from trips.likelihood import (
    KINDS,
    STATIONARY_KM,
    Interval,
    Weighted,
    arriving,
    departing,
    driven_ways,
    stopping,
    whole_trip,
)

_TAIL: Final = 0.025
_WAYS: Final = {
    Pattern.ARRIVING: arriving,
    Pattern.DEPARTING: departing,
    Pattern.STOPPING: stopping,
    Pattern.WHOLE_TRIP: whole_trip,
}
_MEASURED: Final = 20.0  # seconds
COARSEST_KM: Final = 0.4  # the precision of an odometer that shows whole kilometers


@dataclass(frozen=True, slots=True)
class Bound:
    """A time in epoch seconds: the best estimate, and the interval that it lies in with 90 % probability."""

    estimate: float
    earliest: float
    latest: float

    @classmethod
    def at(cls, time: float) -> Bound:
        """A bound that is known to the precision of measuring."""
        return cls(time, time - _MEASURED, time + _MEASURED)

    def not_before(self, other: Bound) -> Bound:
        """Returns this bound, moved so that it isn't before another one."""
        if self.estimate >= other.estimate and self.latest >= other.estimate:
            return self
        estimate = max(self.estimate, other.estimate)
        return Bound(estimate, min(self.earliest, estimate), max(self.latest, estimate))


def step_bounds(step: Step) -> list[Bound]:
    """Returns the times at which the state changed in the interval: one, or two for a stop and a whole trip."""
    interval = step.interval
    if (
        step.pattern in (Pattern.ARRIVING, Pattern.STOPPING, Pattern.DEPARTING)
        and interval.km <= STATIONARY_KM
    ):
        start, end = _around_stationary(interval)
        return {Pattern.ARRIVING: [start], Pattern.DEPARTING: [end]}.get(step.pattern, [start, end])
    ways: list[Weighted] = []
    for kind in KINDS:
        trust = 1.0 if step.kind in (kind, -1) else 0.25
        possible = _WAYS[step.pattern](interval, kind, driven_ways(interval, kind))
        ways += [way._replace(weight=way.weight * trust) for way in possible]
    starts = _quantiles([(way.start, way.weight) for way in ways], interval.start)
    ends = _quantiles([(way.end, way.weight) for way in ways], interval.start)
    if step.pattern is Pattern.ARRIVING:
        return [ends]
    return [starts] if step.pattern is Pattern.DEPARTING else [starts, ends]


def _around_stationary(interval: Interval) -> tuple[Bound, Bound]:
    """Returns when a stationary vehicle stopped and left: at the readings, or while a coarse odometer stood still."""
    if interval.noise == 0:
        return Bound.at(interval.start), Bound.at(interval.end)
    unseen = min(150 * interval.noise / COARSEST_KM, (interval.end - interval.start) / 2)
    stopped, left = interval.start + 0.35 * unseen, interval.end - 0.35 * unseen
    return (
        Bound(stopped, interval.start - _MEASURED, interval.start + unseen + _MEASURED),
        Bound(left, interval.end - unseen - _MEASURED, interval.end + _MEASURED),
    )


def _quantiles(values: Sequence[tuple[float, float]], origin: float) -> Bound:
    ordered = sorted(values)
    total = sum(weight for _, weight in ordered)
    earliest, middle, latest = (_quantile(ordered, total, share) for share in (_TAIL, 0.5, 1 - _TAIL))
    return Bound(origin + 60 * middle, origin + 60 * earliest - _MEASURED, origin + 60 * latest + _MEASURED)


def _quantile(ordered: Sequence[tuple[float, float]], total: float, share: float) -> float:
    reached, before = 0.0, ordered[0][0]
    for value, weight in ordered:
        if weight > 0 and reached + weight >= share * total:
            return before + (value - before) * min(1.0, (share * total - reached) / weight)
        reached += weight
        before = value
    return ordered[-1][0]

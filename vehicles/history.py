"""The history of one signal of one car, as fine or as coarse as it is asked for."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Literal
from zoneinfo import ZoneInfo

from vehicles.catalogue import Shape, Signal
from vehicles.models import Reading, Vehicle

Resolution = Literal["raw", "hour", "day"] | int


class NotANumberError(ValueError):
    """Only numbers can be summed up or thinned out; the history of other signals is read as it is ("raw")."""


@dataclass(frozen=True, slots=True)
class Point:
    """A reading, or what the readings of an hour or a day come to. Numbers are in storage units (vehicles.catalogue).

    Of a reading, `value` is the signal's value (its whole body where it has several), without minimum and maximum.
    Of an hour or a day, `at` is its start, `value` the mean, each value weighted by how long it held.
    `count` is the number of readings.
    """

    at: datetime
    value: Any
    minimum: float | None
    maximum: float | None
    count: int


def series(
    *, vehicle: Vehicle, signal: Signal, start: datetime, end: datetime, resolution: Resolution
) -> list[Point]:
    """The signal's history from `start` up to but without `end`, oldest first.

    `resolution` is "raw" (every reading), "hour", "day" (in the fleet's time zone), or a number: at most that many
    points, of which the lowest and highest of each stretch of time are kept, so that peaks stay. Hours and days in
    which nothing was read are absent. Raises NotANumberError where another resolution than "raw" is asked of
    a signal that is no number, and ValueError of a number of points below 2.
    """
    if isinstance(resolution, int) and resolution < 2:
        raise ValueError("At least 2 points.")
    readings = _readings(vehicle=vehicle, signal=signal, start=start, end=end)
    if resolution == "raw":
        return readings
    if signal.shape is not Shape.NUMBER:
        raise NotANumberError(f"{signal.label} is not a number.")
    if resolution == "hour":
        return _summed_up(readings, lambda at: at.replace(minute=0, second=0, microsecond=0))
    if resolution == "day":
        zone = ZoneInfo(vehicle.fleet.time_zone)
        return _summed_up(
            readings, lambda at: at.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
        )
    return _thinned(readings, start=start, end=end, points=resolution)


def _readings(*, vehicle: Vehicle, signal: Signal, start: datetime, end: datetime) -> list[Point]:
    rows = Reading.objects.filter(
        vehicle=vehicle, code=signal.code, observed_at__gte=start, observed_at__lt=end
    ).order_by("observed_at")
    return [Point(row.observed_at, row.body.get("value", row.body), None, None, 1) for row in rows]


def _summed_up(readings: Iterable[Point], start_of: Callable[[datetime], datetime]) -> list[Point]:
    points = []
    for at, group in groupby(readings, key=lambda point: start_of(point.at)):
        values = [point.value for point in group]
        points.append(Point(at, sum(values) / len(values), min(values), max(values), len(values)))
    return points


def _thinned(readings: list[Point], *, start: datetime, end: datetime, points: int) -> list[Point]:
    if len(readings) <= points:
        return readings
    stretch = max((end - start) / (points // 2), timedelta(microseconds=1))
    kept = []
    for _, group in groupby(readings, key=lambda point: (point.at - start) // stretch):
        members = list(group)
        extremes = {min(members, key=lambda each: each.value), max(members, key=lambda each: each.value)}
        kept.extend(sorted(extremes, key=lambda each: each.at))
    return kept

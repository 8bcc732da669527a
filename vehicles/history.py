"""The history of one signal of one vehicle, at the requested resolution."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from django.db import connection
from django.utils import timezone

from vehicles.aggregates import COLUMNS, HOUR_END, ROLLUP_SQL, day_end, day_start
from vehicles.catalogue import Shape, Signal
from vehicles.continuity import REPLACES
from vehicles.location_privacy import reveals_location, rules_for, without_location
from vehicles.models import DayZone, Reading, SignalCode, Vehicle
from vehicles.quantities import round_float
from vehicles.zones import known_zone

Resolution = Literal["raw", "hour", "day"] | int
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)


class NotANumberError(ValueError):
    """Only numbers can be aggregated or thinned out. The history of other signals is available only as "raw"."""


@dataclass(frozen=True, slots=True)
class Point:
    """A reading, or the rollup of an hour or a day. Numbers are in storage units (vehicles.catalogue).

    For a reading, `value` is the signal's value (the whole body if it has several), without minimum and maximum. For an
    hour or a day, `at` is its start in its time zone, and `value` the mean of the values, weighted by their duration.
    `count` is the number of readings.
    """

    at: datetime
    value: Any
    minimum: float | None
    maximum: float | None
    count: int


def series(
    *,
    vehicle: Vehicle,
    signal: Signal,
    start: datetime,
    end: datetime,
    resolution: Resolution,
    limit: int | None = None,
) -> list[Point]:
    """Returns the signal's history from `start` (inclusive) to `end` (exclusive), oldest first.

    `resolution` is "raw" (every reading), "hour" (UTC), "day" (in the fleet's time zone), or a number: at most that
    many readings, namely the lowest and the highest of each interval, which preserves peaks, and the last reading.
    Hours and days are complete, including the one that contains `start`. Those without readings are omitted. Rollups
    that are not up to date are computed on request, so late readings count at once. `limit` is the maximum number of
    points. Locations are included even if a driver hides them: see `visible_points`.

    Raises NotANumberError for any resolution but "raw" if the signal isn't a number, and ValueError for a number of
    points below 2.
    """
    if isinstance(resolution, int) and resolution < 2:
        raise ValueError("At least 2 points.")
    if resolution != "raw" and signal.shape is not Shape.NUMBER:
        raise NotANumberError(f"{signal.label} is not a number.")
    number = SignalCode.objects.filter(code=signal.code).values_list("id", flat=True).first()
    if number is None or start >= end:
        return []
    query = _Request(vehicle, number, start, end)
    if resolution == "raw":
        points = _readings(query, limit)
    elif isinstance(resolution, int):
        points = _thinned(query, resolution)
    else:
        points = _rolled_up(query, resolution)
    return points[:limit]


def visible_points(points: list[Point], *, vehicle: Vehicle, signal: Signal) -> list[Point]:
    """Returns readings of the signal without locations that a driver hides now, or hid when they were measured."""
    if not any(reveals_location(signal.code, point.value) for point in points):
        return points
    rules = rules_for(vehicle_ids=[vehicle.pk], now=timezone.now())
    visible = []
    for point in points:
        if not rules.is_hidden(vehicle.pk, at=point.at):
            visible.append(point)
        elif (value := without_location(signal.code, point.value)) is not None:
            visible.append(replace(point, value=value))
    return visible


@dataclass(frozen=True, slots=True)
class _Request:
    vehicle: Vehicle
    signal_id: int
    start: datetime
    end: datetime

    @property
    def parameters(self) -> dict[str, Any]:
        return {
            "vehicle": self.vehicle.pk,
            "signal": self.signal_id,
            "start": self.start,
            "end": self.end,
            "now": timezone.now(),
        }


def _readings(query: _Request, limit: int | None) -> list[Point]:
    rows = (
        Reading.objects.filter(
            vehicle=query.vehicle,
            signal=query.signal_id,
            observed_at__gte=query.start,
            observed_at__lt=query.end,
        )
        .order_by("observed_at")
        .values_list("observed_at", "value", "rest")[:limit]
    )
    return [Point(at, _value(value, rest), None, None, 1) for at, value, rest in rows]


def _value(value: float | None, rest: dict[str, Any] | None) -> Any:
    if value is not None:
        return round_float(value)
    return rest.get("value", rest) if rest else None


# The hours or days that begin in the requested period: stored rollups, and those due, which are computed here.
_ROLLED = f"""
    WITH due AS MATERIALIZED ({{due}}),
    stretch AS (
        SELECT %(vehicle)s::bigint AS vehicle_id, %(signal)s::smallint AS signal_id, start, {{finish}} AS finish
        FROM due
    )
    SELECT start, {COLUMNS} FROM {{table}}
    WHERE vehicle_id = %(vehicle)s AND signal_id = %(signal)s AND start >= %(start)s AND start < %(end)s
      AND start NOT IN (SELECT start FROM due)
    UNION ALL
    SELECT start, {COLUMNS} FROM ({ROLLUP_SQL}) AS passing
"""  # noqa: S608
_DUE = """
    SELECT start FROM {table}
    WHERE vehicle_id = %(vehicle)s AND signal_id = %(signal)s AND start >= %(start)s AND start < %(end)s
"""
_HOURS = _ROLLED.format(
    due=_DUE.format(table="vehicles_duehour"), finish=HOUR_END, table="vehicles_hourrollup"
)
# A due hour makes its day due, or both days that it is part of: some zones have offsets that aren't whole hours.
_DAYS = _ROLLED.format(
    due=f"""
        {_DUE.format(table="vehicles_dueday")} AND start = {day_start("start", "%(zone)s")}
        UNION
        SELECT day.start FROM vehicles_duehour AS hour CROSS JOIN LATERAL (VALUES
            ({day_start("hour.start", "%(zone)s")}), ({day_start("hour.start + interval '59 minutes'", "%(zone)s")})
        ) AS day (start)
        WHERE vehicle_id = %(vehicle)s AND signal_id = %(signal)s
          AND hour.start > %(start)s - interval '1 hour' AND hour.start < %(end)s + interval '25 hours'
          AND day.start >= %(start)s AND day.start < %(end)s
    """,  # noqa: S608
    finish=day_end("start", "%(zone)s"),
    table="vehicles_dayrollup",
)


def _rollup_query(query: _Request, resolution: Literal["hour", "day"]) -> tuple[str, dict[str, Any]]:
    """Returns the SQL for the hours or days of the requested period, and its parameters."""
    parameters = query.parameters
    if resolution == "hour":
        parameters["start"] = query.start.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        return _HOURS, parameters
    zone = get_day_zone(query.vehicle)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {day_start('%(start)s::timestamptz', '%(zone)s')}",
            {"start": query.start, "zone": zone},
        )
        (parameters["start"],) = cursor.fetchone()
    return _DAYS, parameters | {"zone": zone}


def has_more(*, vehicle: Vehicle, signal: Signal, start: datetime, end: datetime, than: int) -> bool:
    """Returns whether the signal has more than `than` readings between two times, without fetching them."""
    number = SignalCode.objects.filter(code=signal.code).values("id")
    readings = Reading.objects.filter(
        vehicle=vehicle, signal__in=number, observed_at__gte=start, observed_at__lt=end
    )
    return readings.order_by("observed_at").values("observed_at")[than : than + 1].exists()


_NEIGHBORS = """
    (SELECT observed_at, value FROM vehicles_reading
     WHERE vehicle_id = %(vehicle)s AND signal_id = %(signal)s AND value IS NOT NULL
       AND observed_at < %(start)s AND observed_at >= %(start)s - %(within)s
     ORDER BY observed_at DESC LIMIT 1)
    UNION ALL
    (SELECT observed_at, value FROM vehicles_reading
     WHERE vehicle_id = %(vehicle)s AND signal_id = %(signal)s AND value IS NOT NULL
       AND observed_at >= %(end)s AND observed_at < %(end)s + %(within)s
     ORDER BY observed_at LIMIT 1)
"""


def neighbors(
    *, vehicle: Vehicle, signal: Signal, start: datetime, end: datetime, within: timedelta
) -> tuple[Point | None, Point | None]:
    """Returns the last reading of a number before `start` and the first from `end` on, each at most `within` away.

    A chart continues its line to these points.
    """
    number = SignalCode.objects.filter(code=signal.code).values_list("id", flat=True).first()
    if number is None:
        return None, None
    query = _Request(vehicle, number, start, end).parameters | {"within": within}
    found = [Point(at, round_float(value), None, None, 1) for at, value in _rows(_NEIGHBORS, query)]
    before = next((point for point in found if point.at < start), None)
    return before, next((point for point in found if point.at >= end), None)


def instrument_changes(
    *, vehicle: Vehicle, signal: Signal, start: datetime, end: datetime
) -> list[tuple[datetime, float]]:
    """Returns when a counter was replaced by a new one, and the last count of the one before, oldest first."""
    rows = Reading.objects.filter(
        vehicle=vehicle,
        signal__in=SignalCode.objects.filter(code=signal.code).values("id"),
        observed_at__gte=start,
        observed_at__lt=end,
        rest__has_key=REPLACES,
    )
    found = rows.order_by("observed_at").values_list("observed_at", "rest")
    return [(at, rest[REPLACES]) for at, rest in found if rest]


def get_day_zone(vehicle: Vehicle) -> str:
    """Returns the time zone of the vehicle's days: the fleet's, or the previous one shortly after a change."""
    zone = DayZone.objects.filter(vehicle=vehicle).values_list("time_zone", flat=True).first()
    return zone or known_zone(vehicle.fleet.time_zone)


def _rolled_up(query: _Request, resolution: Literal["hour", "day"]) -> list[Point]:
    statement, parameters = _rollup_query(query, resolution)
    zone = ZoneInfo(parameters.get("zone", "UTC"))
    return [
        Point(start.astimezone(zone), round_float(mean), round_float(minimum), round_float(maximum), count)
        for start, mean, minimum, maximum, _, _, _, _, count in _rows(
            f"{statement} ORDER BY start", parameters
        )
    ]


# The first lowest and the first highest reading of each interval.
_EXTREMES = """
    SELECT DISTINCT ON (stretch, value) at, value FROM (
        SELECT at, value, stretch, min(value) OVER same AS lowest, max(value) OVER same AS highest
        FROM (
            SELECT at, value, floor(extract(epoch FROM at - %(first)s) / %(width)s) AS stretch FROM ({source}) AS source
        ) AS numbered
        WINDOW same AS (PARTITION BY stretch)
    ) AS compared
    WHERE value IN (lowest, highest)
    ORDER BY stretch, value, at
"""
_OF_READINGS = """
    SELECT observed_at AS at, value FROM vehicles_reading
    WHERE vehicle_id = %(vehicle)s AND signal_id = %(signal)s AND observed_at >= %(start)s AND observed_at < %(end)s
      AND value IS NOT NULL
"""
_OF_ROLLUPS = """
    SELECT at, value FROM ({rolled}) AS rolled
    CROSS JOIN LATERAL (VALUES (minimum_at, minimum), (maximum_at, maximum)) AS extreme (at, value)
    WHERE at >= %(first)s AND at < %(end)s
"""


def _thinned(query: _Request, points: int) -> list[Point]:
    """Uses readings if the intervals are shorter than an hour, else the extremes stored in hour or day rollups."""
    readings = _readings(query, points + 1)
    if len(readings) <= points:
        return readings
    width = (query.end - query.start) / ((points - 1) // 2 or 1)
    if width < _HOUR:
        source, parameters = _OF_READINGS, query.parameters
    else:
        rolled, parameters = _rollup_query(query, "hour" if width < _DAY else "day")
        source = _OF_ROLLUPS.format(rolled=rolled)
    extremes = dict(
        _rows(
            _EXTREMES.format(source=source),
            parameters | {"first": query.start, "width": width.total_seconds()},
        )
    )
    if points > 2:  # two points are the two extremes
        extremes.update(_rows(f"{_OF_READINGS} ORDER BY observed_at DESC LIMIT 1", query.parameters))
    return [Point(at, round_float(value), None, None, 1) for at, value in sorted(extremes.items())]


def _rows(statement: str, parameters: dict[str, Any]) -> Sequence[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        rows: Sequence[tuple[Any, ...]] = cursor.fetchall()
        return rows

"""The history of one signal of one car, as fine or as coarse as it is asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from django.db import connection
from django.utils import timezone

from vehicles.aggregates import COLUMNS, HOUR_END, ROLLUP_SQL, day_end, day_start
from vehicles.catalogue import Shape, Signal
from vehicles.models import DayZone, Reading, SignalCode, Vehicle
from vehicles.quantities import round_float
from vehicles.zones import known_zone

Resolution = Literal["raw", "hour", "day"] | int
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)


class NotANumberError(ValueError):
    """Only numbers can be summed up or thinned out; the history of other signals is read as it is ("raw")."""


@dataclass(frozen=True, slots=True)
class Point:
    """A reading, or what the readings of an hour or a day come to. Numbers are in storage units (vehicles.catalogue).

    Of a reading, `value` is the signal's value (its whole body where it has several), without minimum and maximum.
    Of an hour or a day, `at` is its start, in the zone that it is an hour or day of, and `value` the mean, each value
    weighed by how long it held. `count` is the number of readings.
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
    """The signal's history from `start` up to but without `end`, oldest first.

    `resolution` is "raw" (every reading), "hour" (of UTC), "day" (in the fleet's time zone), or a number: at most that
    many readings, of which the lowest and highest of each stretch of time are kept, so that peaks stay, and the last.
    Hours and days are whole ones, also the one in which `start` lies; those in which nothing was read are absent.
    What is not summed up yet is so in passing, so late readings count at once. `limit` ends the list after so many
    points.

    Raises NotANumberError where another resolution than "raw" is asked of a signal that is no number, and ValueError
    of a number of points below 2.
    """
    if isinstance(resolution, int) and resolution < 2:
        raise ValueError("At least 2 points.")
    if resolution != "raw" and signal.shape is not Shape.NUMBER:
        raise NotANumberError(f"{signal.label} is not a number.")
    number = SignalCode.objects.filter(code=signal.code).values_list("id", flat=True).first()
    if number is None or start >= end:
        return []
    asked = _Request(vehicle, number, start, end)
    if resolution == "raw":
        points = _readings(asked, limit)
    elif isinstance(resolution, int):
        points = _thinned(asked, resolution)
    else:
        points = _is_rolled_up(asked, resolution)
    return points[:limit]


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


def _readings(asked: _Request, limit: int | None) -> list[Point]:
    rows = (
        Reading.objects.filter(
            vehicle=asked.vehicle,
            signal=asked.signal_id,
            observed_at__gte=asked.start,
            observed_at__lt=asked.end,
        )
        .order_by("observed_at")
        .values_list("observed_at", "value", "rest")[:limit]
    )
    return [Point(at, _value(value, rest), None, None, 1) for at, value, rest in rows]


def _value(value: float | None, rest: dict[str, Any] | None) -> Any:
    if value is not None:
        return round_float(value)
    return rest.get("value", rest) if rest else None


# The hours or days that begin in the time asked for: those stored, and those due, summed up in passing.
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
# An hour that is due makes its day due, or both days that it lies in: not every zone keeps to whole hours.
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


def _rolled(asked: _Request, resolution: Literal["hour", "day"]) -> tuple[str, dict[str, Any]]:
    """The SQL for the hours or days of the time asked for, and its parameters."""
    parameters = asked.parameters
    if resolution == "hour":
        parameters["start"] = asked.start.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        return _HOURS, parameters
    zone = zone_of(asked.vehicle)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {day_start('%(start)s::timestamptz', '%(zone)s')}",
            {"start": asked.start, "zone": zone},
        )
        (parameters["start"],) = cursor.fetchone()
    return _DAYS, parameters | {"zone": zone}


def has_more(*, vehicle: Vehicle, signal: Signal, start: datetime, end: datetime, than: int) -> bool:
    """Whether the signal has more readings than so many between two times; they are not fetched for it."""
    number = SignalCode.objects.filter(code=signal.code).values("id")
    readings = Reading.objects.filter(
        vehicle=vehicle, signal__in=number, observed_at__gte=start, observed_at__lt=end
    )
    return readings.order_by("observed_at").values("observed_at")[than : than + 1].exists()


_NEIGHBOURS = """
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


def neighbours(
    *, vehicle: Vehicle, signal: Signal, start: datetime, end: datetime, within: timedelta
) -> tuple[Point | None, Point | None]:
    """The last reading of a number before the time, and the first from its end on, each at most `within` away.

    A line through the points of the time goes on to them.
    """
    number = SignalCode.objects.filter(code=signal.code).values_list("id", flat=True).first()
    if number is None:
        return None, None
    asked = _Request(vehicle, number, start, end).parameters | {"within": within}
    found = [Point(at, round_float(value), None, None, 1) for at, value in _rows(_NEIGHBOURS, asked)]
    before = next((point for point in found if point.at < start), None)
    return before, next((point for point in found if point.at >= end), None)


def zone_of(vehicle: Vehicle) -> str:
    """The time zone that the car's days are in: the fleet's, or for a moment after a change the one it had before."""
    zone = DayZone.objects.filter(vehicle=vehicle).values_list("time_zone", flat=True).first()
    return zone or known_zone(vehicle.fleet.time_zone)


def _is_rolled_up(asked: _Request, resolution: Literal["hour", "day"]) -> list[Point]:
    statement, parameters = _rolled(asked, resolution)
    zone = ZoneInfo(parameters.get("zone", "UTC"))
    return [
        Point(start.astimezone(zone), round_float(mean), round_float(minimum), round_float(maximum), count)
        for start, mean, minimum, maximum, _, _, _, _, count in _rows(
            f"{statement} ORDER BY start", parameters
        )
    ]


# Of each stretch of time the first lowest and the first highest, which are real readings.
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


def _thinned(asked: _Request, points: int) -> list[Point]:
    """From readings while stretches are shorter than an hour, else from what hours or days keep of theirs."""
    readings = _readings(asked, points + 1)
    if len(readings) <= points:
        return readings
    width = (asked.end - asked.start) / ((points - 1) // 2 or 1)
    if width < _HOUR:
        source, parameters = _OF_READINGS, asked.parameters
    else:
        rolled, parameters = _rolled(asked, "hour" if width < _DAY else "day")
        source = _OF_ROLLUPS.format(rolled=rolled)
    kept = dict(
        _rows(
            _EXTREMES.format(source=source),
            parameters | {"first": asked.start, "width": width.total_seconds()},
        )
    )
    if points > 2:  # beside two extremes there is no room for the newest
        kept.update(_rows(f"{_OF_READINGS} ORDER BY observed_at DESC LIMIT 1", asked.parameters))
    return [Point(at, round_float(value), None, None, 1) for at, value in sorted(kept.items())]


def _rows(statement: str, parameters: dict[str, Any]) -> Sequence[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        rows: Sequence[tuple[Any, ...]] = cursor.fetchall()
        return rows

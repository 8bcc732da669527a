"""Charts of a vehicle's signals over time: numbers as lines, states as bands, and gaps where nothing is known.

Times are Unix timestamps in seconds, numbers are in the vehicle's units, and texts are in the active language.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from django.utils import timezone

from vehicles.catalogue import CATALOGUE, VIN, Shape, Signal
from vehicles.continuity import is_counter
from vehicles.dates import retention_start
from vehicles.formatting import display_unit, format_value
from vehicles.history import Point, has_more, instrument_changes, neighbors, series
from vehicles.location_privacy import PLACE_CODES
from vehicles.models import Vehicle
from vehicles.state_intervals import MAX_INTERVALS, state_intervals
from vehicles.units import Unit, convert, symbol

POINTS = 600
_SHORT = timedelta(days=14)
_HOURS = timedelta(days=62)
_HOUR, _DAY = timedelta(hours=1), timedelta(hours=25)
_EVER = timedelta(days=36_500)
_TONES = {"true": "on", "false": "off", "OK": "ok", "ALERT": "alert"}


@dataclass(frozen=True, slots=True)
class Line:
    """A number over time. A value is None in a gap; for hours and days it is the mean, between `low` and `high`.

    The first and last point may be outside the requested time, as the line continues to them. `resolution` is "raw",
    "thinned" (real readings, including peaks), "hour" or "day". `replacements` are the times at which a counter was
    replaced by a new one, with the last count of the one before.
    """

    code: str
    label: str
    resolution: str
    times: list[float]
    values: list[float | None]
    low: list[float | None] | None
    high: list[float | None] | None
    replacements: list[tuple[float, float]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class LineChart:
    """The lines of signals with the same unit. `percent` means a scale from 0 to 100."""

    unit: str
    percent: bool
    lines: list[Line]
    kind: str = "lines"

    def as_dict(self) -> dict[str, Any]:
        """Returns the chart as JSON-compatible data. dataclasses.asdict would copy each number."""
        return _fields(self) | {"lines": [_fields(line) for line in self.lines]}


@dataclass(frozen=True, slots=True)
class BandChart:
    """The states of a signal over time. A segment consists of start, end and an index of `states`.

    `cut` means that there were too many changes to draw; the segments are the newest ones.
    """

    code: str
    label: str
    states: list[str]
    tones: list[str]
    segments: list[tuple[float, float, int]]
    cut: bool
    kind: str = "band"

    def as_dict(self) -> dict[str, Any]:
        """Returns the chart as JSON-compatible data."""
        return _fields(self)


Chart = LineChart | BandChart


def _fields(chart: Line | LineChart | BandChart) -> dict[str, Any]:
    return {each.name: getattr(chart, each.name) for each in fields(chart)}


@dataclass(slots=True)
class _States:
    """The states of a band, in order of first occurrence."""

    labels: list[str] = field(default_factory=list)
    tones: list[str] = field(default_factory=list)

    def position(self, label: str, tone: str) -> int:
        if label not in self.labels:
            self.labels.append(label)
            self.tones.append(tone or f"state-{len(self.labels) % 6}")
        return self.labels.index(label)


def drawable(code: str) -> bool:
    """Whether the signal can be charted. Locations are shown on the map, and views of a VIN are logged."""
    return code in CATALOGUE and code not in PLACE_CODES and code != VIN.code


def is_number(signal: Signal) -> bool:
    return signal.shape is Shape.NUMBER


def plan(signals: Sequence[Signal], *, units: str) -> list[list[Signal]]:
    """Returns the signals of each chart: numbers with the same unit share one, in order of their first signal."""
    charts: dict[str, list[Signal]] = {}
    for signal in signals:
        shared = is_number(signal) and signal.unit is not None and signal.unit is not Unit.COUNT
        charts.setdefault(_shown_unit(signal, units) if shared else signal.code, []).append(signal)
    return list(charts.values())


def build_charts(
    *, vehicle: Vehicle, signals: Sequence[Signal], start: datetime, end: datetime
) -> list[Chart]:
    """Returns the charts of these signals from `start` (inclusive) to `end` (exclusive), grouped by `plan`."""
    return [
        _line_chart(vehicle, group, start, end)
        if is_number(group[0])
        else build_band(vehicle=vehicle, signal=group[0], start=start, end=end)
        for group in plan(signals, units=vehicle.units)
    ]


def _line_chart(vehicle: Vehicle, signals: Sequence[Signal], start: datetime, end: datetime) -> LineChart:
    return LineChart(
        unit=_shown_unit(signals[0], vehicle.units),
        percent=signals[0].unit is Unit.PERCENT,
        lines=[build_line(vehicle=vehicle, signal=signal, start=start, end=end) for signal in signals],
    )


def _shown_unit(signal: Signal, units: str) -> str:
    return symbol(display_unit(signal.unit, units=units)) if signal.unit else ""


def build_line(*, vehicle: Vehicle, signal: Signal, start: datetime, end: datetime) -> Line:
    """Returns a numeric signal's history in a suitable resolution: readings if they are few, else hours or days."""
    resolution, points = _points(vehicle, signal, start, end)
    max_gap = _max_gap(signal, resolution, span=end - start)
    if resolution in ("raw", "thinned"):
        before, after = neighbors(vehicle=vehicle, signal=signal, start=start, end=end, within=max_gap)
        points = [*([before] if before else []), *points, *([after] if after else [])]
    banded = resolution in ("hour", "day")
    line = Line(signal.code, signal.label, resolution, [], [], [] if banded else None, [] if banded else None)
    line.replacements.extend(_replacements(vehicle, signal, start, end))
    for point, gap in _with_gaps(points, max_gap=max_gap):
        _add(line, point.at, point, signal=signal, units=vehicle.units)
        if gap:
            _add(line, point.at + timedelta(seconds=1), None, signal=signal, units=vehicle.units)
    return line


def _replacements(
    vehicle: Vehicle, signal: Signal, start: datetime, end: datetime
) -> list[tuple[float, float]]:
    if not is_counter(signal.code):
        return []
    changes = instrument_changes(vehicle=vehicle, signal=signal, start=start, end=end)
    return [(at.timestamp(), _shown(before, signal, vehicle.units) or 0.0) for at, before in changes]


def _add(line: Line, at: datetime, point: Point | None, *, signal: Signal, units: str) -> None:
    """Appends a point, or a gap if there is none."""
    line.times.append(at.timestamp())
    line.values.append(_shown(point.value, signal, units) if point else None)
    if line.low is not None and line.high is not None:
        line.low.append(_shown(point.minimum, signal, units) if point else None)
        line.high.append(_shown(point.maximum, signal, units) if point else None)


def _shown(value: float | None, signal: Signal, units: str) -> float | None:
    if value is None or signal.unit is None:
        return value
    return round(convert(value, source=signal.unit, target=display_unit(signal.unit, units=units)), 2)


def _points(vehicle: Vehicle, signal: Signal, start: datetime, end: datetime) -> tuple[str, list[Point]]:
    """Returns the points with their resolution. Beyond the retention of readings, hours and days still exist."""
    retained_from = retention_start(timezone.now(), vehicle.fleet.raw_retention_months)
    if start >= retained_from:
        too_many = has_more(vehicle=vehicle, signal=signal, start=start, end=end, than=POINTS)
        if not too_many:
            return "raw", series(vehicle=vehicle, signal=signal, start=start, end=end, resolution="raw")
        if end - start <= _SHORT:
            return "thinned", series(vehicle=vehicle, signal=signal, start=start, end=end, resolution=POINTS)
    if end - start <= _HOURS:
        return "hour", series(vehicle=vehicle, signal=signal, start=start, end=end, resolution="hour")
    return "day", series(vehicle=vehicle, signal=signal, start=start, end=end, resolution="day")


def _max_gap(signal: Signal, resolution: str, *, span: timedelta) -> timedelta:
    """Returns the longest time between two points that a line connects: as long as the signal's values are valid."""
    if signal.staleness is None:
        return _EVER
    if resolution == "thinned":
        return max(signal.staleness, 3 * span / (POINTS // 2))
    return signal.staleness + {"hour": _HOUR, "day": _DAY}.get(resolution, timedelta(0))


def _with_gaps(points: Sequence[Point], *, max_gap: timedelta) -> list[tuple[Point, bool]]:
    """Returns each point, and whether a gap follows."""
    gaps = [after.at - before.at > max_gap for before, after in pairwise(points)]
    return list(zip(points, [*gaps, False], strict=False))


def build_band(*, vehicle: Vehicle, signal: Signal, start: datetime, end: datetime) -> BandChart:
    """Returns the states of a non-numeric signal.

    A state lasts until the next one, or as long as its value is valid.
    """
    found = state_intervals(vehicle=vehicle, signal=signal, start=start, end=end)
    until = min(end, timezone.now())
    states, segments = _States(), []
    for position, run in enumerate(found):
        next_start = found[position + 1].start if position + 1 < len(found) else until
        stop = min(next_start, run.last + (signal.staleness or _EVER), until)
        label = format_value(code=signal.code, body=run.body, units=vehicle.units) or "–"
        index = states.position(label, _tone(signal, run.body.get("value", run.body.get("status"))))
        begin = max(run.start, start)
        if stop > begin:
            segments.append((begin.timestamp(), stop.timestamp(), index))
    return BandChart(
        signal.code, signal.label, states.labels, states.tones, segments, cut=len(found) == MAX_INTERVALS
    )


def _tone(signal: Signal, value: object) -> str:
    """Returns the style of a state; "" for signals with arbitrary states."""
    if signal.shape is Shape.BOOLEAN:
        return _TONES.get(str(value).lower(), "")
    return _TONES.get(str(value).upper(), "") if signal.shape is Shape.STATUS else ""

"""The charts' points as CSV, one signal at a time."""

import csv
import io
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from asgiref.sync import sync_to_async
from django.utils.translation import override

from core.csv_safety import escape_formula
from dashboard.vehicle_page.charts import BandChart, Chart, LineChart, build_charts
from vehicles.catalogue import Signal
from vehicles.models import Vehicle

HEAD = ("time", "signal", "code", "value", "unit", "lowest", "highest", "until")


async def csv_chunks(
    *,
    vehicle: Vehicle,
    signals: Sequence[Signal],
    start: datetime,
    end: datetime,
    zone: ZoneInfo,
    language: str,
) -> AsyncIterator[str]:
    """Yields the history of the signals one after the other, loading each only when needed to limit memory.

    Times are in `zone` with offset, and only requested ones are included. Numbers are in the vehicle's units, with a
    decimal point and without separators.
    """
    yield _lines([HEAD])
    for signal in signals:
        yield await sync_to_async(_part)(vehicle, signal, start, end, zone, language)


def _part(
    vehicle: Vehicle, signal: Signal, start: datetime, end: datetime, zone: ZoneInfo, language: str
) -> str:
    with override(language):
        charts = build_charts(vehicle=vehicle, signals=[signal], start=start, end=end)
        return _lines(
            row for chart in charts for row in _rows(chart, start.timestamp(), end.timestamp(), zone)
        )


def _lines(rows: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()


def _rows(chart: Chart, start: float, end: float, zone: ZoneInfo) -> Iterable[Sequence[object]]:
    return _line_rows(chart, start, end, zone) if isinstance(chart, LineChart) else _band_rows(chart, zone)


def _line_rows(chart: LineChart, start: float, end: float, zone: ZoneInfo) -> Iterator[Sequence[object]]:
    for line in chart.lines:
        for index, (at, value) in enumerate(zip(line.times, line.values, strict=True)):
            whole = line.resolution in ("hour", "day")
            if value is None or at >= end or (at < start and not whole):
                continue
            low = line.low[index] if line.low else ""
            high = line.high[index] if line.high else ""
            yield _format_time(at, zone), line.label, line.code, value, chart.unit, low, high, ""


def _band_rows(chart: BandChart, zone: ZoneInfo) -> Iterator[Sequence[object]]:
    for begin, stop, state in chart.segments:
        state_text = escape_formula(chart.states[state])
        yield (
            _format_time(begin, zone),
            chart.label,
            chart.code,
            state_text,
            "",
            "",
            "",
            _format_time(stop, zone),
        )


def _format_time(at: float, zone: ZoneInfo) -> str:
    return datetime.fromtimestamp(at, UTC).astimezone(zone).isoformat(timespec="seconds")

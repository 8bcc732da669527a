"""The charts' points as CSV, one signal at a time."""

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from asgiref.sync import sync_to_async
from django.utils.translation import override

from core.csv_files import CsvLayout
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
    layout: CsvLayout,
) -> AsyncIterator[str]:
    """Yields the history of the signals one after the other, loading each only when needed to limit memory.

    Times are in `zone` with offset, and only requested ones are included. Numbers are in the vehicle's units, with a
    decimal point, or as the layout says, and without separators.
    """
    yield layout.start + layout.lines([HEAD])
    for signal in signals:
        rows = await sync_to_async(_part)(vehicle, signal, start, end, zone, language)
        yield layout.lines(rows)


def _part(
    vehicle: Vehicle, signal: Signal, start: datetime, end: datetime, zone: ZoneInfo, language: str
) -> list[Sequence[object]]:
    with override(language):
        charts = build_charts(vehicle=vehicle, signals=[signal], start=start, end=end)
        return [row for chart in charts for row in _rows(chart, start.timestamp(), end.timestamp(), zone)]


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
        yield (
            _format_time(begin, zone),
            chart.label,
            chart.code,
            chart.states[state],
            "",
            "",
            "",
            _format_time(stop, zone),
        )


def _format_time(at: float, zone: ZoneInfo) -> str:
    return datetime.fromtimestamp(at, UTC).astimezone(zone).isoformat(timespec="seconds")

"""Charts summarized in a sentence: for screen readers, and at a glance."""

from datetime import UTC, datetime

from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dashboard.vehicle_page.charts import BandChart, Chart, Line
from vehicles.formatting import with_symbol


def summarize_chart(chart: Chart, *, start: datetime, end: datetime) -> str:
    """Returns the range of the values, the latest value with its time, and the number of gaps."""
    if isinstance(chart, BandChart):
        return _summarize_band(chart)
    since, until = start.timestamp(), end.timestamp()
    text = [
        _summarize_line(line, chart.unit, since, until, named=len(chart.lines) > 1) for line in chart.lines
    ]
    resolutions = dict.fromkeys(_resolution_text(line.resolution) for line in chart.lines)
    return " ".join(filter(None, [*text, *resolutions]))


def _summarize_line(line: Line, unit: str, since: float, until: float, *, named: bool) -> str:
    whole = line.resolution in ("hour", "day")
    shown = [
        (at, value, index)
        for index, (at, value) in enumerate(zip(line.times, line.values, strict=True))
        if value is not None and at < until and (whole or at >= since)
    ]
    name = f"{line.label}: " if named else ""
    if not shown:
        return name + _("No data recorded in this period.")
    lows = [line.low[index] if line.low else value for _at, value, index in shown]
    highs = [line.high[index] if line.high else value for _at, value, index in shown]
    text = _("%(low)s to %(high)s, latest %(last)s (%(when)s).") % {
        "low": _number(min(low for low in lows if low is not None), unit),
        "high": _number(max(high for high in highs if high is not None), unit),
        "last": _number(shown[-1][1], unit),
        "when": _when(shown[-1][0]),
    }
    gaps = sum(value is None for value in line.values)
    replacements = [
        _("New instrument since %(when)s; the one before showed %(before)s.")
        % {"when": _when(at), "before": _number(before, unit)}
        for at, before in line.replacements
    ]
    return " ".join(filter(None, [name + text, *replacements, _gaps(gaps)]))


def _summarize_band(chart: BandChart) -> str:
    if not chart.segments:
        return _("No data recorded in this period.")
    durations: dict[int, float] = {}
    for begin, stop, state in chart.segments:
        durations[state] = durations.get(state, 0) + stop - begin
    total = sum(durations.values())
    shares = ", ".join(
        f"{chart.states[state]} {with_symbol(number_format(round(100 * seconds / total)), '%')}"
        for state, seconds in sorted(durations.items(), key=lambda each: -each[1])[:4]
    )
    begin, _stop, state = chart.segments[-1]
    text = _("%(shares)s of known time. Latest: %(state)s since %(when)s.") % {
        "shares": shares,
        "state": chart.states[state],
        "when": _when(begin),
    }
    if chart.cut:
        text += " " + _("Too many changes to chart, so only the latest are shown. Zoom in to see the others.")
    return text


def _resolution_text(resolution: str) -> str:
    return {
        "hour": _("Line: hourly mean. Band: hourly minimum and maximum."),
        "day": _("Line: daily mean. Band: daily minimum and maximum."),
        "thinned": _("Downsampled; minimum and maximum values are kept."),
    }.get(resolution, "")


def _gaps(count: int) -> str:
    if not count:
        return ""
    return ngettext("%(count)s gap without data.", "%(count)s gaps without data.", count) % {"count": count}


def _number(value: float, unit: str) -> str:
    text = number_format(round(value, 1), force_grouping=True)
    text = text.removesuffix(".0").removesuffix(",0")
    return with_symbol(text, unit)


def _when(at: float) -> str:
    return date_format(timezone.localtime(datetime.fromtimestamp(at, UTC)), "DATETIME_FORMAT")

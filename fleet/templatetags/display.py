"""Values, times and errors in templates."""

from datetime import datetime, timedelta

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from vehicles import presentation
from vehicles.models import LatestSignal
from vehicles.units import Unit

register = template.Library()

_STEPS = ((60, 1, "s"), (3600, 60, "min"), (86_400, 3600, "h"), (float("inf"), 86_400, "d"))


def age_in_words(seconds: float) -> str:
    """75 as "1 min ago"; static/js/ages.js says the same and keeps it current."""
    seconds = max(0, int(seconds))
    if seconds < 10:
        return "just now"
    for below, size, unit in _STEPS:
        if seconds < below:
            return f"{seconds // size} {unit} ago"
    raise AssertionError("the last step is endless")


@register.filter
def ago(moment: datetime | None) -> SafeString | str:
    """A <time> that says how long ago it was and keeps saying it right."""
    if moment is None:
        return "never"
    return format_html(
        '<time datetime="{}" title="{}" data-ago>{}</time>',
        moment.isoformat(),
        moment.strftime("%Y-%m-%d %H:%M:%S UTC"),
        age_in_words((timezone.now() - moment).total_seconds()),
    )


@register.filter
def span(duration: timedelta) -> str:
    """How long something takes, in words that claim no more than is known: "less than a minute", "about 3 h 40 min"."""
    if duration > timedelta(days=30):
        return "more than a month"
    minutes = round(duration.total_seconds() / 60)
    if minutes < 1:
        return "less than a minute"
    hours, rest = divmod(minutes, 60)
    return " ".join(filter(None, ("about", f"{hours} h" if hours else "", f"{rest} min" if rest else "")))


@register.filter
def shown(row: LatestSignal | None, units: str) -> str:
    """A signal's value in words, in the fleet's units."""
    return presentation.value_in_words(code=row.code, body=row.body, units=units) if row else ""


@register.filter
def trouble(row: LatestSignal) -> str:
    """Why a signal has no fresh value, or ""."""
    return presentation.error_in_words(row)


@register.filter
def stale(row: LatestSignal | None) -> bool:
    """Whether a signal's value is older than it should be."""
    return row is None or presentation.is_stale(row, now=timezone.now())


@register.filter
def kilometres(value: float, units: str) -> str:
    """A distance in the fleet's units."""
    return presentation.quantity(value, Unit.KILOMETRE, units=units)

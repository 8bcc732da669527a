"""Times and durations in templates."""

import json
from datetime import datetime, timedelta

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

register = template.Library()

_STEPS = ((60, 1, "s"), (3600, 60, "min"), (86_400, 3600, "h"), (float("inf"), 86_400, "d"))


def age_in_words(seconds: float) -> str:
    """Returns an age such as "1 min ago" for 75. static/js/relative-time.js does the same and keeps it up to date."""
    seconds = max(0, int(seconds))
    if seconds < 10:
        return _("just now")
    size, unit = next((size, unit) for below, size, unit in _STEPS if seconds < below)
    number = seconds // size
    return _ago(unit, number) % {"number": number}


def _ago(unit: str, number: int) -> str:
    words = {
        "s": ngettext("%(number)d s ago", "%(number)d s ago", number),
        "min": ngettext("%(number)d min ago", "%(number)d min ago", number),
        "h": ngettext("%(number)d h ago", "%(number)d h ago", number),
        "d": ngettext("%(number)d d ago", "%(number)d d ago", number),
    }
    return words[unit]


@register.simple_tag
def age_words() -> str:
    """Returns the texts for static/js/relative-time.js as JSON: singular and plural of each unit."""
    units = {unit: [_ago(unit, 1), _ago(unit, 2)] for *_rest, unit in _STEPS}
    return json.dumps({"now": _("just now"), **units}, ensure_ascii=False)


@register.filter
def timesince_short(moment: datetime | None) -> SafeString | str:
    """Returns a <time> element with the age of the moment, which JavaScript keeps up to date."""
    if moment is None:
        return _("never")
    return format_html(
        '<time datetime="{}" title="{}" data-ago>{}</time>',
        moment.isoformat(),
        full_datetime(moment),
        age_in_words((timezone.now() - moment).total_seconds()),
    )


@register.filter
def full_datetime(moment: datetime | None) -> str:
    """Formats a time with seconds and the name of the fleet's time zone: "28 November 2026, 14:03:05 CET"."""
    if moment is None:
        return ""
    local = timezone.localtime(moment)
    return f"{date_format(local, 'DATE_FORMAT')}, {date_format(local, 'H:i:s T')}"


@register.filter
def short_datetime(moment: datetime | None) -> str:
    """Formats a time with minutes and the name of the fleet's time zone: "28 November 2026, 14:03 CET"."""
    if moment is None:
        return ""
    local = timezone.localtime(moment)
    return f"{date_format(local, 'DATETIME_FORMAT')} {date_format(local, 'T')}"


@register.filter
def duration(span: timedelta) -> str:
    """Formats an approximate duration: "less than a minute", "about 3 h 40 min"."""
    if span > timedelta(days=30):
        return _("more than a month")
    minutes = round(span.total_seconds() / 60)
    if minutes < 1:
        return _("less than a minute")
    hours, rest = divmod(minutes, 60)
    if hours and rest:
        return _("about %(hours)d h %(minutes)d min") % {"hours": hours, "minutes": rest}
    return (
        _("about %(hours)d h") % {"hours": hours} if hours else _("about %(minutes)d min") % {"minutes": rest}
    )

"""When a scheduled command is sent, in words."""

from django.utils.dates import WEEKDAYS
from django.utils.formats import date_format, time_format
from django.utils.translation import gettext as _

from commands.scheduled.models import ScheduledCommand

_EVERY_DAY, _WORKDAYS, _WEEKEND = [0, 1, 2, 3, 4, 5, 6], [0, 1, 2, 3, 4], [5, 6]


def timing_words(schedule: ScheduledCommand) -> str:
    """Returns "Monday to Friday at 20:00" or "Once on Dec. 1, 2026 at 20:00"."""
    clock = time_format(schedule.at, "H:i")
    if schedule.on is not None:
        return _("Once on %(date)s at %(time)s") % {"date": date_format(schedule.on), "time": clock}
    return _("%(days)s at %(time)s") % {"days": _days(schedule.weekdays), "time": clock}


def _days(weekdays: list[int]) -> str:
    if weekdays == _EVERY_DAY:
        return _("Every day")
    if weekdays == _WORKDAYS:
        return _("%(first)s to %(last)s") % {"first": WEEKDAYS[0], "last": WEEKDAYS[4]}
    if weekdays == _WEEKEND:
        return _("Saturday and Sunday")
    return ", ".join(str(WEEKDAYS[day]) for day in weekdays)

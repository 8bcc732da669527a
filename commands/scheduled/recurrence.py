"""When a scheduled command is due next. Pure functions."""

from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_ONE_DAY = timedelta(days=1)


def next_occurrence(
    *, at: time, zone: str, after: datetime, weekdays: Collection[int] = (), on: date | None = None
) -> datetime | None:
    """Returns the first occurrence after a moment, in UTC; None if there are no more.

    With `on`, the only occurrence is on that date; else there is one on each of the `weekdays` (Monday is 0), at `at`
    in the zone. A time that the clocks skip is due as much later as they skip; one that they repeat is due the first
    time only.
    """
    if on is not None:
        moment = _moment(on, at, zone)
        return moment if moment > after else None
    # An occurrence of the day before may be later than now where the clocks skip, even a whole day.
    first = after.astimezone(ZoneInfo(zone)).date() - _ONE_DAY
    days = (first + _ONE_DAY * number for number in range(10))
    moments = (_moment(day, at, zone) for day in days if day.weekday() in weekdays)
    return min((moment for moment in moments if moment > after), default=None)


def _moment(day: date, at: time, zone: str) -> datetime:
    return datetime.combine(day, at, ZoneInfo(zone)).astimezone(UTC)

"""When a driver is reminded. Pure functions: no database and no clock."""

from datetime import datetime, timedelta

MAX_REMINDERS = 3
# The last reminder is sent a day before the link expires.
INTERVAL = timedelta(days=2)
# How long a problem must last before the driver is asked: many end by themselves.
PATIENCE = timedelta(hours=6)


def is_due(*, sent: int, since: datetime, now: datetime) -> bool:
    """Whether the next reminder is due, after `sent` reminders and the last email at `since`."""
    return sent < MAX_REMINDERS and now - since >= INTERVAL

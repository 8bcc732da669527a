"""Months in UTC, by which history is partitioned and retained. Pure functions."""

from datetime import UTC, datetime


def month_start(moment: datetime) -> datetime:
    """Returns the start of the month in UTC."""
    return moment.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def add_months(month: datetime, months: int) -> datetime:
    """Returns the month that is `months` later, or earlier if negative."""
    years, index = divmod(month.month - 1 + months, 12)
    return month.replace(year=month.year + years, month=index + 1)


def retention_start(now: datetime, months: int) -> datetime:
    """Returns the start of a retention period of whole months, in addition to the current month."""
    return add_months(month_start(now), -months)

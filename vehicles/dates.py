"""Months of UTC, by which history is partitioned and kept. Pure functions."""

from datetime import UTC, datetime


def month_of(moment: datetime) -> datetime:
    """The first moment of the month, in UTC."""
    return moment.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def shifted(month: datetime, months: int) -> datetime:
    """The month so many later, or earlier where negative."""
    years, index = divmod(month.month - 1 + months, 12)
    return month.replace(year=month.year + years, month=index + 1)


def kept_since(now: datetime, months: int) -> datetime:
    """From when on something is kept for so many whole months; the running month counts on top."""
    return shifted(month_of(now), -months)

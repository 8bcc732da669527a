"""Smartcar's billing months, by which calls to a vehicle are limited.

The documentation ("Billing Limits") names no time zone; months are assumed to change at midnight UTC.
"""

from datetime import UTC, date, datetime, time, timedelta


def billing_month(now: datetime) -> date:
    """Returns the first day of the month, UTC."""
    return now.astimezone(UTC).date().replace(day=1)


def next_month(now: datetime) -> datetime:
    """Returns the start of the next month, UTC."""
    first = (billing_month(now) + timedelta(days=32)).replace(day=1)
    return datetime.combine(first, time(), tzinfo=UTC)

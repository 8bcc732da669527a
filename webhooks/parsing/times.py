"""Parses Smartcar's times: epoch milliseconds in webhooks, ISO 8601 in REST responses and headers."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)  # before any connected vehicles
_LATEST = datetime(2100, 1, 1, tzinfo=UTC)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECONDS_BELOW = 100_000_000_000  # the year 5138 in seconds, 1973 in milliseconds
_SKEW = timedelta(minutes=5)


def parse_time(raw: Any) -> datetime | None:
    """Returns an aware UTC time from epoch milliseconds, epoch seconds or ISO 8601 (UTC without a zone).

    Returns None for 0, null, anything that isn't a time, and times before 2000 or from 2100 on.
    """
    moment = _from_text(raw) if isinstance(raw, str) else _from_epoch(raw)
    return moment if moment is not None and _EARLIEST <= moment < _LATEST else None


def _from_epoch(raw: Any) -> datetime | None:
    if type(raw) is not int and type(raw) is not float:
        return None
    return _moment(raw)


@lru_cache(maxsize=4096)  # the signals of a delivery have few different times
def _moment(raw: float) -> datetime | None:
    milliseconds = raw if abs(raw) >= _SECONDS_BELOW else raw * 1000
    try:
        return _EPOCH + timedelta(milliseconds=milliseconds)
    except (OverflowError, ValueError):
        return None


def _from_text(raw: str) -> datetime | None:
    if raw.isascii() and raw.isdigit():
        return _from_epoch(int(raw)) if len(raw) < 20 else None
    try:
        moment = datetime.fromisoformat(raw.strip())
    except ValueError:
        return None
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        return None


def not_from_the_future(moment: datetime | None, latest: datetime | None) -> datetime | None:
    """Returns `moment`, or None if it is more than a few minutes after `latest`.

    Otherwise, a reading from a fast clock would replace all later readings until that time.
    """
    if moment is not None and latest is not None and moment > latest + _SKEW:
        return None
    return moment


def limited_to(moment: datetime | None, latest: datetime | None) -> datetime | None:
    """Returns `moment` but not after `latest`, or None if it is more than a few minutes after `latest`."""
    plausible = not_from_the_future(moment, latest)
    return min(plausible, latest) if plausible is not None and latest is not None else plausible

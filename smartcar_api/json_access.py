"""Reads values from JSON that may be missing or of other types than documented."""

from datetime import UTC, datetime
from typing import Any

_MILLISECONDS_FROM = 10**11


def value_at(value: Any, *keys: str) -> Any:
    """Returns the value at this path of keys, or None."""
    for key in keys:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def text_at(value: Any, *keys: str) -> str:
    """Returns the text at this path of keys, or an empty one."""
    found = value_at(value, *keys)
    return found if isinstance(found, str) else ""


def parse_year(value: Any) -> int | None:
    """Returns a model year from a number or a text of digits, or None."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    digits = str(value)
    return int(digits) if len(digits) == 4 and digits.isascii() and digits.isdigit() else None


def parse_time(value: Any) -> datetime | None:
    """Returns an aware UTC time from an ISO 8601 text or from epoch seconds or milliseconds; None for other values."""
    try:
        if isinstance(value, str):
            time = datetime.fromisoformat(value)
            return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
        if isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
            return datetime.fromtimestamp(value / 1000 if value >= _MILLISECONDS_FROM else value, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return None

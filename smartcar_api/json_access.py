"""Taking values out of JSON that may lack them or hold others than documented."""

from datetime import UTC, datetime
from typing import Any

_MILLISECONDS_FROM = 10**11


def value_at(value: Any, *keys: str) -> Any:
    """What lies at the end of the keys, or None."""
    for key in keys:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def text_at(value: Any, *keys: str) -> str:
    """The text at the end of the keys, or an empty one."""
    found = value_at(value, *keys)
    return found if isinstance(found, str) else ""


def year_of(value: Any) -> int | None:
    """A model year, which comes as a number or as digits."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    digits = str(value)
    return int(digits) if len(digits) == 4 and digits.isascii() and digits.isdigit() else None


def moment_of(value: Any) -> datetime | None:
    """An aware time in UTC from ISO 8601 text or from epoch seconds or milliseconds; None if it is neither."""
    try:
        if isinstance(value, str):
            moment = datetime.fromisoformat(value)
            return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        if isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
            return datetime.fromtimestamp(value / 1000 if value >= _MILLISECONDS_FROM else value, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return None

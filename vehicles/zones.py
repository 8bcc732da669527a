"""Time zones by name. Pure functions."""

from zoneinfo import available_timezones

_KNOWN = frozenset(available_timezones())


def known_zone(name: str) -> str:
    """Returns `name`, or "UTC" if there is no such zone: an invalid setting of a fleet must not stop its history."""
    return name if name in _KNOWN else "UTC"

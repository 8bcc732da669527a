"""Time zones by name. Pure functions."""

from zoneinfo import available_timezones

_KNOWN = frozenset(available_timezones())


def known_zone(name: str) -> str:
    """The zone of this name, or UTC where there is none: a slip in a fleet's settings must not stop its history."""
    return name if name in _KNOWN else "UTC"

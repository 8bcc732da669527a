"""The selectable time zones, and parsing of entered ones. Pure functions."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo
from zoneinfo import available_timezones as _available_timezones

_AREAS = (
    "Africa/",
    "America/",
    "Antarctica/",
    "Arctic/",
    "Asia/",
    "Atlantic/",
    "Australia/",
    "Europe/",
    "Indian/",
    "Pacific/",
)


@dataclass(frozen=True, slots=True)
class Zone:
    """A time zone with its current time."""

    name: str
    now: datetime


@lru_cache(maxsize=1)
def available_timezones() -> frozenset[str]:
    """Returns the names of all time zones, including aliases. Reading them from the disk takes milliseconds."""
    return frozenset(_available_timezones())


@lru_cache(maxsize=1)
def names() -> tuple[str, ...]:
    """Returns the zones named after places, and UTC. Aliases such as US/Pacific are valid, but not offered."""
    places = (name for name in available_timezones() if name.startswith(_AREAS))
    return (*sorted(places), "UTC")


def zones(*, now: datetime) -> list[Zone]:
    """Returns all selectable zones."""
    return [Zone(name, now.astimezone(ZoneInfo(name))) for name in names()]


def is_time_zone(name: str) -> bool:
    """Returns whether there is a time zone of this exact name, which may come from a browser."""
    return name in available_timezones()


def parse_time_zone(text: str) -> str | None:
    """Returns the zone for "europe/berlin", "Berlin" or "new york"; None if there is no match or several."""
    normalized = "_".join(text.split()).casefold()
    if not normalized:
        return None
    known = {name.casefold(): name for name in available_timezones()}
    if normalized in known:
        return known[normalized]
    found = [name for name in names() if name.casefold().rpartition("/")[2] == normalized]
    return found[0] if len(found) == 1 else None

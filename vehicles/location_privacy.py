"""Decides which data reveals a vehicle's location, and leaves it out while a driver hides the location.

Pages, the API, exports, the webhook log and storage all use this one rule, each time that they read or write. The
drivers' settings are in an app above this one, which registers how to load them (`register`).
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Protocol

from vehicles.catalogue import CATALOGUE

# The signals of the catalog that are a vehicle's location.
PLACE_CODES = frozenset(code for code, signal in CATALOGUE.items() if signal.permission == "read_location")
# Signals that aren't in the catalog yet are a location if Smartcar groups them with the others.
PLACE_PREFIX = "location-"
# The keys of a body that reveal a location, in lower case.
PLACE_KEYS = frozenset(
    [
        "latitude",
        "longitude",
        "lat",
        "lng",
        "lon",
        "location",
        "address",
        "heading",
        "direction",
        "coordinates",
        "place",
    ]
)
# Finds the keys in JSON as text, in PostgreSQL.
PLACE_KEYS_PATTERN = f'"({"|".join(sorted(PLACE_KEYS))})" *:'


class LocationRules(Protocol):
    """The drivers' settings for some vehicles, as of one time."""

    def is_hidden(self, vehicle_id: int, *, at: datetime) -> bool:
        """Returns whether the location at that time must not be shown now."""


Loader = Callable[[Iterable[int], datetime], LocationRules]
_loaders: list[Loader] = []


def register(loader: Loader) -> None:
    """Sets the function that loads the rules for vehicles, by their IDs, as of a time. Called by apps above."""
    _loaders[:] = [loader]


def rules_for(*, vehicle_ids: Iterable[int], now: datetime) -> LocationRules:
    """Loads the drivers' settings for these vehicles. Raises RuntimeError if no app has registered a loader."""
    if not _loaders:
        raise RuntimeError("No app has registered the drivers' location settings.")
    return _loaders[0](vehicle_ids, now)


def is_location(code: str) -> bool:
    """Returns whether the whole signal is a location."""
    return code in PLACE_CODES or code.startswith(PLACE_PREFIX)


def reveals_location(code: str, body: Any) -> bool:
    """Returns whether the signal is a location, or its body contains one at any depth."""
    return is_location(code) or _has_place(body)


def without_location(code: str, body: Any) -> dict[str, Any] | None:
    """Returns the signal's body without locations, or None if nothing else may be shown.

    A signal of the catalog, such as charge records, retains its other values. The meaning of a signal that isn't in the
    catalog is unknown, so one with a location is left out as a whole.
    """
    if is_location(code) or not isinstance(body, Mapping) or (code not in CATALOGUE and _has_place(body)):
        return None
    stripped: dict[str, Any] = _strip(body)
    return stripped


def _has_place(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(
            (key.lower() in PLACE_KEYS and each is not None) or _has_place(each)
            for key, each in value.items()
        )
    return isinstance(value, list) and any(_has_place(each) for each in value)


def _strip(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _strip(each) for key, each in value.items() if key.lower() not in PLACE_KEYS}
    return [_strip(each) for each in value] if isinstance(value, list) else value

"""Decides which data reveals a vehicle's location, and leaves it out while a driver hides the location.

Pages, the API, exports, the webhook log and storage all use this one rule, each time that they read or write. The
drivers' settings are in an app above this one, which registers how to load them (`register`).
"""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Protocol

from vehicles.catalogue import CATALOGUE

# The signals of the catalog that are a vehicle's location.
PLACE_CODES = frozenset(code for code, signal in CATALOGUE.items() if signal.permission == "read_location")
# Signals that aren't in the catalog yet are a location if Smartcar groups them with the others.
PLACE_PREFIX = "location-"
# Keys of a body that reveal a location, in lower case and without separators: whole keys, and parts of keys.
_PLACE_KEYS = (
    *(
        "lat",
        "lng",
        "lon",
        "long",
        "latlng",
        "latlong",
        "coords",
        "geo",
        "geohash",
        "gps",
        "position",
        "place",
        "spot",
    ),
    *("heading", "bearing", "direction", "altitude", "street", "city", "zip", "zipcode", "postalcode"),
)
_PLACE_PARTS = ("latitude", "longitude", "location", "coord", "address", "gps")
_SEPARATORS = re.compile(r"[^a-z0-9]")
# Two numbers with at least three decimals each, as coordinates are written.
_PAIR = r"-?[0-9]{1,3}\.[0-9]{3,} *[,;] *-?[0-9]{1,3}\.[0-9]{3,}"
_IS_PAIR = re.compile(_PAIR)
# Finds locations in JSON as text, in PostgreSQL.
PLACE_PATTERN = f'"({"|".join(_PLACE_KEYS)}|[^"]*({"|".join(_PLACE_PARTS)})[^"]*)" *:|{_PAIR}'


def is_place_key(key: str) -> bool:
    """Returns whether the value of this key in a body reveals a location."""
    plain = _SEPARATORS.sub("", key.lower())
    return plain in _PLACE_KEYS or any(part in plain for part in _PLACE_PARTS)


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
    return is_location(code) or _has_place(body, by_value=code not in CATALOGUE)


def without_location(code: str, body: Any) -> dict[str, Any] | None:
    """Returns the signal's body without locations, or None if nothing else may be shown.

    A signal of the catalog, such as charge records, retains its other values. The meaning of a signal that isn't in the
    catalog is unknown, so one with a location is left out as a whole.
    """
    known = code in CATALOGUE
    if is_location(code) or not isinstance(body, Mapping) or (not known and _has_place(body, by_value=True)):
        return None
    stripped: dict[str, Any] = _strip(body)
    return stripped


def _has_place(value: Any, *, by_value: bool) -> bool:
    """Returns whether the value contains a location under a known key, or (`by_value`) looks like coordinates."""
    if isinstance(value, Mapping):
        return any(
            (each is not None and is_place_key(key)) or _has_place(each, by_value=by_value)
            for key, each in value.items()
        )
    if isinstance(value, list):
        text = ", ".join(str(each) for each in value if isinstance(each, float))
        return (by_value and _IS_PAIR.search(text) is not None) or any(
            _has_place(each, by_value=by_value) for each in value
        )
    return by_value and isinstance(value, str) and _IS_PAIR.search(value) is not None


def _strip(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _strip(each) for key, each in value.items() if not is_place_key(key)}
    return [_strip(each) for each in value] if isinstance(value, list) else value

"""What to call a position: by the fleet's own places, else by the nearest town.

A page makes one `Names` for its request and asks it about every car: ten thousand take less than a tenth of a second.
"""

from collections.abc import Iterable
from typing import NamedTuple

from django.utils.translation import gettext_lazy

from accounts.models import Fleet, UnitSystem
from vehicles.places.geometry import (
    Grid,
    Vector,
    compass_direction,
    kilometers_of,
    squared_chord_of,
    vector_of,
)
from vehicles.places.models import Place
from vehicles.places.selectors import list_places
from vehicles.places.towns import FARTHEST_KM, NearestTown, town_index
from vehicles.units import Unit, convert, symbol

_GRID = Grid(4)
# From the north, with the sun; "%(distance)s" comes with its unit.
_WINDS = (
    gettext_lazy("%(distance)s north of %(town)s"),
    gettext_lazy("%(distance)s northeast of %(town)s"),
    gettext_lazy("%(distance)s east of %(town)s"),
    gettext_lazy("%(distance)s southeast of %(town)s"),
    gettext_lazy("%(distance)s south of %(town)s"),
    gettext_lazy("%(distance)s southwest of %(town)s"),
    gettext_lazy("%(distance)s west of %(town)s"),
    gettext_lazy("%(distance)s northwest of %(town)s"),
)


class LocationName(NamedTuple):
    """Words for a position. `place` is the fleet's own place that it lies in, None where a town names it."""

    text: str
    place: Place | None = None

    def __str__(self) -> str:
        return self.text


class _Circle(NamedTuple):
    vector: Vector
    squared: float
    radius: int
    place: Place


class ReverseGeocoder:
    """Names positions for one fleet, in the language that is active when it is made."""

    def __init__(self, *, places: Iterable[Place], units: str) -> None:
        self._circles: dict[int, list[_Circle]] = {}
        for place in sorted(places, key=lambda place: (place.radius, place.pk or 0)):
            self._draw(place)
        self._towns = town_index()
        self._winds = [str(words) for words in _WINDS]
        unit = Unit.MILE if units == UnitSystem.IMPERIAL else Unit.KILOMETRE
        self._per_kilometre = convert(1, source=Unit.KILOMETRE, target=unit)
        self._distances = [f"{max(1, count)}\u00a0{symbol(unit)}" for count in range(round(FARTHEST_KM) + 1)]

    def name_of(self, latitude: float, longitude: float) -> LocationName | None:
        """The smallest of the fleet's places around the position, of equally small ones the nearest; else the town.

        None where neither is near: the position's coordinates are all that can be said.
        """
        vector = vector_of(latitude, longitude)
        circles = self._circles.get(_GRID.cell(latitude, longitude))
        if circles is not None and (place := _smallest_around(vector, circles)) is not None:
            return LocationName(place.name, place)
        sight = self._towns.sight_of(latitude, longitude, vector)
        if sight is None:
            return None
        return LocationName(sight.town.name if sight.inside else self._beside(latitude, longitude, sight))

    def _draw(self, place: Place) -> None:
        kilometres = place.radius / 1000
        circle = _Circle(
            vector_of(place.latitude, place.longitude), squared_chord_of(kilometres), place.radius, place
        )
        for cells in _GRID.around(place.latitude, place.longitude, kilometres):
            for cell in cells:
                self._circles.setdefault(cell, []).append(circle)

    def _beside(self, latitude: float, longitude: float, sight: NearestTown) -> str:
        town = sight.town
        direction = compass_direction(
            latitude=latitude, longitude=longitude, seen_from=(town.latitude, town.longitude)
        )
        distance = self._distances[round(kilometers_of(sight.squared) * self._per_kilometre)]
        return self._winds[direction] % {"distance": distance, "town": town.name}


def geocoder_for(*, fleet: Fleet) -> ReverseGeocoder:
    """What names positions on the fleet's pages: one query, however many are asked about."""
    return ReverseGeocoder(places=list_places(fleet=fleet), units=fleet.unit_system)


def coordinates(latitude: float, longitude: float) -> str:
    """A position in figures, to some ten metres."""
    return f"{latitude:.4f}, {longitude:.4f}"


def _smallest_around(vector: Vector, circles: list[_Circle]) -> Place | None:
    """Of circles in order of their size."""
    x, y, z = vector
    found: _Circle | None = None
    least = 0.0
    for circle in circles:
        if found is not None and circle.radius > found.radius:
            break
        a, b, c = circle.vector
        squared = (x - a) * (x - a) + (y - b) * (y - b) + (z - c) * (z - c)
        if squared <= circle.squared and (found is None or squared < least):
            found, least = circle, squared
    return None if found is None else found.place

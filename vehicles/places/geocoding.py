"""Names positions by the fleet's own places, or else by the nearest town.

A page creates one `ReverseGeocoder` per request for all vehicles: ten thousand take less than a tenth of a second.
"""

from collections.abc import Iterable
from typing import NamedTuple

from django.utils.translation import gettext_lazy

from accounts.models import Fleet, UnitSystem
from vehicles.places.geometry import (
    Grid,
    Vector,
    compass_direction,
    to_kilometers,
    to_squared_chord,
    to_vector,
)
from vehicles.places.models import Place
from vehicles.places.selectors import list_places
from vehicles.places.towns import FARTHEST_KM, NearestTown, town_index
from vehicles.units import Unit, convert, symbol

_GRID = Grid(4)
# Clockwise from the north. "%(distance)s" includes the unit.
_DIRECTIONS = (
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
    """The name of a position. `place` is the fleet's own place at the position, None if the name is a town's."""

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
    """Names positions for one fleet, in the language that is active when the geocoder is created."""

    def __init__(self, *, places: Iterable[Place], units: str) -> None:
        self._circles: dict[int, list[_Circle]] = {}
        for place in sorted(places, key=lambda place: (place.radius, place.pk or 0)):
            self._add_place(place)
        self._towns = town_index()
        self._directions = [str(text) for text in _DIRECTIONS]
        unit = Unit.MILE if units == UnitSystem.IMPERIAL else Unit.KILOMETRE
        self._per_kilometer = convert(1, source=Unit.KILOMETRE, target=unit)
        self._distances = [f"{max(1, count)}\u00a0{symbol(unit)}" for count in range(round(FARTHEST_KM) + 1)]

    def get_name(self, latitude: float, longitude: float) -> LocationName | None:
        """Returns the fleet's smallest place that contains the position (the nearest of equally small ones), or a town.

        Returns None if neither is near, so that only coordinates can describe the position.
        """
        vector = to_vector(latitude, longitude)
        circles = self._circles.get(_GRID.cell(latitude, longitude))
        if circles is not None and (place := _smallest_around(vector, circles)) is not None:
            return LocationName(place.name, place)
        nearest = self._towns.find_nearest(latitude, longitude, vector)
        if nearest is None:
            return None
        return LocationName(
            nearest.town.name if nearest.inside else self._near_town(latitude, longitude, nearest)
        )

    def _add_place(self, place: Place) -> None:
        kilometers = place.radius / 1000
        circle = _Circle(
            to_vector(place.latitude, place.longitude), to_squared_chord(kilometers), place.radius, place
        )
        for cells in _GRID.around(place.latitude, place.longitude, kilometers):
            for cell in cells:
                self._circles.setdefault(cell, []).append(circle)

    def _near_town(self, latitude: float, longitude: float, nearest: NearestTown) -> str:
        town = nearest.town
        direction = compass_direction(
            latitude=latitude, longitude=longitude, seen_from=(town.latitude, town.longitude)
        )
        distance = self._distances[round(to_kilometers(nearest.squared) * self._per_kilometer)]
        return self._directions[direction] % {"distance": distance, "town": town.name}


def geocoder_for(*, fleet: Fleet) -> ReverseGeocoder:
    """Returns a geocoder for the fleet's pages. Needs one query for any number of positions."""
    return ReverseGeocoder(places=list_places(fleet=fleet), units=fleet.unit_system)


def coordinates(latitude: float, longitude: float) -> str:
    """Formats a position with an accuracy of about ten meters."""
    return f"{latitude:.4f}, {longitude:.4f}"


def _smallest_around(vector: Vector, circles: list[_Circle]) -> Place | None:
    """Returns the smallest place that contains the point. `circles` are sorted by radius."""
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

"""Distances and a grid on the globe. Degrees and kilometers; latitudes from -90 to 90, longitudes from -180 to 180.

Distances are compared by the squared chord between two points of the unit sphere. It increases with the distance, is
correct at the poles and across the date line, and takes three multiplications.
"""

import math
from collections.abc import Iterator

EARTH_KM = 6371.0088
KM_OF_A_DEGREE = EARTH_KM * math.pi / 180

Vector = tuple[float, float, float]


def to_vector(latitude: float, longitude: float) -> Vector:
    """Returns the point of the unit sphere."""
    phi, theta = math.radians(latitude), math.radians(longitude)
    around = math.cos(phi)
    return around * math.cos(theta), around * math.sin(theta), math.sin(phi)


def squared_chord(one: Vector, other: Vector) -> float:
    """Returns the squared length of the chord between two points of the unit sphere."""
    x, y, z = one[0] - other[0], one[1] - other[1], one[2] - other[2]
    return x * x + y * y + z * z


def to_squared_chord(kilometers: float) -> float:
    """Returns the squared chord for a distance on the ground, at most halfway around the globe."""
    chord = 2 * math.sin(kilometers / (2 * EARTH_KM))
    return chord * chord


def to_kilometers(squared: float) -> float:
    """Returns the distance on the ground for a squared chord. Equivalent to the haversine formula."""
    return 2 * EARTH_KM * math.asin(min(1.0, math.sqrt(squared) / 2))


def compass_direction(*, latitude: float, longitude: float, seen_from: tuple[float, float]) -> int:
    """Returns the direction of a point, seen from a nearby one: 0 is north, 1 northeast, and so on up to 7."""
    up = latitude - seen_from[0]
    right = (longitude - seen_from[1] + 180) % 360 - 180
    right *= math.cos(math.radians(seen_from[0]))
    return round(math.degrees(math.atan2(right, up)) / 45) % 8


class Grid:
    """A grid of `per_degree` cells per degree, numbered by row from the south pole and eastward from the date line."""

    def __init__(self, per_degree: int) -> None:
        self.per_degree = per_degree
        self.columns = 360 * per_degree
        self.rows = 180 * per_degree

    def cell(self, latitude: float, longitude: float) -> int:
        """Returns the number of the cell that contains the point."""
        row = min(int((latitude + 90) * self.per_degree), self.rows - 1)
        return row * self.columns + math.floor((longitude + 180) * self.per_degree) % self.columns

    def center(self, cell: int) -> tuple[float, float]:
        """Returns latitude and longitude of the center of the cell."""
        row, column = divmod(cell, self.columns)
        return (row + 0.5) / self.per_degree - 90, (column + 0.5) / self.per_degree - 180

    @property
    def reach_km(self) -> float:
        """The maximum distance of a point in a cell from the cell's center."""
        return KM_OF_A_DEGREE / self.per_degree * math.sqrt(0.5)

    def around(self, latitude: float, longitude: float, kilometers: float) -> Iterator[range]:
        """Yields ranges of cells, at least one, that together contain every point within `kilometers` of this one."""
        degrees = kilometers / KM_OF_A_DEGREE * (1 + 1e-9)
        first = max(0, math.floor((latitude - degrees + 90) * self.per_degree))
        last = min(self.rows - 1, math.floor((latitude + degrees + 90) * self.per_degree))
        aside = _degrees_aside(latitude, degrees)
        west = math.floor((longitude - aside + 180) * self.per_degree)
        east = math.floor((longitude + aside + 180) * self.per_degree)
        for row in range(first, last + 1):
            for start, stop in self._columns(west, east):
                yield range(row * self.columns + start, row * self.columns + stop)

    def _columns(self, west: int, east: int) -> list[tuple[int, int]]:
        """Returns the column ranges from west to east (inclusive), split in two at the date line."""
        if east - west + 1 >= self.columns:
            return [(0, self.columns)]
        start, stop = west % self.columns, east % self.columns
        if start <= stop:
            return [(start, stop + 1)]
        return [(start, self.columns), (0, stop + 1)]


def _degrees_aside(latitude: float, degrees: float) -> float:
    """Returns how far east and west a circle with a radius of `degrees` extends, in degrees of longitude."""
    if abs(latitude) + degrees >= 90:
        return 180.0
    ratio = math.sin(math.radians(degrees)) / math.cos(math.radians(latitude))
    return math.degrees(math.asin(min(1.0, ratio))) * (1 + 1e-9)

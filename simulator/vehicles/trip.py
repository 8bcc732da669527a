"""Where a vehicle is on a trip: along the legs of its path, from block to block, with a stop at each corner."""

import math
from bisect import bisect_right
from functools import lru_cache
from itertools import pairwise
from typing import Final, NamedTuple

from simulator.vehicles.city import EAST, NORTH, Place, Point, route

_BLOCK: Final = 650.0


class Fix(NamedTuple):
    """Position in degrees, heading in degrees from north, speed in km/h, meters since the trip's start."""

    latitude: float
    longitude: float
    heading: float
    speed: float
    meters: float


class _Leg(NamedTuple):
    start: Point
    end: Point
    before: float  # meters
    length: float
    heading: float


class Path:
    """The path between two places, cut into legs."""

    __slots__ = ("_legs", "_starts", "length")

    def __init__(self, corners: list[Point]) -> None:
        self._legs: list[_Leg] = []
        self.length = 0.0
        for start, end in pairwise(corners):
            north, east = (end[0] - start[0]) * NORTH, (end[1] - start[1]) * EAST
            length = math.hypot(north, east)
            if length > 0.5:
                heading = round(math.degrees(math.atan2(east, north)) % 360.0, 1) % 360.0
                self._legs.append(_Leg(start, end, self.length, length, heading))
                self.length += length
        self._starts = [leg.before for leg in self._legs]

    def fix(self, driven: float, *, seconds: float) -> Fix:
        """Return where the vehicle is after driving for some of the trip's ``seconds``."""
        meters = min(max(driven / seconds, 0.0), 1.0) * self.length
        leg = self._legs[max(0, bisect_right(self._starts, meters) - 1)]
        blocks = max(1, math.ceil(leg.length / _BLOCK))
        size = leg.length / blocks
        block = min(int((meters - leg.before) / size), blocks - 1)
        inside = min(max((meters - leg.before) / size - block, 0.0), 1.0)
        turn = 2.0 * math.pi * inside
        along = (block + inside - math.sin(turn) / (2.0 * math.pi)) * size
        share = along / leg.length
        return Fix(
            leg.start[0] + (leg.end[0] - leg.start[0]) * share,
            leg.start[1] + (leg.end[1] - leg.start[1]) * share,
            leg.heading,
            self.length / seconds * (1.0 - math.cos(turn)) * 3.6,
            max(0.0, leg.before + along),
        )

    @property
    def last_heading(self) -> float:
        return self._legs[-1].heading if self._legs else 0.0


@lru_cache(maxsize=4096)
def path_between(start: Place, end: Place, turns: tuple[float, float]) -> Path:
    """Return the path between two places. Cached, because a moving vehicle needs it repeatedly."""
    return Path(route(start, end, turns=turns))

"""The simulator's San Francisco: land, places and streets.

There are two street grids, as in the city: north-south and east-west streets in most of it, and the grid south of
Market Street, turned by 45 degrees. The land is a stack of bands that share a common core of longitudes, so that a
staircase of legs between any two points stays on land if it turns at the end nearer to the core. Lake Merced, the
ocean, the bay and the Mission Creek channel are outside. Distances are meters along the streets.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from random import Random

from simulator.vehicles.names import SOMA_STREETS, STREETS

BANDS = (  # south, north, west, east
    (37.708, 37.737, -122.480, -122.399),
    (37.737, 37.785, -122.503, -122.399),
    (37.785, 37.796, -122.476, -122.399),
    (37.796, 37.804, -122.468, -122.405),
)
CORE = (-122.468, -122.405)
ORIGIN = (37.75, -122.44)
NORTH = 110_990.0  # Meters in a degree of latitude here.
EAST = 111_320.0 * math.cos(math.radians(ORIGIN[0]))

# South of Market: `along` meters down Market Street from Second Street, `off` meters to the south-east.
_MARKET = (37.7885, -122.4005)
_SOMA_LENGTH, _SOMA_WIDTH, _FIRST_GATE = 2200.0, 650.0, 300.0
_DIAGONAL = math.sqrt(0.5)

Point = tuple[float, float]  # latitude, longitude


@dataclass(frozen=True, slots=True)
class OtherCity:
    """A city in which vehicles have the same days on the same street grid, moved there by ``shift`` in degrees.

    ``hours_ahead`` is its time ahead of San Francisco's.
    """

    shift: Point
    hours_ahead: float


MUNICH = OtherCity(shift=(48.1425 - 37.756, 11.5725 + 122.441), hours_ahead=9.0)


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """A destination of vehicles.

    In the turned grid ``soma`` is its position there, and ``gate`` how far down Market Street its route leaves the
    main grid. Both are None in the main grid.
    """

    name: str
    address: str
    latitude: float
    longitude: float
    soma: Point | None = None
    gate: float | None = None

    @property
    def point(self) -> Point:
        return self.latitude, self.longitude


def _soma_place(name: str, address: str, along: float, off: float) -> Place:
    return Place(name, address, *_soma_point(along, off), (along, off), max(along, _FIRST_GATE))


def _soma_point(along: float, off: float) -> Point:
    north = (-along - off) * _DIAGONAL
    east = (-along + off) * _DIAGONAL
    return _MARKET[0] + north / NORTH, _MARKET[1] + east / EAST


def _soma_position(point: Point) -> Point:
    north = (point[0] - _MARKET[0]) * NORTH
    east = (point[1] - _MARKET[1]) * EAST
    return -(north + east) * _DIAGONAL, (east - north) * _DIAGONAL


def _in_main_grid(point: Point) -> bool:
    latitude, longitude = point
    return any(s <= latitude <= n and w <= longitude <= e for s, n, w, e in BANDS)


def on_land(latitude: float, longitude: float, *, tolerance: float = 15.0) -> bool:
    """Return whether vehicles of the simulator may be at this point. ``tolerance`` is in meters."""
    along, off = _soma_position((latitude, longitude))
    if -tolerance <= along <= _SOMA_LENGTH + tolerance and -tolerance <= off <= _SOMA_WIDTH + tolerance:
        return True
    dy, dx = tolerance / NORTH, tolerance / EAST
    return any(s - dy <= latitude <= n + dy and w - dx <= longitude <= e + dx for s, n, w, e in BANDS)


def place_at(latitude: float, longitude: float) -> Place | None:
    """Return an unnamed place at a point of the city, or None if no vehicle can drive there."""
    if _in_main_grid((latitude, longitude)):
        return Place("", "", latitude, longitude)
    if on_land(latitude, longitude):
        return _soma_place("", "", *_soma_position((latitude, longitude)))
    return None


def _to_main_grid(place: Place) -> tuple[Point, float]:
    """Return where the route to or from a place meets the main grid, and how many meters away that is."""
    if place.soma is None or place.gate is None:
        return place.point, 0.0
    along, off = place.soma
    return _soma_point(place.gate, 0.0), place.gate - along + off


def distance(start: Place, end: Place) -> float:
    """Return the distance in meters along the streets."""
    if start.soma and end.soma:
        return abs(start.soma[0] - end.soma[0]) + abs(start.soma[1] - end.soma[1])
    (y0, x0), first = _to_main_grid(start)
    (y1, x1), last = _to_main_grid(end)
    return first + abs(y0 - y1) * NORTH + abs(x0 - x1) * EAST + last


def _staircase(start: Point, end: Point, turns: Point) -> list[Point]:
    """Return the corners of a route in the main grid after its start. ``turns`` (0 to 1) choose its turns."""
    (y0, x0), (y1, x1) = start, end
    west, east = max(min(x0, x1), CORE[0]), min(max(x0, x1), CORE[1])
    if west > east:  # Both are on one side of the core: turn at the end nearer to it.
        turn = max(x0, x1) if max(x0, x1) < CORE[0] else min(x0, x1)
        return [(y0, turn), (y1, turn), end]
    first, second = (west + (east - west) * part for part in sorted(turns, reverse=x0 > x1))
    middle = y0 + (y1 - y0) * turns[1]
    return [(y0, first), (middle, first), (middle, second), (y1, second), end]


def route(start: Place, end: Place, *, turns: Point) -> list[Point]:
    """Return the corners of the route between two places. Legs follow the streets and stay on land."""
    points = [start.point]
    if start.soma and end.soma:
        return [*points, _soma_point(end.soma[0], start.soma[1]), end.point]
    if start.soma and start.gate is not None:
        points += [_soma_point(start.gate, start.soma[1]), _soma_point(start.gate, 0.0)]
    points += _staircase(points[-1], _to_main_grid(end)[0], turns)
    if end.soma and end.gate is not None:
        points += [_soma_point(end.gate, end.soma[1]), end.point]
    return points


def _random_place(rng: Random, name: str) -> Place:
    if rng.random() < 0.16:
        along, off = rng.uniform(0, _SOMA_LENGTH), rng.uniform(20, _SOMA_WIDTH)
        latitude, longitude = _soma_point(along, off)
        return Place(
            name, f"{rng.randrange(100, 1400)} {rng.choice(SOMA_STREETS)}", latitude, longitude, (along, off)
        )
    south, north, west, east = rng.choices(BANDS, weights=(5, 10, 3, 2))[0]
    address = f"{rng.randrange(100, 4800)} {rng.choice(STREETS)}"
    return Place(name, address, round(rng.uniform(south, north), 6), round(rng.uniform(west, east), 6))


@dataclass(frozen=True, slots=True)
class City:
    """The places of one seeded city."""

    depots: Sequence[Place]
    homes: Sequence[Place]
    customers: Sequence[Place]
    chargers: Sequence[Place]
    stations: Sequence[Place]


@cache
def build_city(seed: int) -> City:
    """Return the places for this seed, the same for every number of vehicles."""
    rng = Random(seed * 2_654_435_761 + 17)  # noqa: S311 - reproducible runs, nothing secret

    def places(count: int, name: str) -> tuple[Place, ...]:
        return tuple(_random_place(rng, f"{name} {number}") for number in range(1, count + 1))

    return City(
        depots=places(4, "Depot"),
        homes=places(240, "Home"),
        customers=places(320, "Customer"),
        chargers=places(24, "Public charger"),
        stations=places(20, "Fuel station"),
    )

"""Routes: the trips of a working day, shared by all vehicles of a fleet with the same job.

A route is a list of trips from a base through stops back to the base. Vehicles share routes, with starts and small
time shifts of their own, so that ten thousand vehicles need little memory.
"""

from array import array
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from simulator.vehicles.city import City, Place, distance
from simulator.vehicles.city_time import HOUR

_PACE: Final = (5.4, 7.4)  # Meters a second through the city, including waits at lights.


@dataclass(frozen=True, slots=True)
class Role:
    """A vehicle's job: the hour its shift starts, its hours, the minutes at each stop, and the days it works."""

    name: str
    starts: tuple[float, float]
    hours: tuple[float, float]
    stays: tuple[float, float]
    week: str  # One letter for each day from Monday: A and B working days, C Saturday, D Sunday, - off.
    depot: bool
    nightly: bool  # Charges every night.
    break_charge: bool = False


DELIVERY: Final = Role("delivery", (6.0, 7.5), (9.5, 11.0), (2.0, 7.0), "ABABACD", True, True)
SERVICE: Final = Role("service", (7.0, 8.5), (8.5, 9.5), (25.0, 70.0), "ABABAC-", True, False)
COMMUTER: Final = Role("commuter", (6.8, 8.8), (9.5, 11.5), (140.0, 260.0), "ABABACD", False, False)
EARLY: Final = Role("early", (3.8, 5.0), (10.0, 11.0), (1.5, 5.0), "ABABACD", False, True, True)
EVENING: Final = Role("evening", (12.0, 13.5), (10.5, 11.5), (1.5, 5.0), "ABABACD", False, True, True)
NIGHT: Final = Role("night", (18.0, 19.5), (10.5, 11.5), (1.5, 5.0), "ABABACD", True, True, True)
POOL: Final = Role("pool", (9.0, 10.0), (5.0, 7.0), (30.0, 80.0), "-B-----", True, True)

# Any twelve in a row give a small demo activity at every hour.
_CREW: Final = (
    DELIVERY, NIGHT, COMMUTER, EVENING, EARLY, NIGHT, SERVICE, DELIVERY, EVENING, NIGHT, EARLY, EVENING,
)  # fmt: skip


def role_for(index: int) -> Role:
    """Return the role of the n-th vehicle. One vehicle in 24 is a pool vehicle that is mostly parked."""
    return POOL if index % 24 == 18 else _CREW[index % len(_CREW)]


@dataclass(frozen=True, slots=True)
class DailyRoute:
    """The trips of a day. Trip n is from ``places[n]`` at ``departs[n]`` to ``places[n + 1]`` at ``arrives[n]``.

    Times are seconds after the route's first departure. ``km[n]`` is driven before trip n. The last entry is the
    total.
    """

    places: tuple[Place, ...]
    departs: Sequence[float]
    arrives: Sequence[float]
    km: Sequence[float]
    pace: float
    charging: tuple[tuple[int, float], ...]  # (trip to a public charger, its kW)
    refuels: int | None  # Trip to a fuel station.
    turns: tuple[float, float]

    @property
    def length(self) -> float:
        return self.arrives[-1]

    @property
    def total_km(self) -> float:
        return self.km[-1]

    def trip_at(self, seconds: float) -> int:
        """Return the trip begun last, -1 before the first departure."""
        return bisect_right(self.departs, seconds) - 1


class _Draft:
    """A route under construction."""

    def __init__(self, base: Place, pace: float) -> None:
        self.places = [base]
        self.departs, self.arrives, self.km = array("d"), array("d"), array("d", [0.0])
        self.pace, self.clock = pace, 0.0

    def go(self, place: Place, stay: float) -> None:
        meters = distance(self.places[-1], place)
        self.departs.append(self.clock)
        self.arrives.append(self.clock + meters / self.pace)
        self.clock = self.arrives[-1] + stay
        self.km.append(self.km[-1] + meters / 1000)
        self.places.append(place)


def build_route(
    rng: Random, *, role: Role, city: City, base: Place, fast_charges: bool, refuels: bool
) -> DailyRoute:
    """Build a route from stop to stop until the shift is over, with a charging break or a fuel stop if needed."""
    draft = _Draft(base, rng.uniform(*_PACE))
    budget = rng.uniform(*role.hours) * HOUR
    charging: list[tuple[int, float]] = []
    pending = role.break_charge and fast_charges
    while draft.clock < budget:
        if pending and draft.clock > budget * 0.45:
            pending = False
            charging.append((len(draft.departs), rng.choice((50.0, 62.5, 150.0))))
            draft.go(_other(rng, city.chargers, draft.places[-1]), rng.uniform(28, 45) * 60)
        else:
            draft.go(_other(rng, city.customers, draft.places[-1]), rng.uniform(*role.stays) * 60)
    fuel_stop = len(draft.departs) if refuels else None
    if refuels:
        draft.go(_other(rng, city.stations, draft.places[-1]), rng.uniform(5, 9) * 60)
    draft.go(base, 0.0)
    return DailyRoute(
        places=tuple(draft.places),
        departs=draft.departs,
        arrives=draft.arrives,
        km=draft.km,
        pace=draft.pace,
        charging=tuple(charging),
        refuels=fuel_stop,
        turns=(rng.random(), rng.random()),
    )


def _other(rng: Random, places: Sequence[Place], here: Place) -> Place:
    """Return a random place at least 400 meters of street away."""
    while True:
        place = rng.choice(places)
        if distance(here, place) >= 400.0:
            return place

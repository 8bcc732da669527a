"""A vehicle's week: what it does on which weekday, planned once and repeated with small time shifts.

A schedule is periodic, so that any moment of any year is found without simulating the time before it: odometer, state
of charge and fuel level at the start of a day follow from the weekday.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from simulator.vehicles.city import EAST, NORTH, City, Place, Point
from simulator.vehicles.city_time import CITY_TIME, DAY, HOUR, weekday
from simulator.vehicles.energy import EFFICIENCY
from simulator.vehicles.models import Model
from simulator.vehicles.routes import DailyRoute, Role, build_route

RESERVE: Final = 15.0  # Percent that a plug-in hybrid reserves before it burns fuel.
REFUEL_BELOW: Final = 40.0
_LEAD: Final = 1800.0  # A day begins this many seconds before its earliest departure.
_JITTER: Final = 600.0
_VARIANTS: Final = 16
_ASIDE: Final = 12.0  # meters


@dataclass(frozen=True, slots=True)
class WeeklySchedule:
    """The week of one vehicle from Monday. A day begins at ``boundary`` (local), parked at the base."""

    base: Place
    offset: Point  # Degrees by which the vehicle is beside others.
    base_kw: float
    limit: float
    patience: float  # 0 to 1: how late in the night it charges.
    boundary: float
    week: tuple[DailyRoute | None, ...]
    starts: tuple[float, ...]  # First departure of each weekday, seconds after the boundary.
    charges: tuple[bool, ...]  # Whether it is plugged in after its route.
    prefix: tuple[float, ...]  # km driven from Monday's start to each weekday's start, and the week's total
    soc: tuple[float, ...]  # At the start of each weekday.
    fuel: tuple[float, ...]

    def day_number(self, moment: float) -> int:
        """Return the number of the vehicle's day at this moment (epoch seconds)."""
        return int((moment + CITY_TIME - self.boundary) // DAY)

    def start_of_day(self, day: int) -> float:
        """Return the epoch seconds at which the vehicle's day begins."""
        return day * DAY - CITY_TIME + self.boundary

    def departs(self, day: int, *, shift: float) -> float | None:
        """Return when the day's first departure is, ``shift`` seconds from the usual. None on a day off."""
        return self.start_of_day(day) + self.starts[weekday(day)] + shift if self.week[weekday(day)] else None

    def km_before(self, day: int) -> float:
        """Return the kilometers driven from a fixed Monday in the past to the start of the day."""
        weeks, rest = divmod(day + 3, 7)
        return weeks * self.prefix[7] + self.prefix[rest]


class RouteLibrary:
    """The routes of a fleet, built on first use."""

    def __init__(self, *, seed: int, city: City) -> None:
        self._seed, self._city = seed, city
        self._routes: dict[tuple[str, int, str, bool, bool], DailyRoute] = {}

    def daily_route(self, *, role: Role, variant: int, letter: str, base: Place, model: Model) -> DailyRoute:
        key = (role.name, variant, letter, model.dc_kw > 0, model.combustion)
        found = self._routes.get(key)
        if found is None:
            rng = Random(f"{self._seed}:{role.name}:{variant}:{letter}")  # noqa: S311 - reproducible runs
            found = self._routes[key] = build_route(
                rng, role=role, city=self._city, base=base, fast_charges=key[3], refuels=key[4]
            )
        return found

    def base(self, *, role: Role, variant: int) -> Place:
        """Return where vehicles with this job are parked when off duty: a depot or a home."""
        rng = Random(f"{self._seed}:{role.name}:{variant}:base")  # noqa: S311 - reproducible runs
        return rng.choice(self._city.depots if role.depot else self._city.homes)


def _nights(role: Role, model: Model, km: Sequence[float]) -> tuple[bool, ...]:
    """Return after which days the vehicle is plugged in: each, or if the next day needs more charge."""
    if not model.electric:
        return (False,) * 7
    if role.nightly or model.combustion:
        return (True,) * 7
    nights, since = [False] * 7, 0.0
    for day in range(7):
        since += km[day]
        if day == 6 or (since + km[day + 1]) * model.percent_per_km > 38.0:
            nights[day], since = True, 0.0
    return tuple(nights)


def charge_week(
    model: Model, *, km: Sequence[float], charges: Sequence[bool], limit: float
) -> tuple[float, ...]:
    """Return the state of charge at the start of each weekday: the limit after a night of charging, or what is left."""
    if not model.electric:
        return (0.0,) * 7
    level, levels = limit, [0.0] * 7
    for turn in range(14):
        day = turn % 7
        levels[day] = level
        level = limit if charges[day] else max(0.0, level - km[day] * model.percent_per_km)
    return tuple(levels)


def electric_km(model: Model, soc: float) -> float:
    """Return how far a plug-in hybrid drives before it burns fuel."""
    return max(0.0, soc - RESERVE) / model.percent_per_km if model.electric else 0.0


def _burnt(model: Model, daily_route: DailyRoute, soc: float) -> tuple[float, float]:
    """Return the fuel (percent of the tank) used until the fuel stop of a route, and after it."""
    if daily_route.refuels is None:
        return 0.0, 0.0
    free = electric_km(model, soc)
    before = max(0.0, daily_route.km[daily_route.refuels + 1] - free)
    whole = max(0.0, daily_route.total_km - free)
    return before * model.fuel_percent_per_km, (whole - before) * model.fuel_percent_per_km


def _fuel_week(model: Model, *, week: Sequence[DailyRoute | None], soc: Sequence[float]) -> tuple[float, ...]:
    """Return the fuel level at the start of each weekday. The tank is always filled on the last working day."""
    levels = [0.0] * 7
    if not model.combustion:
        return tuple(levels)
    used = [
        _burnt(model, daily_route, soc[day]) if daily_route else (0.0, 0.0)
        for day, daily_route in enumerate(week)
    ]
    last = max(day for day in range(7) if week[day])
    level = 100.0 - used[last][1]
    for turn in range(last + 1, last + 8):
        day = turn % 7
        levels[day] = level
        level -= used[day][0]
        if week[day] and level < REFUEL_BELOW:
            level = 100.0
        level = max(0.0, level - used[day][1])
    return tuple(levels)


def _base_power(rng: Random, *, model: Model, rounds: Iterable[DailyRoute], drain: float) -> float:
    """Return the power of the charger at the base: enough to recharge after the longest time without charging."""
    if not model.electric:
        return 0.0
    idle = (DAY - max(daily_route.length for daily_route in rounds) - 2 * _LEAD) / HOUR
    need = min(drain, 100.0) / 100.0 * model.battery / EFFICIENCY
    return min(model.ac_kw, max(rng.choice((3.7, 3.7, 5.0, 7.2)), 1.5 * need / max(idle - 2.0, 1.0)))


def plan_week(
    rng: Random, *, index: int, role: Role, library: RouteLibrary, model: Model, shift: Point = (0.0, 0.0)
) -> WeeklySchedule:
    """Plan the week of the n-th vehicle. The same generator state and library give the same week.

    ``shift`` moves it to another city, by degrees.
    """
    variant = index // 12 % _VARIANTS * 12 + index % 12
    base = library.base(role=role, variant=variant)
    letters = sorted(set(role.week) - {"-"})
    rounds = {
        letter: library.daily_route(role=role, variant=variant, letter=letter, base=base, model=model)
        for letter in letters
    }
    starts = {letter: rng.uniform(*role.starts) * HOUR for letter in letters}
    boundary = min(starts.values()) - _LEAD
    week = tuple(rounds.get(letter) for letter in role.week)
    km = [daily_route.total_km if daily_route else 0.0 for daily_route in week]
    charges = _nights(role, model, [*km, km[0]])
    limit = 100.0 if model.combustion else float(rng.choice((80, 80, 85, 90)))
    soc = charge_week(model, km=km, charges=charges, limit=limit)
    drain = limit - min(soc) + max(km) * model.percent_per_km
    return WeeklySchedule(
        base=base,
        offset=(
            shift[0] + rng.uniform(-_ASIDE, _ASIDE) / NORTH,
            shift[1] + rng.uniform(-_ASIDE, _ASIDE) / EAST,
        ),
        base_kw=_base_power(rng, model=model, rounds=rounds.values(), drain=drain),
        limit=limit,
        patience=rng.random(),
        boundary=boundary,
        week=week,
        starts=tuple(starts.get(letter, boundary) - boundary for letter in role.week),
        charges=charges,
        prefix=tuple(sum(km[:day]) for day in range(8)),
        soc=soc,
        fuel=_fuel_week(model, week=week, soc=soc),
    )


def jitter(rng: Random) -> float:
    """Return how many seconds earlier or later than planned a day's shift begins."""
    return rng.uniform(-_JITTER, _JITTER)

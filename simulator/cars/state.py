"""What a car is like at one moment: everything that its signals tell, before it is put into words."""

import math
from dataclasses import dataclass
from random import Random
from typing import Final

from simulator.cars.energy import power_at
from simulator.cars.routine import CITY_TIME, DAY

LOCK_AFTER: Final = 25.0  # seconds from arriving to locking
UNLOCK_BEFORE: Final = 20.0  # seconds from unlocking to leaving
TYRE_KPA: Final = 250.0


@dataclass(frozen=True, slots=True)
class State:
    """Degrees, km, km/h, percent, kW, kPa, degrees Celsius, epoch seconds."""

    at: float
    driving: bool
    speed: float
    heading: float
    latitude: float
    longitude: float
    odometer: float
    soc: float
    fuel: float
    limit: float
    plugged: bool
    charging: bool
    kw: float
    fast: bool
    charge_ends: float
    energy_added: float
    locked: bool
    doors: frozenset[tuple[int, int]]
    windows: frozenset[tuple[int, int]]
    trunk: bool
    frunk: bool
    hood: bool
    sunroof: bool
    port: bool
    asleep: bool
    deep: bool
    at_home: bool
    outside: float
    cabin: float
    climate: bool
    tyres: tuple[float, ...]
    faults: tuple[str, ...]
    parked: tuple[float, float]  # where it last parked


def outside_temperature(moment: float) -> float:
    """San Francisco's air: mild, warmest in the afternoon and in September."""
    local = moment + CITY_TIME
    hour = 2 * math.pi * (local % DAY) / DAY
    season = 2 * math.pi * (local / DAY % 365.25) / 365.25
    noise = Random(int(local // DAY)).uniform(-2.0, 2.0)  # noqa: S311 - weather, nothing secret
    return 14.0 - 2.5 * math.cos(season - 0.4) - 3.5 * math.cos(hour - 0.9) + noise


def charging_power(*, soc: float, kw: float, fast: bool) -> float:
    """kW into the battery."""
    return power_at(soc, kw=kw, fast=fast)

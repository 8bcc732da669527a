"""What a car is like at one moment: everything that its signals tell, before it is put into words."""

import math
from typing import Any, Final, NamedTuple

from simulator.cars.city import Point
from simulator.cars.clocks import CITY_TIME, DAY
from simulator.cars.day import Day, Spot
from simulator.cars.incidents import FORTNIGHT, health
from simulator.cars.life import Life
from simulator.cars.phases import Phase
from simulator.cars.reporting import LOCK_AFTER, UNLOCK_BEFORE, asleep, deeply_asleep
from simulator.cars.schedules import Schedule

Cells = frozenset[tuple[int, int]]
_NONE: Final[Cells] = frozenset()
_TYRE: Final = 250.0  # kPa
_WARM: Final = 8.0  # kPa more on a warm tyre


class State(NamedTuple):
    """Degrees, km, km/h, percent, kW, kWh, kPa, degrees Celsius, epoch seconds.

    ``kw`` is what the charger gives; ``parked`` where the car stands or last stood; ``deep`` that it sleeps and takes
    no call.
    """

    at: float
    driving: bool
    speed: float
    heading: float
    latitude: float
    longitude: float
    parked: Point
    at_base: bool
    odometer: float
    soc: float
    fuel: float
    limit: float
    schedules: tuple[Schedule, ...]
    plugged: bool
    charging: bool
    kw: float
    fast: bool
    charge_ends: float
    energy_added: float
    session: float  # when the last charging session of the day ended, 0 if there was none
    asleep: bool
    deep: bool
    reachable: bool
    in_service: bool
    digital_key: bool
    outside: float
    cabin: float
    climate: bool
    locked: bool = True
    doors: Cells = _NONE
    windows: Cells = _NONE
    trunk: bool = False
    frunk: bool = False
    hood: bool = False
    sunroof: bool = False
    port: bool = False
    tyres: tuple[float, ...] = ()
    faults: tuple[str, ...] = ()


def observe(life: Life, moment: float) -> State:
    """The car at this moment."""
    day = life.day(moment)
    spot, phase = day.spot(moment), day.phase_at(moment)
    fix = day.fix(moment, spot)
    km = day.km_at(moment)
    soc, fuel = day.levels(moment, km)
    set_speed = life.held("speed", moment)
    speed = fix.speed if set_speed is None else float(set_speed)
    driving = spot.driving if set_speed is None else speed > 0
    plugged = phase.plugged and not spot.driving
    charging = plugged and phase.charging_at(moment)
    outside = outside_temperature(moment)
    return State(
        at=moment,
        driving=driving,
        speed=round(speed, 1),
        heading=fix.heading,
        latitude=round(fix.latitude, 6),
        longitude=round(fix.longitude, 6),
        parked=day.origin(spot),
        at_base=not driving and spot.place == life.routine.base,
        odometer=_odometer(life, day, km),
        soc=soc,
        fuel=fuel,
        limit=phase.limit,
        schedules=phase.schedules,
        plugged=plugged,
        charging=charging,
        kw=phase.kw if charging else 0.0,
        fast=plugged and phase.fast,
        charge_ends=phase.charge_end if charging else 0.0,
        energy_added=_energy_added(life, day, phase, moment),
        session=max((end for _, end in day.sessions() if end <= moment), default=0.0),
        asleep=asleep(life, moment),
        deep=deeply_asleep(life, moment),
        reachable=_chosen(life, "reachable", moment, usual=True),
        in_service=_chosen(life, "in_service", moment, usual=False),
        digital_key=_chosen(life, "digital_key", moment, usual=life.facts.index % 8 != 5),
        outside=outside,
        cabin=21.5 if driving else round(outside + 3.0, 1),
        climate=_chosen(life, "climate", moment, usual=driving),
        **_closures(life, spot, moment, plugged=plugged),
        **_condition(life, day, moment, driving=driving),
    )


def _chosen(life: Life, name: str, moment: float, *, usual: bool) -> bool:
    value = life.held(name, moment)
    return usual if value is None else bool(value)


def outside_temperature(moment: float) -> float:
    """San Francisco's air: mild, warmest in the afternoon and in September."""
    local = moment + CITY_TIME
    hour = 2 * math.pi * (local % DAY) / DAY
    season = 2 * math.pi * (local / DAY % 365.25) / 365.25
    cycle = math.sin(local / DAY * 0.9) + math.sin(local / DAY * 0.37)
    return round(14.0 - 2.5 * math.cos(season - 0.4) - 3.5 * math.cos(hour - 0.9) + cycle, 1)


def _odometer(life: Life, day: Day, km: float) -> float:
    routine = life.routine
    begun = routine.km_before(routine.day_of(life.start))
    extra = life.deviation.odometer if life.deviation else 0.0
    return life.facts.first_km + routine.km_before(day.number) - begun + km + extra


def _energy_added(life: Life, day: Day, phase: Phase, moment: float) -> float:
    """kWh of the charging session that goes on, or of the last one while the cable is still in."""
    if not phase.charges or moment < phase.charge_start:
        return 0.0
    soc, _ = day.levels(moment, phase.km)
    return max(0.0, soc - phase.begun_soc) / 100.0 * life.facts.model.battery


def _closures(life: Life, spot: Spot, moment: float, *, plugged: bool) -> dict[str, Any]:
    """Locks, doors and windows: the driver's habits and lapses, and what somebody set."""
    lapse = life.lapses(moment)
    found: dict[str, Any] = {"locked": _usually_locked(spot, moment), "port": plugged}
    if not spot.driving and spot.trip >= 0:
        stood, stop = moment - spot.since, spot.trip
        settled = stood >= LOCK_AFTER and moment < spot.until - UNLOCK_BEFORE
        if stop == lapse.unlocked:
            found["locked"] = False
        if stop == lapse.door and stood < lapse.door_closed:
            found.update(doors=frozenset({_fitting(life, lapse.door_at)}), locked=False)
        elif 4.0 <= stood < 15.0:
            found["doors"] = frozenset({(0, 0)})
        if stop == lapse.window and settled:
            found["windows"] = frozenset({_fitting(life, (0, 1))})
        found["trunk"] = stop == lapse.trunk and settled
    return _as_set(life, moment, found)


def _usually_locked(spot: Spot, moment: float) -> bool:
    if spot.driving:
        return True
    arrived = moment - spot.since >= LOCK_AFTER or spot.trip < 0
    return arrived and moment < spot.until - UNLOCK_BEFORE


def _fitting(life: Life, cell: tuple[int, int]) -> tuple[int, int]:
    rows, columns = life.facts.model.doors
    return min(cell[0], rows - 1), min(cell[1], columns - 1)


def _as_set(life: Life, moment: float, found: dict[str, Any]) -> dict[str, Any]:
    if life.deviation is None:
        return found
    for name in ("locked", "trunk", "frunk", "hood", "sunroof", "port"):
        value = life.held(name, moment)
        if value is not None:
            found[name] = value
    for name in ("doors", "windows"):
        value = life.held(name, moment)
        if value is not None:
            found[name] = frozenset((row, column) for row, column in value)
    return found


def _condition(life: Life, day: Day, moment: float, *, driving: bool) -> dict[str, Any]:
    """Tyres and warnings."""
    fortnight, since = divmod(day.number, FORTNIGHT)
    ill = health(seed=life.seed, index=life.facts.index, fortnight=fortnight, model=life.facts.model)
    tyres, faults = life.held("tyres", moment), life.held("warnings", moment)
    if tyres is None:
        tyres = [_TYRE + wear + (_WARM if driving else 0.0) for wear in ill.wear]
        if ill.tyre is not None:
            tyres[ill.tyre] -= ill.loss * (since + 1) / FORTNIGHT
    if faults is None:
        faults = (name for name, first in ill.faults if since >= first)
    return {"tyres": tuple(round(pressure, 1) for pressure in tyres), "faults": tuple(faults)}

"""A vehicle's state at one moment: everything that its signals report, before it is formatted."""

import math
from typing import Any, Final, NamedTuple

from simulator.vehicles.charge_schedules import Schedule
from simulator.vehicles.city import Point
from simulator.vehicles.city_time import CITY_TIME, DAY
from simulator.vehicles.daily_plan import DailyPlan, TripStatus
from simulator.vehicles.energy_phases import Phase
from simulator.vehicles.incidents import FORTNIGHT, health
from simulator.vehicles.lifecycle import Lifecycle
from simulator.vehicles.reporting import LOCK_AFTER, UNLOCK_BEFORE, asleep, deeply_asleep

Cells = frozenset[tuple[int, int]]
_NONE: Final[Cells] = frozenset()
_TIRE: Final = 250.0  # kPa
_WARM: Final = 8.0  # kPa more in a warm tire


class StateSnapshot(NamedTuple):
    """A vehicle's state. Degrees, km, km/h, percent, kW, kWh, kPa, degrees Celsius, epoch seconds of plan time.

    ``kw`` is the charger's power. ``parked`` is where the vehicle is or was last parked. ``deep`` means that it
    sleeps and rejects commands.
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
    session: float  # When the last charging session of the day ended, 0 if there was none.
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
    tires: tuple[float, ...] = ()
    faults: tuple[str, ...] = ()
    faults_since: tuple[float, ...] = ()  # When each of them was first detected.


def observe(lifecycle: Lifecycle, moment: float) -> StateSnapshot:
    """Return the vehicle's state at a plan time."""
    day = lifecycle.daily_plan(moment)
    trip_status, phase = day.trip_status(moment), day.phase_at(moment)
    fix = day.fix(moment, trip_status)
    km = day.km_at(moment)
    soc, fuel = day.levels(moment, km)
    set_speed = lifecycle.override_value("speed", moment)
    speed = fix.speed if set_speed is None else float(set_speed)
    driving = trip_status.driving if set_speed is None else speed > 0
    plugged = phase.plugged and not trip_status.driving
    charging = plugged and phase.charging_at(moment)
    outside = outside_temperature(moment)
    return StateSnapshot(
        at=moment,
        driving=driving,
        speed=round(speed, 1),
        heading=fix.heading,
        latitude=round(fix.latitude, 6),
        longitude=round(fix.longitude, 6),
        parked=day.origin(trip_status),
        at_base=not driving and trip_status.place == lifecycle.weekly_schedule.base,
        odometer=lifecycle.odometer_at(day, moment=moment, km=km),
        soc=soc,
        fuel=fuel,
        limit=phase.limit,
        schedules=phase.schedules,
        plugged=plugged,
        charging=charging,
        kw=phase.kw if charging else 0.0,
        fast=plugged and phase.fast,
        charge_ends=phase.charge_end if charging else 0.0,
        energy_added=_energy_added(lifecycle, day, phase, moment),
        session=max((end for _, end in day.sessions() if end <= moment), default=0.0),
        asleep=asleep(lifecycle, moment),
        deep=deeply_asleep(lifecycle, moment),
        reachable=_override_or(lifecycle, "reachable", moment, usual=True),
        in_service=_override_or(lifecycle, "in_service", moment, usual=False),
        digital_key=_override_or(lifecycle, "digital_key", moment, usual=lifecycle.identity.index % 8 != 5),
        outside=outside,
        cabin=21.5 if driving else round(outside + 3.0, 1),
        climate=_override_or(lifecycle, "climate", moment, usual=driving),
        **_closures(lifecycle, trip_status, moment, plugged=plugged),
        **_condition(lifecycle, day, moment, driving=driving),
    )


def _override_or(lifecycle: Lifecycle, name: str, moment: float, *, usual: bool) -> bool:
    value = lifecycle.override_value(name, moment)
    return usual if value is None else bool(value)


def outside_temperature(moment: float) -> float:
    """Return San Francisco's air temperature: mild, warmest in the afternoon and in September."""
    local = moment + CITY_TIME
    hour = 2 * math.pi * (local % DAY) / DAY
    season = 2 * math.pi * (local / DAY % 365.25) / 365.25
    cycle = math.sin(local / DAY * 0.9) + math.sin(local / DAY * 0.37)
    return round(14.0 - 2.5 * math.cos(season - 0.4) - 3.5 * math.cos(hour - 0.9) + cycle, 1)


def _energy_added(lifecycle: Lifecycle, day: DailyPlan, phase: Phase, moment: float) -> float:
    """Return the kWh of the present charging session, or of the last one while the cable is still plugged in."""
    if not phase.charges or moment < phase.charge_start:
        return 0.0
    soc, _ = day.levels(moment, phase.km)
    return max(0.0, soc - phase.begun_soc) / 100.0 * lifecycle.identity.model.battery


def _closures(
    lifecycle: Lifecycle, trip_status: TripStatus, moment: float, *, plugged: bool
) -> dict[str, Any]:
    """Return locks, doors and windows: the driver's habits and lapses, and overrides."""
    lapse = lifecycle.lapses(moment)
    found: dict[str, Any] = {"locked": _usually_locked(trip_status, moment), "port": plugged}
    if not trip_status.driving and trip_status.trip >= 0:
        stood, stop = moment - trip_status.since, trip_status.trip
        settled = stood >= LOCK_AFTER and moment < trip_status.until - UNLOCK_BEFORE
        if stop == lapse.unlocked:
            found["locked"] = False
        if stop == lapse.door and stood < lapse.door_closed:
            found.update(doors=frozenset({_fitting(lifecycle, lapse.door_at)}), locked=False)
        elif 4.0 <= stood < 15.0:
            found["doors"] = frozenset({(0, 0)})
        if stop == lapse.window and settled:
            found["windows"] = frozenset({_fitting(lifecycle, (0, 1))})
        found["trunk"] = stop == lapse.trunk and settled
    return _with_overrides(lifecycle, moment, found)


def _usually_locked(trip_status: TripStatus, moment: float) -> bool:
    if trip_status.driving:
        return True
    arrived = moment - trip_status.since >= LOCK_AFTER or trip_status.trip < 0
    return arrived and moment < trip_status.until - UNLOCK_BEFORE


def _fitting(lifecycle: Lifecycle, cell: tuple[int, int]) -> tuple[int, int]:
    rows, columns = lifecycle.identity.model.doors
    return min(cell[0], rows - 1), min(cell[1], columns - 1)


def _with_overrides(lifecycle: Lifecycle, moment: float, found: dict[str, Any]) -> dict[str, Any]:
    if lifecycle.overrides is None:
        return found
    for name in ("locked", "trunk", "frunk", "hood", "sunroof", "port"):
        value = lifecycle.override_value(name, moment)
        if value is not None:
            found[name] = value
    for name in ("doors", "windows"):
        value = lifecycle.override_value(name, moment)
        if value is not None:
            found[name] = frozenset((row, column) for row, column in value)
    return found


def _condition(lifecycle: Lifecycle, day: DailyPlan, moment: float, *, driving: bool) -> dict[str, Any]:
    """Return tires and warnings."""
    fortnight, since = divmod(day.number, FORTNIGHT)
    ill = health(
        seed=lifecycle.seed,
        index=lifecycle.identity.index,
        fortnight=fortnight,
        model=lifecycle.identity.model,
    )
    tires, faults = lifecycle.override_value("tires", moment), lifecycle.override_value("warnings", moment)
    if tires is None:
        tires = [_TIRE + wear + (_WARM if driving else 0.0) for wear in ill.wear]
        if ill.tire is not None:
            tires[ill.tire] -= ill.loss * (since + 1) / FORTNIGHT
    if faults is None:
        since_by_name = {
            name: lifecycle.weekly_schedule.start_of_day(fortnight * FORTNIGHT + first)
            for name, first in ill.faults
            if since >= first
        }
    else:
        since_by_name = dict.fromkeys(faults, lifecycle.override_since("warnings"))
    return {
        "tires": tuple(round(pressure, 1) for pressure in tires),
        "faults": tuple(since_by_name),
        "faults_since": tuple(since_by_name.values()),
    }

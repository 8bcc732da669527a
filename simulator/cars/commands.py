"""Remote commands: what they do to the car, and when car or make refuse.

Refusals follow the documentation's "Vehicle State Errors", "Brand Quirks" and the notes of "Start & Stop Charge" and
"Charge Limit". Schedules: Tesla takes all, Volvo daily ones, other makes none.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from simulator.cars.makes import COMMANDS
from simulator.cars.phases import Event
from simulator.cars.schedules import Schedule, windows_of
from simulator.cars.signal import Refused

if TYPE_CHECKING:
    from simulator.cars.car import Car
    from simulator.cars.observing import State

_CHARGE_COMMANDS: Final = COMMANDS - {"lock", "unlock", "set_destination"}
_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def run(car: Car, name: str, *, now: float, parameters: Mapping[str, Any]) -> str | None:
    """Carry out a command by name; the schedule's id for schedule commands. Raises Refused."""
    if name not in COMMANDS:
        raise Refused("VALIDATION", "PARAMETER", f"unknown command {name}")
    if not capable(car, name):
        raise Refused("COMPATIBILITY", "VEHICLE_NOT_CAPABLE", f"{car.make} {car.model} does not take {name}")
    state = car.observe(now)
    _reached(car, state, now)
    try:
        inspect.signature(_COMMANDS[name]).bind(car, state, now, **parameters)
    except TypeError as error:
        raise Refused("VALIDATION", "PARAMETER", str(error)) from error
    return _COMMANDS[name](car, state, now, **parameters)


def capable(car: Car, name: str) -> bool:
    """Whether make and powertrain of the car take the command at all."""
    return name in car.rules.commands and (name not in _CHARGE_COMMANDS or car.facts.model.electric)


def _still(state: State) -> None:
    if state.driving:
        raise Refused("VEHICLE_STATE", "IN_MOTION")


def _reached(car: Car, state: State, now: float) -> None:
    """Whether the car can be called at all."""
    if car.life.held("remote_access", now) is False:
        raise Refused("VEHICLE_STATE", "REMOTE_ACCESS_DISABLED")
    if not state.reachable:
        raise Refused("VEHICLE_STATE", "UNREACHABLE")
    if state.deep:
        raise Refused("VEHICLE_STATE", "ASLEEP")
    if state.in_service:
        raise Refused("VEHICLE_STATE", "VEHICLE_OFFLINE_FOR_SERVICE")
    if state.driving and car.rules.silent_when_running:
        raise Refused("VEHICLE_STATE", "IGNITION_ON")


def _lock(car: Car, state: State, now: float) -> None:
    _still(state)
    if state.doors:
        raise Refused("VEHICLE_STATE", "DOOR_OPEN")
    if state.trunk or state.frunk:
        raise Refused("VEHICLE_STATE", "TRUNK_OPEN")
    if state.hood:
        raise Refused("VEHICLE_STATE", "HOOD_OPEN")
    car.life.hold("locked", True, now=now)


def _unlock(car: Car, state: State, now: float) -> None:
    _still(state)
    car.life.hold("locked", False, now=now)


def _plugged(state: State) -> None:
    if not state.plugged:
        raise Refused("VEHICLE_STATE", "CHARGING_PLUG_NOT_CONNECTED")


def _start_charge(car: Car, state: State, now: float) -> None:
    _plugged(state)
    if state.charging:
        raise Refused("VEHICLE_STATE", "CHARGING_IN_PROGRESS")
    if state.soc >= min(state.limit, 100.0) - 0.5:
        raise Refused("VEHICLE_STATE", "FULLY_CHARGED")
    if state.soc < car.rules.start_floor:
        raise Refused("VEHICLE_STATE", "LOW_BATTERY")
    _often_enough(car, now)
    car.life.change(now, Event(now, "charging", True))


def _stop_charge(car: Car, state: State, now: float) -> None:
    _plugged(state)
    if not state.charging:
        raise Refused("VEHICLE_STATE", "NOT_CHARGING")
    if state.soc < car.rules.stop_floor:
        raise Refused("VEHICLE_STATE", "LOW_BATTERY")
    _often_enough(car, now)
    car.life.change(now, Event(now, "charging", False))


def _often_enough(car: Car, now: float) -> None:
    """Some makes take only so many charge commands until the car is driven again."""
    most = car.rules.charge_commands
    if most is None:
        return
    count = car.life.held("charge_commands", now) or 0
    if count >= most:
        raise Refused("UPSTREAM", "RATE_LIMIT", "drive the car, and it takes charge commands again")
    car.life.hold("charge_commands", count + 1, now=now)


def _set_charge_limit(car: Car, state: State, now: float, *, percent: float) -> None:
    if isinstance(percent, bool) or not isinstance(percent, int | float) or not 50 <= percent <= 100:
        raise Refused("VALIDATION", "PARAMETER", "percent must be from 50 to 100")
    if not car.rules.limit_when_unplugged:
        _plugged(state)
    car.life.set_limit(float(percent), now=now)


def _open_charge_port(car: Car, state: State, now: float) -> None:
    _still(state)
    car.life.hold("port", True, now=now)


def _close_charge_port(car: Car, state: State, now: float) -> None:
    if state.plugged:
        raise Refused("VEHICLE_STATE", "CHARGING_PLUG_CONNECTED")
    car.life.hold("port", False, now=now)


def _coordinates(latitude: Any, longitude: Any) -> tuple[float, float]:
    for value, most in ((latitude, 90), (longitude, 180)):
        if isinstance(value, bool) or not isinstance(value, int | float) or not -most <= value <= most:
            raise Refused("VALIDATION", "PARAMETER", "latitude and longitude must be degrees")
    return float(latitude), float(longitude)


def _set_destination(car: Car, state: State, now: float, *, latitude: float, longitude: float) -> None:
    car.life.hold("destination", list(_coordinates(latitude, longitude)), now=now)


def _schedule(
    car: Car, now: float, *, kind: str, place: tuple[Any, Any], entries: list[tuple[Sequence[int], Any]]
) -> str:
    """Keep a schedule; it replaces one of the same kind at the same place."""
    latitude, longitude = _coordinates(*place)
    if not entries or not all(isinstance(window, Mapping) for _, window in entries):
        raise Refused("VALIDATION", "PARAMETER", "a window has startTime and stopTime")
    windows = windows_of(entries)
    if windows is None:
        raise Refused("VALIDATION", "PARAMETER", "times are HH:MM, and differ")
    deviation = car.life.change(now)
    deviation.serial += 1
    new = Schedule(f"{car.id[:8]}-{deviation.serial}", kind, latitude, longitude, windows)
    same = (kind, latitude, longitude)
    kept = (old for old in car.life.schedules if (old.kind, old.latitude, old.longitude) != same)
    car.life.set_schedules((*kept, new), now=now)
    return new.id


def _daily(
    car: Car, state: State, now: float, *, latitude: Any, longitude: Any, start_time: Any, stop_time: Any
) -> str:
    window = {"startTime": start_time, "stopTime": stop_time}
    return _schedule(car, now, kind="DAILY", place=(latitude, longitude), entries=[(range(7), window)])


def _weekly(car: Car, state: State, now: float, *, latitude: Any, longitude: Any, days: Any) -> str:
    if not isinstance(days, Mapping) or not set(days) <= set(_DAYS):
        raise Refused("VALIDATION", "PARAMETER", "days are monday to sunday")
    entries: list[tuple[Sequence[int], Any]] = [((_DAYS.index(day),), window) for day, window in days.items()]
    return _schedule(car, now, kind="WEEKLY", place=(latitude, longitude), entries=entries)


def _workweek(
    car: Car,
    state: State,
    now: float,
    *,
    latitude: Any,
    longitude: Any,
    weekdays: Any = None,
    weekends: Any = None,
) -> str:
    both: list[tuple[Sequence[int], Any]] = [(range(5), weekdays), (range(5, 7), weekends)]
    entries = [(days, window) for days, window in both if window is not None]
    return _schedule(car, now, kind="WORKWEEK", place=(latitude, longitude), entries=entries)


def _delete_schedule(car: Car, state: State, now: float, *, schedule_id: str) -> str:
    kept = tuple(schedule for schedule in car.life.schedules if schedule.id != schedule_id)
    if len(kept) == len(car.life.schedules):
        raise Refused("RESOURCE_NOT_FOUND", "SCHEDULE_NOT_FOUND", f"no schedule {schedule_id}")
    car.life.set_schedules(kept, now=now)
    return schedule_id


_COMMANDS: Final[dict[str, Callable[..., str | None]]] = {
    "lock": _lock,
    "unlock": _unlock,
    "start_charge": _start_charge,
    "stop_charge": _stop_charge,
    "set_charge_limit": _set_charge_limit,
    "open_charge_port": _open_charge_port,
    "close_charge_port": _close_charge_port,
    "set_destination": _set_destination,
    "set_daily_schedule": _daily,
    "set_weekly_schedule": _weekly,
    "set_workweek_schedule": _workweek,
    "delete_schedule": _delete_schedule,
}

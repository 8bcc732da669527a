"""Remote commands: what they do to the car, and when car or make refuse.

Refusals follow the documentation's "Vehicle State Errors", "Brand Quirks" and the notes of "Start & Stop Charge" and
"Charge Limit". Schedules: Tesla takes all, Volvo daily ones, other makes none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from simulator.cars.day import Event
from simulator.cars.makes import COMMANDS
from simulator.cars.signal import Refused

if TYPE_CHECKING:
    from simulator.cars.car import Car
    from simulator.cars.state import State

_CHARGE_COMMANDS: Final = COMMANDS - {"lock", "unlock", "set_destination"}
_FULL: Final = 99.5
_CLOCK: Final = re.compile(r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?")
_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def run(car: Car, name: str, *, now: float, parameters: Mapping[str, Any]) -> str | None:
    """Carry out a command by name; the schedule's id for schedule commands. Raises Refused."""
    if name not in COMMANDS:
        raise Refused("VALIDATION", "PARAMETER", f"unknown command {name}")
    capable = name in car.rules.commands and (name not in _CHARGE_COMMANDS or car.facts.model.electric)
    if not capable:
        raise Refused("COMPATIBILITY", "VEHICLE_NOT_CAPABLE", f"{car.make} {car.model} does not take {name}")
    state = car.observe(now)
    if state.deep:
        raise Refused("VEHICLE_STATE", "ASLEEP")
    try:
        return _COMMANDS[name](car, state, now, **parameters)
    except TypeError as error:
        raise Refused("VALIDATION", "PARAMETER", str(error)) from error


def _still(state: State) -> None:
    if state.driving:
        raise Refused("VEHICLE_STATE", "IN_MOTION")


def _lock(car: Car, state: State, now: float) -> None:
    _still(state)
    if state.doors:
        raise Refused("VEHICLE_STATE", "DOOR_OPEN")
    if state.trunk or state.frunk:
        raise Refused("VEHICLE_STATE", "TRUNK_OPEN")
    if state.hood:
        raise Refused("VEHICLE_STATE", "HOOD_OPEN")
    car.hold("locked", True, now=now)


def _unlock(car: Car, state: State, now: float) -> None:
    _still(state)
    car.hold("locked", False, now=now)


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
    car.change(now, Event(now, "charging", True))


def _stop_charge(car: Car, state: State, now: float) -> None:
    _plugged(state)
    if not state.charging:
        raise Refused("VEHICLE_STATE", "NOT_CHARGING")
    if state.soc < car.rules.stop_floor:
        raise Refused("VEHICLE_STATE", "LOW_BATTERY")
    car.change(now, Event(now, "charging", False))


def _set_charge_limit(car: Car, state: State, now: float, *, percent: float) -> None:
    if isinstance(percent, bool) or not isinstance(percent, int | float) or not 50 <= percent <= 100:
        raise Refused("VALIDATION", "PARAMETER", "percent must be from 50 to 100")
    if not car.rules.limit_when_unplugged:
        _plugged(state)
    car.set_limit(float(percent), now=now)


def _open_charge_port(car: Car, state: State, now: float) -> None:
    _still(state)
    car.hold("port", True, now=now)


def _close_charge_port(car: Car, state: State, now: float) -> None:
    if state.plugged:
        raise Refused("VEHICLE_STATE", "CHARGING_PLUG_CONNECTED")
    car.hold("port", False, now=now)


def _coordinates(latitude: Any, longitude: Any) -> tuple[float, float]:
    for value, most in ((latitude, 90), (longitude, 180)):
        if isinstance(value, bool) or not isinstance(value, int | float) or not -most <= value <= most:
            raise Refused("VALIDATION", "PARAMETER", "latitude and longitude must be degrees")
    return float(latitude), float(longitude)


def _set_destination(car: Car, state: State, now: float, *, latitude: float, longitude: float) -> None:
    car.hold("destination", list(_coordinates(latitude, longitude)), now=now)


def _window(window: Any) -> tuple[str, str]:
    """Start and end of a charging window, ``HH:MM`` or ``HH:MM:SS``."""
    if not isinstance(window, Mapping):
        raise Refused("VALIDATION", "PARAMETER", "a window has startTime and stopTime")
    times = (window.get("startTime"), window.get("stopTime"))
    if not all(isinstance(time, str) and _CLOCK.fullmatch(time) for time in times):
        raise Refused("VALIDATION", "PARAMETER", "times are HH:MM")
    start, stop = (f"{time}:00" if len(str(time)) == 5 else str(time) for time in times)
    return start, stop


def _schedule(
    car: Car, now: float, *, kind: str, location: tuple[Any, Any], windows: list[tuple[list[str], Any]]
) -> str:
    latitude, longitude = _coordinates(*location)
    times = [
        {"startTime": start, "endTime": stop, "days": [day.upper() for day in days]}
        for days, window in windows
        for start, stop in [_window(window)]
    ]
    return car.add_schedule(kind=kind, latitude=latitude, longitude=longitude, windows=times, now=now)


def _daily(
    car: Car, state: State, now: float, *, latitude: Any, longitude: Any, start_time: Any, stop_time: Any
) -> str:
    window = {"startTime": start_time, "stopTime": stop_time}
    return _schedule(car, now, kind="DAILY", location=(latitude, longitude), windows=[(list(_DAYS), window)])


def _weekly(car: Car, state: State, now: float, *, latitude: Any, longitude: Any, days: Any) -> str:
    if not isinstance(days, Mapping) or not days or not set(days) <= set(_DAYS):
        raise Refused("VALIDATION", "PARAMETER", "days are monday to sunday")
    windows = [([day], days[day]) for day in _DAYS if day in days]
    return _schedule(car, now, kind="WEEKLY", location=(latitude, longitude), windows=windows)


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
    windows = [
        (list(days), window) for days, window in ((_DAYS[:5], weekdays), (_DAYS[5:], weekends)) if window
    ]
    if not windows:
        raise Refused("VALIDATION", "PARAMETER", "weekdays or weekends must be given")
    return _schedule(car, now, kind="WORKWEEK", location=(latitude, longitude), windows=windows)


def _delete_schedule(car: Car, state: State, now: float, *, schedule_id: str) -> str:
    if not car.remove_schedule(schedule_id, now=now):
        raise Refused("RESOURCE_NOT_FOUND", "SCHEDULE_NOT_FOUND", f"no schedule {schedule_id}")
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

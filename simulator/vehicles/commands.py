"""Remote commands: what they do to the vehicle, and when the vehicle or its make rejects them.

Errors follow the documentation's "Vehicle State Errors", "Brand Quirks" and the notes of "Start & Stop Charge" and
"Charge Limit". Schedules: Tesla accepts all, Volvo daily ones, other makes none.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from simulator.vehicles.charge_schedules import Schedule, parse_windows
from simulator.vehicles.energy_phases import Event
from simulator.vehicles.makes import COMMANDS
from simulator.vehicles.signal import CommandRejected

if TYPE_CHECKING:
    from simulator.vehicles.state_snapshot import StateSnapshot
    from simulator.vehicles.vehicle import Vehicle

_CHARGE_COMMANDS: Final = COMMANDS - {"lock", "unlock", "set_destination"}
_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def run(vehicle: Vehicle, name: str, *, now: float, parameters: Mapping[str, Any]) -> str | None:
    """Execute a command by name at a plan time. Return the schedule's id for schedule commands.

    Raises:
        CommandRejected: The state, the make or the parameters don't allow it.
    """
    if name not in COMMANDS:
        raise CommandRejected("VALIDATION", "PARAMETER", f"unknown command {name}")
    if not capable(vehicle, name):
        raise CommandRejected(
            "COMPATIBILITY", "VEHICLE_NOT_CAPABLE", f"{vehicle.make} {vehicle.model} does not support {name}"
        )
    state = vehicle.state_at(now)
    _check_reachable(vehicle, state, now)
    try:
        inspect.signature(_COMMANDS[name]).bind(vehicle, state, now, **parameters)
    except TypeError as error:
        raise CommandRejected("VALIDATION", "PARAMETER", str(error)) from error
    return _COMMANDS[name](vehicle, state, now, **parameters)


def capable(vehicle: Vehicle, name: str) -> bool:
    """Return whether the vehicle's make and powertrain support the command."""
    return name in vehicle.rules.commands and (
        name not in _CHARGE_COMMANDS or vehicle.identity.model.electric
    )


def _check_parked(state: StateSnapshot) -> None:
    if state.driving:
        raise CommandRejected("VEHICLE_STATE", "IN_MOTION")


def _check_reachable(vehicle: Vehicle, state: StateSnapshot, now: float) -> None:
    """Check whether the vehicle can receive commands.

    Raises:
        CommandRejected: The vehicle is unreachable, asleep or in service, or its ignition is on.
    """
    if vehicle.lifecycle.override_value("remote_access", now) is False:
        raise CommandRejected("VEHICLE_STATE", "REMOTE_ACCESS_DISABLED")
    if not state.reachable:
        raise CommandRejected("VEHICLE_STATE", "UNREACHABLE")
    if state.deep:
        raise CommandRejected("VEHICLE_STATE", "ASLEEP")
    if state.in_service:
        raise CommandRejected("VEHICLE_STATE", "VEHICLE_OFFLINE_FOR_SERVICE")
    if state.driving and vehicle.rules.silent_when_running:
        raise CommandRejected("VEHICLE_STATE", "IGNITION_ON")


def _lock(vehicle: Vehicle, state: StateSnapshot, now: float) -> None:
    _check_parked(state)
    if state.doors:
        raise CommandRejected("VEHICLE_STATE", "DOOR_OPEN")
    if state.trunk or state.frunk:
        raise CommandRejected("VEHICLE_STATE", "TRUNK_OPEN")
    if state.hood:
        raise CommandRejected("VEHICLE_STATE", "HOOD_OPEN")
    vehicle.lifecycle.set_override("locked", True, now=now)


def _unlock(vehicle: Vehicle, state: StateSnapshot, now: float) -> None:
    _check_parked(state)
    vehicle.lifecycle.set_override("locked", False, now=now)


def _check_plugged_in(state: StateSnapshot) -> None:
    if not state.plugged:
        raise CommandRejected("VEHICLE_STATE", "CHARGING_PLUG_NOT_CONNECTED")


def _start_charge(vehicle: Vehicle, state: StateSnapshot, now: float) -> None:
    _check_plugged_in(state)
    if state.charging:
        raise CommandRejected("VEHICLE_STATE", "CHARGING_IN_PROGRESS")
    if state.soc >= min(state.limit, 100.0) - 0.5:
        raise CommandRejected("VEHICLE_STATE", "FULLY_CHARGED")
    if state.soc < vehicle.rules.start_floor:
        raise CommandRejected("VEHICLE_STATE", "LOW_BATTERY")
    _check_command_rate(vehicle, now)
    vehicle.lifecycle.change(now, Event(now, "charging", True))


def _stop_charge(vehicle: Vehicle, state: StateSnapshot, now: float) -> None:
    _check_plugged_in(state)
    if not state.charging:
        raise CommandRejected("VEHICLE_STATE", "NOT_CHARGING")
    if state.soc < vehicle.rules.stop_floor:
        raise CommandRejected("VEHICLE_STATE", "LOW_BATTERY")
    _check_command_rate(vehicle, now)
    vehicle.lifecycle.change(now, Event(now, "charging", False))


def _check_command_rate(vehicle: Vehicle, now: float) -> None:
    """Apply the limit of makes that accept only so many charge commands until the vehicle is driven again.

    Raises:
        CommandRejected: The limit is reached.
    """
    limit = vehicle.rules.charge_commands
    if limit is None:
        return
    count = vehicle.lifecycle.override_value("charge_commands", now) or 0
    if count >= limit:
        raise CommandRejected(
            "UPSTREAM", "RATE_LIMIT", "the vehicle accepts charge commands again after a drive"
        )
    vehicle.lifecycle.set_override("charge_commands", count + 1, now=now)


def _set_charge_limit(vehicle: Vehicle, state: StateSnapshot, now: float, *, percent: float) -> None:
    if isinstance(percent, bool) or not isinstance(percent, int | float) or not 50 <= percent <= 100:
        raise CommandRejected("VALIDATION", "PARAMETER", "percent must be from 50 to 100")
    if not vehicle.rules.limit_when_unplugged:
        _check_plugged_in(state)
    vehicle.lifecycle.set_limit(float(percent), now=now)


def _open_charge_port(vehicle: Vehicle, state: StateSnapshot, now: float) -> None:
    _check_parked(state)
    vehicle.lifecycle.set_override("port", True, now=now)


def _close_charge_port(vehicle: Vehicle, state: StateSnapshot, now: float) -> None:
    if state.plugged:
        raise CommandRejected("VEHICLE_STATE", "CHARGING_PLUG_CONNECTED")
    vehicle.lifecycle.set_override("port", False, now=now)


def _coordinates(latitude: Any, longitude: Any) -> tuple[float, float]:
    for value, limit in ((latitude, 90), (longitude, 180)):
        if isinstance(value, bool) or not isinstance(value, int | float) or not -limit <= value <= limit:
            raise CommandRejected("VALIDATION", "PARAMETER", "latitude and longitude must be degrees")
    return float(latitude), float(longitude)


def _set_destination(
    vehicle: Vehicle, state: StateSnapshot, now: float, *, latitude: float, longitude: float
) -> None:
    vehicle.lifecycle.set_override("destination", list(_coordinates(latitude, longitude)), now=now)


def _schedule(
    vehicle: Vehicle,
    now: float,
    *,
    kind: str,
    place: tuple[Any, Any],
    entries: list[tuple[Sequence[int], Any]],
) -> str:
    """Store a schedule. It replaces one of the same kind at the same place."""
    latitude, longitude = _coordinates(*place)
    if not entries or not all(isinstance(window, Mapping) for _, window in entries):
        raise CommandRejected("VALIDATION", "PARAMETER", "a window needs startTime and stopTime")
    windows = parse_windows(entries)
    if windows is None:
        raise CommandRejected("VALIDATION", "PARAMETER", "times must be HH:MM and differ")
    overrides = vehicle.lifecycle.change(now)
    overrides.serial += 1
    new = Schedule(f"{vehicle.id[:8]}-{overrides.serial}", kind, latitude, longitude, windows)
    same = (kind, latitude, longitude)
    remaining = (
        old for old in vehicle.lifecycle.schedules if (old.kind, old.latitude, old.longitude) != same
    )
    vehicle.lifecycle.set_schedules((*remaining, new), now=now)
    return new.id


def _daily(
    vehicle: Vehicle,
    state: StateSnapshot,
    now: float,
    *,
    latitude: Any,
    longitude: Any,
    start_time: Any,
    stop_time: Any,
) -> str:
    window = {"startTime": start_time, "stopTime": stop_time}
    return _schedule(vehicle, now, kind="DAILY", place=(latitude, longitude), entries=[(range(7), window)])


def _weekly(
    vehicle: Vehicle, state: StateSnapshot, now: float, *, latitude: Any, longitude: Any, days: Any
) -> str:
    if not isinstance(days, Mapping) or not set(days) <= set(_DAYS):
        raise CommandRejected("VALIDATION", "PARAMETER", "days must be monday to sunday")
    entries: list[tuple[Sequence[int], Any]] = [((_DAYS.index(day),), window) for day, window in days.items()]
    return _schedule(vehicle, now, kind="WEEKLY", place=(latitude, longitude), entries=entries)


def _workweek(
    vehicle: Vehicle,
    state: StateSnapshot,
    now: float,
    *,
    latitude: Any,
    longitude: Any,
    weekdays: Any = None,
    weekends: Any = None,
) -> str:
    both: list[tuple[Sequence[int], Any]] = [(range(5), weekdays), (range(5, 7), weekends)]
    entries = [(days, window) for days, window in both if window is not None]
    return _schedule(vehicle, now, kind="WORKWEEK", place=(latitude, longitude), entries=entries)


def _delete_schedule(vehicle: Vehicle, state: StateSnapshot, now: float, *, schedule_id: str) -> str:
    remaining = tuple(schedule for schedule in vehicle.lifecycle.schedules if schedule.id != schedule_id)
    if len(remaining) == len(vehicle.lifecycle.schedules):
        raise CommandRejected("RESOURCE_NOT_FOUND", "SCHEDULE_NOT_FOUND", f"no schedule {schedule_id}")
    vehicle.lifecycle.set_schedules(remaining, now=now)
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

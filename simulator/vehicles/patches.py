"""The control API's view of a car: its state as plain values, and setting it from outside.

What is set holds as long as it would in life: locks, doors, lids, plug, place, sleep, reception, climate and speed
until the car next leaves or arrives; levels go on from the value set; all else stays until it is set again (tyres and
warnings: None gives them back to the plan).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from simulator.vehicles.energy_phases import Event
from simulator.vehicles.incidents import TROUBLE_CODES
from simulator.vehicles.overrides import Overrides
from simulator.vehicles.signal_changes import changed_codes

if TYPE_CHECKING:
    from simulator.vehicles.state_snapshot import StateSnapshot
    from simulator.vehicles.vehicle import Vehicle


def _boolean(value: Any, name: str) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{name} must be true or false")
    return value


def _number(value: Any, name: str, least: float, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise ValueError(f"{name} must be a number from {least:g} to {most:g}")
    return float(value)


def _held(key: str, *, lasting: bool = False) -> Callable[[Vehicle, float, Any, str], None]:
    def setter(vehicle: Vehicle, now: float, value: Any, name: str) -> None:
        vehicle.lifecycle.hold(key, _boolean(value, name), now=now, lasting=lasting)

    return setter


def _reachable(vehicle: Vehicle, now: float, value: Any, name: str) -> None:
    vehicle.lifecycle.hold(
        "reachable", _boolean(value, name), now=now, until=vehicle.lifecycle.daily_plan(now).end
    )


def _event(key: str) -> Callable[[Vehicle, float, Any, str], None]:
    def setter(vehicle: Vehicle, now: float, value: Any, name: str) -> None:
        if not vehicle.identity.model.electric:
            raise ValueError(f"{name}: a {vehicle.powertrain} has no traction battery")
        if _boolean(value, name) and vehicle.lifecycle.daily_plan(now).trip_status(now).driving:
            raise ValueError(f"{name}: the car is driving")
        vehicle.lifecycle.change(now, Event(now, key, value))

    return setter


def _openings(vehicle: Vehicle, now: float, value: Any, name: str) -> None:
    """A list of what is open, each as [row, column]; an empty list closes all."""
    rows, columns = vehicle.identity.model.doors
    try:
        cells = [[int(row), int(column)] for row, column in value]
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must be a list of [row, column]") from error
    if any(not (0 <= row < rows and 0 <= column < columns) for row, column in cells):
        raise ValueError(f"{name}: this car has {rows} rows and {columns} columns")
    vehicle.lifecycle.hold(name, cells, now=now)


def _state_of_charge(vehicle: Vehicle, now: float, value: Any, name: str) -> None:
    if not vehicle.identity.model.electric:
        raise ValueError(f"{name}: a {vehicle.powertrain} has no traction battery")
    vehicle.lifecycle.change(now, Event(now, "soc", _number(value, name, 0, 100)))


def _fuel(vehicle: Vehicle, now: float, value: Any, name: str) -> None:
    if not vehicle.identity.model.combustion:
        raise ValueError(f"{name}: a {vehicle.powertrain} has no tank")
    vehicle.lifecycle.change(now, Event(now, "fuel", _number(value, name, 0, 100)))


def _charge_limit(vehicle: Vehicle, now: float, value: Any, name: str) -> None:
    if not vehicle.identity.model.electric:
        raise ValueError(f"{name}: a {vehicle.powertrain} has no traction battery")
    vehicle.lifecycle.set_limit(_number(value, name, 50, 100), now=now)


def _odometer(vehicle: Vehicle, now: float, value: Any, name: str) -> None:
    present = vehicle.observe(now).odometer
    wanted = _number(value, name, 0, 5_000_000)
    if wanted < present:
        raise ValueError(f"odometer never falls: it is {present:.1f} km")
    vehicle.lifecycle.change(now).odometer += wanted - present


def _speed(vehicle: Vehicle, now: float, value: Any, name: str) -> None:
    vehicle.lifecycle.hold("speed", _number(value, name, 0, 250), now=now)


def _tires(vehicle: Vehicle, now: float, value: Any, name: str) -> None:
    if value is None:
        vehicle.lifecycle.clear_override("tires", now=now)
        return
    if not isinstance(value, list | tuple) or len(value) != 4:
        raise ValueError(f"{name} must be four pressures in kPa: front left and right, rear left and right")
    vehicle.lifecycle.hold(
        "tires", [_number(pressure, name, 0, 1000) for pressure in value], now=now, lasting=True
    )


def _warnings(vehicle: Vehicle, now: float, value: Any, name: str) -> None:
    if value is None:
        vehicle.lifecycle.clear_override("warnings", now=now)
        return
    if not isinstance(value, list | tuple) or not all(isinstance(system, str) for system in value):
        raise ValueError(f"{name} must be a list of systems; known: {', '.join(sorted(TROUBLE_CODES))}")
    unknown = sorted(set(value) - TROUBLE_CODES.keys())
    if unknown:
        raise ValueError(f"{name}: unknown systems {unknown}; known: {', '.join(sorted(TROUBLE_CODES))}")
    vehicle.lifecycle.hold("warnings", list(value), now=now, lasting=True)


def _coordinate(vehicle: Vehicle, now: float, value: Any, name: str) -> None:
    most = 90 if name == "latitude" else 180
    _number(value, name, -most, most)


_FIRST: Final = ("state_of_charge", "fuel_level", "charge_limit", "plugged_in", "charging")
_SETTERS: Final[Mapping[str, Callable[[Vehicle, float, Any, str], None]]] = {
    "asleep": _held("asleep"),
    "charge_limit": _charge_limit,
    "charge_port_open": _held("port"),
    "charging": _event("charging"),
    "climate_on": _held("climate"),
    "digital_key_paired": _held("digital_key", lasting=True),
    "doors": _openings,
    "fuel_level": _fuel,
    "front_trunk_open": _held("frunk"),
    "hood_open": _held("hood"),
    "in_service": _held("in_service", lasting=True),
    "is_locked": _held("locked"),
    "odometer": _odometer,
    "plugged_in": _event("plugged"),
    "reachable": _reachable,
    "rear_trunk_open": _held("trunk"),
    "remote_access": _held("remote_access", lasting=True),
    "speed": _speed,
    "state_of_charge": _state_of_charge,
    "sunroof_open": _held("sunroof"),
    "tire_pressures": _tires,
    "tyre_pressures": _tires,
    "warning_lights": _warnings,
    "windows": _openings,
}
NAMES: Final = tuple(sorted({*_SETTERS, "latitude", "longitude"}))


def apply(vehicle: Vehicle, *, now: float, values: Mapping[str, Any]) -> tuple[str, ...]:
    """Set a car's state; gives the codes of the signals that changed.

    Raises ValueError for unknown names, listing the known ones, and for impossible values; then nothing is set.
    """
    unknown = sorted(set(values) - set(NAMES))
    if unknown:
        raise ValueError(f"unknown: {', '.join(unknown)}; known: {', '.join(NAMES)}")
    if ("latitude" in values) != ("longitude" in values):
        raise ValueError("latitude and longitude go together")
    before, kept = (
        vehicle.reported(now=now),
        vehicle.lifecycle.overrides.dump() if vehicle.lifecycle.overrides else None,
    )
    try:
        for name in sorted(values, key=_rank):
            _SETTERS.get(name, _coordinate)(vehicle, now, values[name], name)
        if "latitude" in values:
            vehicle.lifecycle.hold("place", [float(values["latitude"]), float(values["longitude"])], now=now)
    except ValueError:
        vehicle.lifecycle.restore(Overrides.load(kept) if kept else None)
        raise
    return changed_codes(vehicle, before, vehicle.reported(now=now))


def _rank(name: str) -> tuple[int, str]:
    """Levels before the cable, the cable before charging, all else after."""
    return (_FIRST.index(name) if name in _FIRST else len(_FIRST)), name


def view(vehicle: Vehicle, state: StateSnapshot, *, now: float) -> dict[str, Any]:
    """The car as plain JSON-able values."""
    plain = state._asdict()
    for name in ("doors", "windows"):
        plain[name] = [list(cell) for cell in sorted(plain[name])]
    plain.update(tires=list(state.tires), tyres=list(state.tires), faults=list(state.faults), parked=list(state.parked))
    plain["schedules"] = [schedule.body() for schedule in state.schedules]
    identity = vehicle.identity
    return {
        "id": vehicle.id,
        "vin": vehicle.vin,
        "make": vehicle.make,
        "model": vehicle.model,
        "year": vehicle.year,
        "powertrain": vehicle.powertrain,
        "trim": identity.trim,
        "account": identity.account,
        "reported_at": vehicle.last_report(now),
        "destination": vehicle.lifecycle.held("destination", now),
        **plain,
    }

"""The control API's view of a vehicle: its state as plain values, and changes to that state.

A changed value lasts as long as it realistically would: locks, doors, lids, plug, position, sleep, reception, climate
and speed until the vehicle next leaves or arrives. Levels continue from the value set. Everything else stays until
set again. For tires and warnings, None returns them to the plan.
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


def _number(value: Any, name: str, minimum: float, maximum: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not minimum <= value <= maximum:
        raise ValueError(f"{name} must be a number from {minimum:g} to {maximum:g}")
    return float(value)


def _override(key: str, *, lasting: bool = False) -> Callable[[Vehicle, float, Any, str], None]:
    def setter(vehicle: Vehicle, now: float, value: Any, name: str) -> None:
        vehicle.lifecycle.set_override(key, _boolean(value, name), now=now, lasting=lasting)

    return setter


def _reachable(vehicle: Vehicle, now: float, value: Any, name: str) -> None:
    vehicle.lifecycle.set_override(
        "reachable", _boolean(value, name), now=now, until=vehicle.lifecycle.daily_plan(now).end
    )


def _event(key: str) -> Callable[[Vehicle, float, Any, str], None]:
    def setter(vehicle: Vehicle, now: float, value: Any, name: str) -> None:
        if not vehicle.identity.model.electric:
            raise ValueError(f"{name}: a {vehicle.powertrain} has no traction battery")
        if _boolean(value, name) and vehicle.lifecycle.daily_plan(now).trip_status(now).driving:
            raise ValueError(f"{name}: the vehicle is driving")
        vehicle.lifecycle.change(now, Event(now, key, value))

    return setter


def _openings(vehicle: Vehicle, now: float, value: Any, name: str) -> None:
    """Set which doors or windows are open, each as [row, column]. An empty list closes all."""
    rows, columns = vehicle.identity.model.doors
    try:
        cells = [[int(row), int(column)] for row, column in value]
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must be a list of [row, column]") from error
    if any(not (0 <= row < rows and 0 <= column < columns) for row, column in cells):
        raise ValueError(f"{name}: this vehicle has {rows} rows and {columns} columns")
    vehicle.lifecycle.set_override(name, cells, now=now)


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
    present = vehicle.state_at(now).odometer
    kilometers = _number(value, name, 0, 5_000_000)
    if kilometers < present:
        raise ValueError(f"odometer never decreases: the present value is {present:.1f} km")
    vehicle.lifecycle.add_to_odometer(kilometers - present, now=now)


def _speed(vehicle: Vehicle, now: float, value: Any, name: str) -> None:
    vehicle.lifecycle.set_override("speed", _number(value, name, 0, 250), now=now)


def _tires(vehicle: Vehicle, now: float, value: Any, name: str) -> None:
    if value is None:
        vehicle.lifecycle.clear_override("tires", now=now)
        return
    if not isinstance(value, list | tuple) or len(value) != 4:
        raise ValueError(f"{name} must be four pressures in kPa: front left and right, rear left and right")
    vehicle.lifecycle.set_override(
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
    vehicle.lifecycle.set_override("warnings", list(value), now=now, lasting=True)


def _coordinate(vehicle: Vehicle, now: float, value: Any, name: str) -> None:
    maximum = 90 if name == "latitude" else 180
    _number(value, name, -maximum, maximum)


_FIRST: Final = ("state_of_charge", "fuel_level", "charge_limit", "plugged_in", "charging")
_SETTERS: Final[Mapping[str, Callable[[Vehicle, float, Any, str], None]]] = {
    "asleep": _override("asleep"),
    "charge_limit": _charge_limit,
    "charge_port_open": _override("port"),
    "charging": _event("charging"),
    "climate_on": _override("climate"),
    "digital_key_paired": _override("digital_key", lasting=True),
    "doors": _openings,
    "fuel_level": _fuel,
    "front_trunk_open": _override("frunk"),
    "hood_open": _override("hood"),
    "in_service": _override("in_service", lasting=True),
    "is_locked": _override("locked"),
    "odometer": _odometer,
    "plugged_in": _event("plugged"),
    "reachable": _reachable,
    "rear_trunk_open": _override("trunk"),
    "remote_access": _override("remote_access", lasting=True),
    "speed": _speed,
    "state_of_charge": _state_of_charge,
    "sunroof_open": _override("sunroof"),
    "tire_pressures": _tires,
    "tyre_pressures": _tires,
    "warning_lights": _warnings,
    "windows": _openings,
}
NAMES: Final = tuple(sorted({*_SETTERS, "latitude", "longitude"}))


def apply(vehicle: Vehicle, *, now: float, values: Mapping[str, Any]) -> tuple[str, ...]:
    """Change a vehicle's state at a plan time. Return the codes of the signals that changed.

    Raises:
        ValueError: A name is unknown or a value is impossible. Then nothing changes.
    """
    unknown = sorted(set(values) - set(NAMES))
    if unknown:
        raise ValueError(f"unknown: {', '.join(unknown)}; known: {', '.join(NAMES)}")
    if ("latitude" in values) != ("longitude" in values):
        raise ValueError("latitude and longitude are only valid together")
    before, saved = (
        vehicle.reported_state_at(now),
        vehicle.lifecycle.overrides.dump() if vehicle.lifecycle.overrides else None,
    )
    try:
        for name in sorted(values, key=_rank):
            _SETTERS.get(name, _coordinate)(vehicle, now, values[name], name)
        if "latitude" in values:
            vehicle.lifecycle.set_position((float(values["latitude"]), float(values["longitude"])), now=now)
    except ValueError:
        vehicle.lifecycle.restore(Overrides.load(saved) if saved else None)
        raise
    return changed_codes(vehicle, before, vehicle.reported_state_at(now))


def _rank(name: str) -> tuple[int, str]:
    """Sort levels before the cable, the cable before charging, and everything else after."""
    return (_FIRST.index(name) if name in _FIRST else len(_FIRST)), name


def view(vehicle: Vehicle, state: StateSnapshot, *, now: float) -> dict[str, Any]:
    """Return the vehicle as JSON-compatible values. ``now`` is the simulator's clock."""
    plain = state._asdict()
    for name in ("doors", "windows"):
        plain[name] = [list(cell) for cell in sorted(plain[name])]
    plain.update(
        tires=list(state.tires), tyres=list(state.tires), faults=list(state.faults), parked=list(state.parked)
    )
    clock = vehicle.lifecycle.plan_clock
    plain["at"] = now
    plain["charge_ends"] = state.charge_ends and now + state.charge_ends - state.at
    plain["session"] = state.session and clock.clock_time(state.session)
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
        "destination": vehicle.lifecycle.override_value("destination", clock.plan_time(now)),
        **plain,
    }

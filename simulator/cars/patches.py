"""The control API's view of a car: its state as plain values, and setting it from outside.

What is set holds as long as it would in life: locks, doors, lids, plug, place, sleep, reception, climate and speed
until the car next leaves or arrives; levels go on from the value set; all else stays until it is set again (tyres and
warnings: None gives them back to the plan).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from simulator.cars.changes import changed_codes
from simulator.cars.deviation import Deviation
from simulator.cars.incidents import TROUBLE_CODES
from simulator.cars.phases import Event

if TYPE_CHECKING:
    from simulator.cars.car import Car
    from simulator.cars.observing import State


def _boolean(value: Any, name: str) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{name} must be true or false")
    return value


def _number(value: Any, name: str, least: float, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise ValueError(f"{name} must be a number from {least:g} to {most:g}")
    return float(value)


def _held(key: str, *, lasting: bool = False) -> Callable[[Car, float, Any, str], None]:
    def setter(car: Car, now: float, value: Any, name: str) -> None:
        car.life.hold(key, _boolean(value, name), now=now, lasting=lasting)

    return setter


def _reachable(car: Car, now: float, value: Any, name: str) -> None:
    car.life.hold("reachable", _boolean(value, name), now=now, until=car.life.day(now).end)


def _event(key: str) -> Callable[[Car, float, Any, str], None]:
    def setter(car: Car, now: float, value: Any, name: str) -> None:
        if not car.facts.model.electric:
            raise ValueError(f"{name}: a {car.powertrain} has no traction battery")
        if _boolean(value, name) and car.life.day(now).spot(now).driving:
            raise ValueError(f"{name}: the car is driving")
        car.life.change(now, Event(now, key, value))

    return setter


def _openings(car: Car, now: float, value: Any, name: str) -> None:
    """A list of what is open, each as [row, column]; an empty list closes all."""
    rows, columns = car.facts.model.doors
    try:
        cells = [[int(row), int(column)] for row, column in value]
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must be a list of [row, column]") from error
    if any(not (0 <= row < rows and 0 <= column < columns) for row, column in cells):
        raise ValueError(f"{name}: this car has {rows} rows and {columns} columns")
    car.life.hold(name, cells, now=now)


def _state_of_charge(car: Car, now: float, value: Any, name: str) -> None:
    if not car.facts.model.electric:
        raise ValueError(f"{name}: a {car.powertrain} has no traction battery")
    car.life.change(now, Event(now, "soc", _number(value, name, 0, 100)))


def _fuel(car: Car, now: float, value: Any, name: str) -> None:
    if not car.facts.model.combustion:
        raise ValueError(f"{name}: a {car.powertrain} has no tank")
    car.life.change(now, Event(now, "fuel", _number(value, name, 0, 100)))


def _charge_limit(car: Car, now: float, value: Any, name: str) -> None:
    if not car.facts.model.electric:
        raise ValueError(f"{name}: a {car.powertrain} has no traction battery")
    car.life.set_limit(_number(value, name, 50, 100), now=now)


def _odometer(car: Car, now: float, value: Any, name: str) -> None:
    present = car.observe(now).odometer
    wanted = _number(value, name, 0, 5_000_000)
    if wanted < present:
        raise ValueError(f"odometer never falls: it is {present:.1f} km")
    car.life.change(now).odometer += wanted - present


def _speed(car: Car, now: float, value: Any, name: str) -> None:
    car.life.hold("speed", _number(value, name, 0, 250), now=now)


def _tyres(car: Car, now: float, value: Any, name: str) -> None:
    if value is None:
        car.life.release("tyres", now=now)
        return
    if not isinstance(value, list | tuple) or len(value) != 4:
        raise ValueError(f"{name} must be four pressures in kPa: front left and right, rear left and right")
    car.life.hold("tyres", [_number(pressure, name, 0, 1000) for pressure in value], now=now, lasting=True)


def _warnings(car: Car, now: float, value: Any, name: str) -> None:
    if value is None:
        car.life.release("warnings", now=now)
        return
    if not isinstance(value, list | tuple) or not all(isinstance(system, str) for system in value):
        raise ValueError(f"{name} must be a list of systems; known: {', '.join(sorted(TROUBLE_CODES))}")
    unknown = sorted(set(value) - TROUBLE_CODES.keys())
    if unknown:
        raise ValueError(f"{name}: unknown systems {unknown}; known: {', '.join(sorted(TROUBLE_CODES))}")
    car.life.hold("warnings", list(value), now=now, lasting=True)


def _coordinate(car: Car, now: float, value: Any, name: str) -> None:
    most = 90 if name == "latitude" else 180
    _number(value, name, -most, most)


_FIRST: Final = ("state_of_charge", "fuel_level", "charge_limit", "plugged_in", "charging")
_SETTERS: Final[Mapping[str, Callable[[Car, float, Any, str], None]]] = {
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
    "tyre_pressures": _tyres,
    "warning_lights": _warnings,
    "windows": _openings,
}
NAMES: Final = tuple(sorted({*_SETTERS, "latitude", "longitude"}))


def apply(car: Car, *, now: float, values: Mapping[str, Any]) -> tuple[str, ...]:
    """Set a car's state; gives the codes of the signals that changed.

    Raises ValueError for unknown names, listing the known ones, and for impossible values; then nothing is set.
    """
    unknown = sorted(set(values) - set(NAMES))
    if unknown:
        raise ValueError(f"unknown: {', '.join(unknown)}; known: {', '.join(NAMES)}")
    if ("latitude" in values) != ("longitude" in values):
        raise ValueError("latitude and longitude go together")
    before, kept = car.reported(now=now), car.life.deviation.dump() if car.life.deviation else None
    try:
        for name in sorted(values, key=_rank):
            _SETTERS.get(name, _coordinate)(car, now, values[name], name)
        if "latitude" in values:
            car.life.hold("place", [float(values["latitude"]), float(values["longitude"])], now=now)
    except ValueError:
        car.life.restore(Deviation.load(kept) if kept else None)
        raise
    return changed_codes(car, before, car.reported(now=now))


def _rank(name: str) -> tuple[int, str]:
    """Levels before the cable, the cable before charging, all else after."""
    return (_FIRST.index(name) if name in _FIRST else len(_FIRST)), name


def view(car: Car, state: State, *, now: float) -> dict[str, Any]:
    """The car as plain JSON-able values."""
    plain = state._asdict()
    for name in ("doors", "windows"):
        plain[name] = [list(cell) for cell in sorted(plain[name])]
    plain.update(tyres=list(state.tyres), faults=list(state.faults), parked=list(state.parked))
    plain["schedules"] = [schedule.body() for schedule in state.schedules]
    facts = car.facts
    return {
        "id": car.id,
        "vin": car.vin,
        "make": car.make,
        "model": car.model,
        "year": car.year,
        "powertrain": car.powertrain,
        "trim": facts.trim,
        "account": facts.account,
        "reported_at": car.last_report(now),
        "destination": car.life.held("destination", now),
        **plain,
    }

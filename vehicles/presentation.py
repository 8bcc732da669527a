"""Signals in words, for people: values in the units they chose, errors in plain language, age against staleness."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from accounts.models import UnitSystem
from vehicles.catalogue import CATALOGUE, IS_LOCKED, Shape, Signal
from vehicles.models import LatestSignal
from vehicles.observations import REFUSED, SignalStatus
from vehicles.units import Unit, convert, symbol

_IMPERIAL = {
    Unit.KILOMETRE: Unit.MILE,
    Unit.KILOMETRE_PER_HOUR: Unit.MILE_PER_HOUR,
    Unit.CELSIUS: Unit.FAHRENHEIT,
    Unit.KILOPASCAL: Unit.PSI,
    Unit.LITRE: Unit.GALLON,
}
_METRIC = {Unit.KILOPASCAL: Unit.BAR}
_SCALED = {Unit.WATT: Unit.KILOWATT}
_WHOLE = {Unit.PERCENT, Unit.KILOMETRE, Unit.MILE, Unit.KILOMETRE_PER_HOUR, Unit.MILE_PER_HOUR, Unit.COUNT}

_ERRORS = {
    "COMPATIBILITY": "This car does not report it.",
    "PERMISSION": "The driver has not granted it, or your Smartcar plan does not include it.",
    "CONNECTED_SERVICES_ACCOUNT": "The driver's account at the maker needs attention.",
    "AUTHENTICATION": "The driver has to sign in again.",
    "VEHICLE_STATE": "The car could not be reached for it.",
    "RATE_LIMIT": "The maker allows no more requests for now.",
    "UPSTREAM": "The maker's service did not deliver it.",
    "BILLING": "Your Smartcar plan's limit is reached.",
    REFUSED: "What the car reported cannot be true, so it is not shown.",
}


def display_unit(unit: Unit, *, units: str) -> Unit:
    """The unit in which a quantity that is stored in `unit` is shown in the chosen system."""
    return (_IMPERIAL if units == UnitSystem.IMPERIAL else _METRIC).get(unit, _SCALED.get(unit, unit))


def quantity(value: float, unit: Unit | None, *, units: str) -> str:
    """A number with its unit, in the chosen system: 312 km as "194 mi"."""
    if unit is None:
        return _number(value, 2)
    shown = display_unit(unit, units=units)
    number = _number(convert(value, source=unit, target=shown), 0 if shown in _WHOLE else 1)
    sign = symbol(shown)
    return number if not sign else f"{number} {sign}"


def _number(value: float, digits: int) -> str:
    text = f"{value:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def value_in_words(*, code: str, body: Mapping[str, Any] | None, units: str) -> str:
    """A signal's body in words; "" when there is none. Unknown codes show their plain value."""
    if not body:
        return ""
    signal = CATALOGUE.get(code)
    if signal is None:
        return str(body.get("value", ""))
    return _SHAPES.get(signal.shape, _plain)(signal, body, units)


def error_in_words(row: LatestSignal) -> str:
    """Why the last report of the signal held no value; "" when it did."""
    if row.status == SignalStatus.SUCCESS:
        return ""
    return _ERRORS.get(row.error_type, "It could not be read this time.")


def is_stale(row: LatestSignal, *, now: datetime) -> bool:
    """Whether the value is older than a value of its kind should be."""
    signal = CATALOGUE.get(row.code)
    if row.observed_at is None:
        return True
    return signal is not None and signal.staleness is not None and now - row.observed_at > signal.staleness


def duration(minutes: float) -> str:
    """135 as "2 h 15 min"."""
    hours, rest = divmod(round(minutes), 60)
    return f"{hours} h {rest} min" if hours else f"{rest} min"


def _plain(signal: Signal, body: Mapping[str, Any], units: str) -> str:
    value = body.get("value")
    return "" if value is None else str(value)


def _number_shape(signal: Signal, body: Mapping[str, Any], units: str) -> str:
    value = body.get("value")
    if value is None:
        return ""
    return duration(value) if signal.unit is Unit.MINUTE else quantity(value, signal.unit, units=units)


def _boolean(signal: Signal, body: Mapping[str, Any], units: str) -> str:
    if signal is IS_LOCKED:
        return "Locked" if body.get("value") else "Unlocked"
    return "Yes" if body.get("value") else "No"


def _choice(signal: Signal, body: Mapping[str, Any], units: str) -> str:
    return str(body.get("value") or "").replace("_", " ").capitalize()


def _status(signal: Signal, body: Mapping[str, Any], units: str) -> str:
    words = str(body.get("status") or "").upper()
    detail = body.get("description")
    return " · ".join(filter(None, ("OK" if words == "OK" else words.capitalize(), detail)))


def _location(signal: Signal, body: Mapping[str, Any], units: str) -> str:
    return f"{body['latitude']:.5f}, {body['longitude']:.5f}"


def _closure(signal: Signal, body: Mapping[str, Any], units: str) -> str:
    opened = {True: "Open", False: "Closed"}.get(body.get("isOpen"))  # type: ignore[arg-type]
    locked = {True: "locked", False: "not locked"}.get(body.get("isLocked"))  # type: ignore[arg-type]
    return ", ".join(filter(None, (opened, locked))).capitalize()


def _openings(signal: Signal, body: Mapping[str, Any], units: str) -> str:
    values = body.get("values") or []
    opened = sum(1 for value in values if value.get("isOpen"))
    if not values:
        return ""
    return f"{opened} of {len(values)} open" if opened else "All closed"


def _tires(signal: Signal, body: Mapping[str, Any], units: str) -> str:
    pressures = [value.get("tirePressure") for value in body.get("values") or []]
    known = [pressure for pressure in pressures if pressure is not None]
    if not known or signal.unit is None:
        return ""
    shown = [quantity(pressure, signal.unit, units=units) for pressure in known]
    number = [text.rpartition(" ")[0] for text in shown]
    return f"{' · '.join(number)} {shown[0].rpartition(' ')[2]}"


def _charge_limits(signal: Signal, body: Mapping[str, Any], units: str) -> str:
    active = body.get("activeLimit")
    limits = [value["limit"] for value in body.get("values") or [] if value.get("limit") is not None]
    limit = active if active is not None else (limits[0] if limits else None)
    return "" if limit is None else quantity(limit, Unit.PERCENT, units=units)


def _capacity(signal: Signal, body: Mapping[str, Any], units: str) -> str:
    value = body.get("capacity")
    return "" if value is None else quantity(value, Unit.KILOWATT_HOUR, units=units)


def _drive_mode(signal: Signal, body: Mapping[str, Any], units: str) -> str:
    return str(body.get("oemDisplayName") or body.get("canonical") or "").replace("_", " ").capitalize()


def _values(signal: Signal, body: Mapping[str, Any], units: str) -> str:
    count = len(body.get("values") or [])
    return f"{count} {'entry' if count == 1 else 'entries'}"


_SHAPES: dict[Shape, Callable[[Signal, Mapping[str, Any], str], str]] = {
    Shape.NUMBER: _number_shape,
    Shape.BOOLEAN: _boolean,
    Shape.TEXT: _plain,
    Shape.CHOICE: _choice,
    Shape.STATUS: _status,
    Shape.LOCATION: _location,
    Shape.CLOSURE: _closure,
    Shape.OPENINGS: _openings,
    Shape.TIRES: _tires,
    Shape.CHARGE_LIMITS: _charge_limits,
    Shape.CAPACITY: _capacity,
    Shape.DRIVE_MODE: _drive_mode,
    Shape.VALUES: _values,
}

"""Formats signals for display: values in the chosen units, errors in plain language, and whether a value is old.

Text and numbers are in the active language: "25,124 km" is "25.124 km" in German.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils.formats import number_format
from django.utils.text import capfirst
from django.utils.translation import gettext, ngettext, pgettext
from django.utils.translation import gettext_noop as _

from accounts.models import UnitSystem
from vehicles import labels
from vehicles.catalogue import CATALOGUE, IS_LOCKED, Shape, Signal
from vehicles.charge_limits import limit_in_effect, limits_by_current
from vehicles.models import LatestSignal
from vehicles.observations import NORMALIZATION_ERROR, SignalStatus
from vehicles.part_names import place_name
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
    "COMPATIBILITY": _("Not supported by this vehicle."),
    "PERMISSION": _("Permission not granted by the driver, or not included in your Smartcar plan."),
    "CONNECTED_SERVICES_ACCOUNT": _("The driver's manufacturer account needs attention."),
    "AUTHENTICATION": _("The driver needs to sign in again."),
    "VEHICLE_STATE": _("The vehicle couldn't be reached."),
    "RATE_LIMIT": _("The manufacturer is limiting requests for now."),
    "UPSTREAM": _("The manufacturer's service didn't provide this data."),
    "BILLING": _("Your Smartcar plan's limit has been reached."),
    NORMALIZATION_ERROR: _("The vehicle reported an implausible value, so it isn't shown."),
}
_OTHER_ERROR = _("The last attempt to read this value failed.")


def display_unit(unit: Unit, *, units: str) -> Unit:
    """Returns the display unit in the chosen system for a quantity stored in `unit`."""
    return (_IMPERIAL if units == UnitSystem.IMPERIAL else _METRIC).get(unit, _SCALED.get(unit, unit))


def quantity(value: float, unit: Unit | None, *, units: str) -> str:
    """Formats a number with its unit in the chosen system: 312 km as "194 mi"."""
    number, sign = _measured(value, unit, units=units)
    return with_symbol(number, sign)


def with_symbol(number: str, sign: str) -> str:
    """Joins a formatted number and a unit's symbol as in the active language: "80%" in English, "80 %" in German."""
    if sign == symbol(Unit.PERCENT):
        return pgettext("percentage", "%(number)s%%") % {"number": number}
    return f"{number} {sign}".strip()


def _measured(value: float, unit: Unit | None, *, units: str) -> tuple[str, str]:
    """Returns the formatted number and the unit's symbol, "" if it has none."""
    if unit is None:
        return _number(value, 2), ""
    shown = display_unit(unit, units=units)
    converted = convert(value, source=unit, target=shown)
    return _number(converted, 0 if shown in _WHOLE else 1), symbol(shown)


def _number(value: float, digits: int) -> str:
    """Formats a number with at most `digits` decimals and without trailing zeros."""
    text = f"{value:z.{digits}f}"  # no "-0"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return number_format(Decimal(text), force_grouping=True)


def format_value(*, code: str, body: Mapping[str, Any] | None, units: str) -> str:
    """Formats a signal's body; "" if there is none. Unknown codes show their plain value."""
    if not body:
        return ""
    signal = CATALOGUE.get(code)
    if signal is None:
        return str(body.get("value", ""))
    return _SHAPES.get(signal.shape, _plain)(signal, body, units)


def format_error(row: LatestSignal) -> str:
    """Returns why the last report of the signal had no value; "" if it had one."""
    if row.status == SignalStatus.SUCCESS:
        return ""
    return format_error_type(row.error_type)


def format_error_type(error_type: str) -> str:
    """Returns the explanation of one of Smartcar's error types."""
    return gettext(_ERRORS.get(error_type, _OTHER_ERROR))


def is_stale(row: LatestSignal, *, now: datetime) -> bool:
    """Returns whether the value is older than the signal's staleness, or there is no value."""
    signal = CATALOGUE.get(row.code)
    if row.observed_at is None:
        return True
    return signal is not None and signal.staleness is not None and now - row.observed_at > signal.staleness


def duration(minutes: float) -> str:
    """Formats 135 as "2 h 15 min"."""
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
        return gettext("Locked") if body.get("value") else gettext("Unlocked")
    return gettext("Yes") if body.get("value") else gettext("No")


def _choice(signal: Signal, body: Mapping[str, Any], units: str) -> str:
    return labels.choice(signal, str(body.get("value") or ""))


def _status(signal: Signal, body: Mapping[str, Any], units: str) -> str:
    return " · ".join(filter(None, (labels.status(str(body.get("status") or "")), body.get("description"))))


def _location(signal: Signal, body: Mapping[str, Any], units: str) -> str:
    return f"{body['latitude']:.5f}, {body['longitude']:.5f}"


def _closure(signal: Signal, body: Mapping[str, Any], units: str) -> str:
    opened, locked = body.get("isOpen"), body.get("isLocked")
    parts = []
    if opened is not None:
        parts.append(pgettext("a lid", "open") if opened else pgettext("a lid", "closed"))
    if locked is not None:
        parts.append(pgettext("a lid", "locked") if locked else pgettext("a lid", "unlocked"))
    return ", ".join(parts).capitalize()


def _openings(signal: Signal, body: Mapping[str, Any], units: str) -> str:
    """Returns how many are open, and how many aren't reported: an unknown door isn't a closed one."""
    states = [value.get("isOpen") for value in body.get("values") or []]
    if not states:
        return ""
    numbers = {"count": len(states), "opened": states.count(True), "closed": states.count(False)}
    unknown = len(states) - numbers["opened"] - numbers["closed"]
    if unknown == len(states):
        return pgettext("doors or windows", "Not reported")
    if numbers["opened"]:
        text = pgettext("doors or windows", "%(opened)s of %(count)s open") % numbers
    elif unknown:
        text = pgettext("doors or windows", "%(closed)s of %(count)s closed") % numbers
    else:
        return pgettext("doors or windows", "All closed")
    return f"{text}, {_not_reported(unknown)}" if unknown else text


def _not_reported(count: int) -> str:
    return ngettext("%(count)s not reported", "%(count)s not reported", count) % {"count": count}


def _tires(signal: Signal, body: Mapping[str, Any], units: str) -> str:
    """Returns the pressure of each tire with its place, and which ones aren't reported."""
    values = body.get("values") or []
    known = [value["tirePressure"] for value in values if value.get("tirePressure") is not None]
    if signal.unit is None or not known:
        return ""
    if any("row" not in value or "column" not in value for value in values):
        shown = [_measured(pressure, signal.unit, units=units) for pressure in known]
        return f"{' · '.join(number for number, sign in shown)} {shown[0][1]}"
    grid = {"rows": body.get("rowCount", 1), "columns": body.get("columnCount", 1)}
    parts = [
        f"{place_name(row=value['row'], column=value['column'], **grid)} {_pressure(value, signal.unit, units)}"
        for value in values
    ]
    return capfirst(" · ".join(parts))


def _pressure(value: Mapping[str, Any], unit: Unit, units: str) -> str:
    pressure = value.get("tirePressure")
    return gettext("not reported") if pressure is None else quantity(pressure, unit, units=units)


def _charge_limits(signal: Signal, body: Mapping[str, Any], units: str) -> str:
    """Returns the limit in effect, and those for AC and DC charging: "80% (AC 80%, DC 100%)"."""
    limits = [
        f"{current} {quantity(limit, Unit.PERCENT, units=units)}"
        for current, limit in limits_by_current(body).items()
    ]
    active = limit_in_effect(body)
    if active is None:
        each = dict.fromkeys(
            quantity(entry["limit"], Unit.PERCENT, units=units) for entry in body.get("values") or []
        )
        return ", ".join(limits or each)
    text = quantity(active, Unit.PERCENT, units=units)
    return f"{text} ({', '.join(limits)})" if limits else text


def _capacity(signal: Signal, body: Mapping[str, Any], units: str) -> str:
    value = body.get("capacity")
    return "" if value is None else quantity(value, Unit.KILOWATT_HOUR, units=units)


def _drive_mode(signal: Signal, body: Mapping[str, Any], units: str) -> str:
    display_name = body.get("oemDisplayName")
    return str(display_name) if display_name else labels.choice(signal, str(body.get("canonical") or ""))


def _values(signal: Signal, body: Mapping[str, Any], units: str) -> str:
    count = len(body.get("values") or [])
    return ngettext("%(count)s entry", "%(count)s entries", count) % {"count": count}


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

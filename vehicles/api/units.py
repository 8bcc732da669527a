"""Converts signals to the requested units. Pure functions."""

from collections.abc import Mapping
from typing import Any

from core.api.query_params import STORAGE
from vehicles import formatting
from vehicles.catalogue import Signal
from vehicles.quantities import round_float
from vehicles.units import Unit, convert

_ENTRIES = ("values", "additionalValues")
_MEASURED = ("value", "tirePressure")


def unit_for(signal: Signal | None, units: str) -> Unit | None:
    """Returns the unit for the signal's numbers, or None for a signal without a unit."""
    if signal is None or signal.unit is None or units == STORAGE:
        return signal.unit if signal else None
    return formatting.display_unit(signal.unit, units=units)


def convert_number(value: Any, *, signal: Signal, unit: Unit | None) -> Any:
    """Converts a number of the signal to `unit`. Returns other values unchanged."""
    measured = isinstance(value, int | float) and not isinstance(value, bool)
    if not measured or signal.unit is None or unit is None or unit == signal.unit:
        return value
    return round_float(convert(value, source=signal.unit, target=unit))


def convert_body(body: Mapping[str, Any] | None, *, signal: Signal | None, unit: Unit | None) -> Any:
    """Returns a signal's canonical body with its numbers in `unit`."""
    if body is None or signal is None or unit is None or unit == signal.unit:
        return body
    converted = _convert_measures(body, signal=signal, unit=unit)
    for key in _ENTRIES:
        if isinstance(body.get(key), list):
            converted[key] = [_convert_measures(entry, signal=signal, unit=unit) for entry in body[key]]
    return converted | {"unit": unit.value}


def _convert_measures(entry: Any, *, signal: Signal, unit: Unit) -> Any:
    if not isinstance(entry, Mapping):
        return entry
    converted = {
        key: convert_number(entry[key], signal=signal, unit=unit) for key in _MEASURED if key in entry
    }
    return {**entry, **converted}

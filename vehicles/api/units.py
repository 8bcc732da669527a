"""Signals in the units that the caller asked for. Pure functions."""

from collections.abc import Mapping
from typing import Any

from core.api.query_params import STORAGE
from vehicles import formatting
from vehicles.catalogue import Signal
from vehicles.quantities import round_float
from vehicles.units import Unit, convert

_ENTRIES = ("values", "additionalValues")
_MEASURED = ("value", "tirePressure")


def unit_in(signal: Signal | None, units: str) -> Unit | None:
    """The unit in which the signal's numbers are told; None for a signal without one."""
    if signal is None or signal.unit is None or units == STORAGE:
        return signal.unit if signal else None
    return formatting.display_unit(signal.unit, units=units)


def number_in(value: Any, *, signal: Signal, unit: Unit | None) -> Any:
    """A number of the signal in `unit`; anything but a number is returned as it is."""
    measured = isinstance(value, int | float) and not isinstance(value, bool)
    if not measured or signal.unit is None or unit is None or unit == signal.unit:
        return value
    return round_float(convert(value, source=signal.unit, target=unit))


def body_in(body: Mapping[str, Any] | None, *, signal: Signal | None, unit: Unit | None) -> Any:
    """A signal's canonical body with its numbers in `unit`."""
    if body is None or signal is None or unit is None or unit == signal.unit:
        return body
    told = _measures_in(body, signal=signal, unit=unit)
    for key in _ENTRIES:
        if isinstance(body.get(key), list):
            told[key] = [_measures_in(entry, signal=signal, unit=unit) for entry in body[key]]
    return told | {"unit": unit.value}


def _measures_in(entry: Any, *, signal: Signal, unit: Unit) -> Any:
    if not isinstance(entry, Mapping):
        return entry
    told = {key: number_in(entry[key], signal=signal, unit=unit) for key in _MEASURED if key in entry}
    return {**entry, **told}

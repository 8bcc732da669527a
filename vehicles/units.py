"""Units of measure: spellings in payloads, storage units, and conversion for display.

Each kind of quantity is stored in one canonical unit (km, km/h, °C, kPa, L, kWh, W, A, V, percent, minute) and shown in
the unit that the user chose. Pure functions, no settings.
"""

import re
from enum import StrEnum
from typing import NamedTuple


class Unit(StrEnum):
    """All units that are stored or shown. The enum's value is stored with a number."""

    PERCENT = "percent"
    KILOMETRE = "km"
    MILE = "mi"
    KILOMETRE_PER_HOUR = "km/h"
    MILE_PER_HOUR = "mph"
    CELSIUS = "celsius"
    FAHRENHEIT = "fahrenheit"
    KILOPASCAL = "kPa"
    BAR = "bar"
    PSI = "psi"
    LITRE = "L"
    GALLON = "gal"
    KILOWATT_HOUR = "kWh"
    WATT_HOUR = "Wh"
    WATT = "W"
    KILOWATT = "kW"
    AMPERE = "A"
    VOLT = "V"
    SECOND = "s"
    MINUTE = "minute"
    HOUR = "h"
    COUNT = "count"
    FRACTION = "fraction"


class _Scale(NamedTuple):
    """How a unit relates to the canonical unit of its kind: canonical = value * factor + offset."""

    canonical: Unit
    factor: float
    offset: float = 0.0


_SCALES: dict[Unit, _Scale] = {
    Unit.PERCENT: _Scale(Unit.PERCENT, 1),
    Unit.FRACTION: _Scale(Unit.PERCENT, 100),
    Unit.KILOMETRE: _Scale(Unit.KILOMETRE, 1),
    Unit.MILE: _Scale(Unit.KILOMETRE, 1.609344),
    Unit.KILOMETRE_PER_HOUR: _Scale(Unit.KILOMETRE_PER_HOUR, 1),
    Unit.MILE_PER_HOUR: _Scale(Unit.KILOMETRE_PER_HOUR, 1.609344),
    Unit.CELSIUS: _Scale(Unit.CELSIUS, 1),
    Unit.FAHRENHEIT: _Scale(Unit.CELSIUS, 5 / 9, -160 / 9),
    Unit.KILOPASCAL: _Scale(Unit.KILOPASCAL, 1),
    Unit.BAR: _Scale(Unit.KILOPASCAL, 100),
    Unit.PSI: _Scale(Unit.KILOPASCAL, 6.894757293168),
    Unit.LITRE: _Scale(Unit.LITRE, 1),
    Unit.GALLON: _Scale(Unit.LITRE, 3.785411784),  # the US liquid gallon
    Unit.KILOWATT_HOUR: _Scale(Unit.KILOWATT_HOUR, 1),
    Unit.WATT_HOUR: _Scale(Unit.KILOWATT_HOUR, 0.001),
    Unit.WATT: _Scale(Unit.WATT, 1),
    Unit.KILOWATT: _Scale(Unit.WATT, 1000),
    Unit.AMPERE: _Scale(Unit.AMPERE, 1),
    Unit.VOLT: _Scale(Unit.VOLT, 1),
    Unit.MINUTE: _Scale(Unit.MINUTE, 1),
    Unit.SECOND: _Scale(Unit.MINUTE, 1 / 60),
    Unit.HOUR: _Scale(Unit.MINUTE, 60),
    Unit.COUNT: _Scale(Unit.COUNT, 1),
}

SYMBOLS: dict[Unit, str] = {
    Unit.PERCENT: "%",
    Unit.CELSIUS: "°C",
    Unit.FAHRENHEIT: "°F",
    Unit.MINUTE: "min",
    Unit.COUNT: "",
}
"""Unit symbols that differ from the stored name. See `symbol`."""

_SPELLINGS: dict[str, Unit] = {
    spelling: unit
    for unit, spellings in {
        Unit.PERCENT: "percent percentage pct %",
        Unit.FRACTION: "fraction ratio",
        Unit.KILOMETRE: "km kms kilometer kilometers kilometre kilometres",
        Unit.MILE: "mi mile miles",
        Unit.KILOMETRE_PER_HOUR: "km/h kph kmh kmph kilometersperhour kilometresperhour kilometerperhour",
        Unit.MILE_PER_HOUR: "mph mi/h milesperhour mileperhour",
        Unit.CELSIUS: "c °c celsius degc",
        Unit.FAHRENHEIT: "f °f fahrenheit degf",
        Unit.KILOPASCAL: "kpa kilopascal kilopascals",
        Unit.BAR: "bar bars",
        Unit.PSI: "psi",
        Unit.LITRE: "l liter liters litre litres",
        Unit.GALLON: "gal gallon gallons usgallons",
        Unit.KILOWATT_HOUR: "kwh kilowatthour kilowatthours",
        Unit.WATT_HOUR: "wh watthour watthours",
        Unit.WATT: "w watt watts",
        Unit.KILOWATT: "kw kilowatt kilowatts",
        Unit.AMPERE: "a amp amps ampere amperes",
        Unit.VOLT: "v volt volts",
        Unit.SECOND: "s sec second seconds",
        Unit.MINUTE: "min mins minute minutes",
        Unit.HOUR: "h hr hour hours",
        Unit.COUNT: "count counts",
    }.items()
    for spelling in spellings.split()
}


class IncompatibleUnitsError(ValueError):
    """The two units measure different things."""


def parse_unit(text: str) -> Unit | None:
    """Returns the unit for a spelling in payloads ("kilometers", "KPH", "watt"), or None if unknown."""
    return _SPELLINGS.get(re.sub(r"[\s_-]+", "", text).lower())


def canonical_unit(unit: Unit) -> Unit:
    """Returns the storage unit for quantities of this kind: km for mi, kPa for psi."""
    return _SCALES[unit].canonical


def convert(value: float, *, source: Unit, target: Unit) -> float:
    """Converts `value` from `source` to `target`.

    Raises IncompatibleUnitsError if they measure different things.
    """
    if source == target:
        return value
    source_scale, target_scale = _SCALES[source], _SCALES[target]
    if source_scale.canonical != target_scale.canonical:
        raise IncompatibleUnitsError(f"{source} cannot be expressed in {target}")
    return (value * source_scale.factor + source_scale.offset - target_scale.offset) / target_scale.factor


def symbol(unit: Unit) -> str:
    """Returns the unit's symbol for display: "%", "°C", "km"."""
    return SYMBOLS.get(unit, unit.value)

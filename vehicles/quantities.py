"""Measured numbers made trustworthy: one canonical unit each, known faults of the wire mended or refused.

The faults are those seen on real cars: fractions called percent, kPa called bar, the 699.9 "no reading" of
tire sensors, watts called kilowatts, values without their unit. Every correction adds a sentence to `notes`;
what cannot be true is refused with the reason. Pure functions.
"""

from typing import Any

from vehicles import catalogue
from vehicles.catalogue import Signal
from vehicles.units import Unit, canonical_unit, convert, parse_unit

Number = int | float


class ImplausibleValueError(Exception):
    """The value cannot be true, or not be understood. `reason` says why, in words for people."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NoValueError(ImplausibleValueError):
    """Nothing is wrong with the message: the car just has no value to tell."""


# What a reading can be at most, in canonical units. Beyond it a car does not go: it is a fault or a sentinel.
_PLAUSIBLE: dict[Unit, tuple[float, float]] = {
    Unit.PERCENT: (0, 100),
    Unit.KILOMETRE: (0, 5_000_000),
    Unit.KILOMETRE_PER_HOUR: (0, 3_000),  # charge rates too, which are the faster
    Unit.CELSIUS: (-90, 120),
    Unit.KILOPASCAL: (0, 1_100),
    Unit.LITRE: (0, 2_000),
    Unit.KILOWATT_HOUR: (0, 2_000),
    Unit.WATT: (-1_000_000, 5_000_000),
    Unit.AMPERE: (-2_000, 5_000),
    Unit.VOLT: (0, 2_000),
    Unit.MINUTE: (0, 14 * 24 * 60),
    Unit.COUNT: (0, 1_000_000),
}
_PLAUSIBLE_FOR: dict[str, tuple[float, float]] = {
    catalogue.RANGE.code: (0, 3_000),
    catalogue.FUEL_RANGE.code: (0, 3_000),
    catalogue.SPEED.code: (0, 500),
    catalogue.CHARGER_PHASES.code: (0, 3),
}
_ANY = (-1e12, 1e12)

_SENT_WITHOUT_UNIT = {Unit.MINUTE, Unit.COUNT, Unit.PERCENT}  # percent is judged by its size instead
_NO_READING_KPA = 699.9  # what a tire sensor says when it has nothing to say
_LARGEST_KILOWATTS = 1_000


def round_float(value: float) -> Number:
    """Rounded to four decimals, and an integer where that loses nothing: 78.0 and 78 are one value."""
    rounded = round(value, 4)
    return int(rounded) if rounded == int(rounded) else rounded


def number(raw: Any, notes: list[str]) -> float:
    """A finite number. Raises NoValue for null, Refused for anything that is not a number."""
    if raw is None:
        raise NoValueError("no value was given")
    if isinstance(raw, str):
        raw = _from_text(raw, notes)
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        raise ImplausibleValueError("the value is not a number")
    if not abs(raw) <= _ANY[1]:  # so also for a NaN
        raise ImplausibleValueError("the value is out of all bounds")
    return float(raw)


def _from_text(raw: str, notes: list[str]) -> float:
    try:
        value = float(raw)
    except ValueError:
        raise ImplausibleValueError("the value is not a number") from None
    notes.append("the number was sent as text")
    return value


def read_unit(raw: Any, *, expected: Unit) -> Unit | None:
    """The unit that came with a value, None where none came. Raises Refused for a wrong or unknown one."""
    if raw is None or raw == "":
        return None
    unit = parse_unit(raw) if isinstance(raw, str) else None
    if unit is None:
        raise ImplausibleValueError("the unit is not known")
    if canonical_unit(unit) != expected:
        raise ImplausibleValueError(f"the unit is {unit} where {expected} or its like is measured")
    return unit


def quantity(raw: Any, unit: Any, *, signal: Signal, notes: list[str]) -> Number:
    """The value of a number signal in its canonical unit.

    `raw` and `unit` as they came. Raises NoValue, or Refused for what is outside of what a car can do.
    """
    value = number(raw, notes)
    if signal.unit is None:
        return _within(value, _PLAUSIBLE_FOR.get(signal.code, _ANY), "")
    came = read_unit(unit, expected=signal.unit)
    if signal.unit is Unit.PERCENT:
        return percent(value, came, notes)
    if came is None and signal.unit not in _SENT_WITHOUT_UNIT:
        notes.append(f"the unit was missing, taken as {signal.unit}")
    source = _power_unit(value, came or signal.unit, notes)
    bounds = _PLAUSIBLE_FOR.get(signal.code, _PLAUSIBLE[signal.unit])
    return _within(convert(value, source=source, target=signal.unit), bounds, signal.unit)


def _power_unit(value: float, unit: Unit, notes: list[str]) -> Unit:
    """kW unless the number shows that it must be watts: no car charges at a thousand kilowatts."""
    if unit is Unit.KILOWATT and abs(value) > _LARGEST_KILOWATTS:
        notes.append("called kilowatts, too large for it, taken as watts")
        return Unit.WATT
    return unit


def _within(value: float, bounds: tuple[float, float], unit: str) -> Number:
    low, high = bounds
    if not low <= value <= high:
        raise ImplausibleValueError(
            f"{round_float(value)} {unit}".strip()
            + f" is outside of {round_float(low)} to {round_float(high)}"
        )
    return round_float(value)


def percent(value: float, unit: Unit | None, notes: list[str]) -> Number:
    """A percentage of 0 to 100, of a number that came as percent, as a fraction, or without a unit.

    Decided by the unit, then by size: strictly between 0 and 1 it is a fraction whatever it is called, for no
    car reports less than one percent of anything. 1 alone, without a unit, could be 1 % or 100 %: refused.
    """
    if unit is Unit.FRACTION:
        return _fraction(value, notes)
    if 0 < value < 1:
        notes.append("a fraction was called percent" if unit else "a fraction, taken times 100")
        return round_float(value * 100)
    if value == 1 and unit is None:
        raise ImplausibleValueError("1 without a unit could be 1 % or 100 %")
    return _percentage(value, notes)


def _fraction(value: float, notes: list[str]) -> Number:
    if value <= 1.01:
        return _percentage(value * 100, notes)
    if value < 2:
        raise ImplausibleValueError("neither a fraction nor a percentage")
    notes.append("a percentage was called a fraction")
    return _percentage(value, notes)


def _percentage(value: float, notes: list[str]) -> Number:
    if 100 < value <= 101:
        notes.append("a little above 100 %, taken as 100 %")
        return 100
    return _within(value, _PLAUSIBLE[Unit.PERCENT], "percent")


def pressure(raw: Any, unit: Unit | None, notes: list[str]) -> Number | None:
    """A tire's pressure in kPa, or None where the sensor gives no reading.

    The unit decides unless the number is impossible in it: 258 "bar" are 258 kPa. Without a unit the number
    decides alone, where it can. Raises Refused where neither helps.
    """
    if raw is None:
        return None
    value = number(raw, notes)
    source = _pressure_unit(value, unit, notes)
    kilopascals = convert(value, source=source, target=Unit.KILOPASCAL)
    if abs(kilopascals - _NO_READING_KPA) < 0.06:
        notes.append("699.9 means that the sensor gives no reading")
        return None
    return _within(kilopascals, _PLAUSIBLE[Unit.KILOPASCAL], Unit.KILOPASCAL)


def _pressure_unit(value: float, unit: Unit | None, notes: list[str]) -> Unit:
    likely = _likely_pressure_unit(value)
    if unit is None:
        if likely is None:
            raise ImplausibleValueError("a pressure without a unit, and its size does not tell which")
        notes.append(f"the unit was missing, taken as {likely}")
        return likely
    if unit is not Unit.KILOPASCAL and likely is Unit.KILOPASCAL:
        notes.append(f"kPa were called {unit}")
        return Unit.KILOPASCAL
    return unit


def _likely_pressure_unit(value: float) -> Unit | None:
    """The unit in which this would be a tire's pressure. The gaps between them are wide; in a gap, None."""
    for unit, low, high in ((Unit.BAR, 1, 10), (Unit.PSI, 15, 80), (Unit.KILOPASCAL, 140, 1_100)):
        if low <= value <= high:
            return unit
    return None

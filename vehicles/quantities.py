"""Converts measured numbers to one canonical unit each, and corrects or rejects known faults in payloads.

The faults were observed with real vehicles: fractions labeled percent, kPa labeled bar, the 699.9 "no reading" of tire
sensors, watts labeled kilowatts, values without a unit. Every correction adds a note (vehicles.correction_notes) to
`notes`. Implausible values are rejected with a reason. Pure functions; nothing is worded or translated here.
"""

from typing import Any

from core.message_codes import Message
from vehicles import catalogue
from vehicles.catalogue import Signal
from vehicles.correction_notes import CorrectionNote
from vehicles.units import Unit, canonical_unit, convert, parse_unit, symbol

Number = int | float


class ImplausibleValueError(Exception):
    """The value is implausible or can't be parsed. `reason` is a message for users, worded when it is displayed."""

    def __init__(self, reason: Message) -> None:
        super().__init__(reason)
        self.reason = reason


class NoValueError(ImplausibleValueError):
    """The payload is valid, but the vehicle reports no value."""


# The limits of plausible readings, in canonical units. Anything beyond is a fault or a sentinel value.
_PLAUSIBLE: dict[Unit, tuple[float, float]] = {
    Unit.PERCENT: (0, 100),
    Unit.KILOMETRE: (0, 5_000_000),
    Unit.KILOMETRE_PER_HOUR: (0, 3_000),  # also for charge rates, which are higher than speeds
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

_SENT_WITHOUT_UNIT = {Unit.MINUTE, Unit.COUNT, Unit.PERCENT}  # percent is recognized by its size instead
LARGEST_KILOWATTS = 1_000
"""The largest number that may be the power of a charging vehicle in kilowatts."""
_LARGEST_KILOWATT_HOURS = 2_000
LARGEST_FRACTION = 1.01
"""The largest number that may be a fraction: manufacturers round up."""


def round_float(value: float) -> Number:
    """Rounds to four decimals, and to an integer if nothing is lost, so that 78.0 and 78 are the same value."""
    rounded = round(value, 4)
    return int(rounded) if rounded == int(rounded) else rounded


def number(raw: Any, notes: list[str]) -> float:
    """Returns a finite number. Raises NoValueError for null, ImplausibleValueError for anything but a number."""
    if raw is None:
        raise NoValueError(CorrectionNote.NO_VALUE.message())
    if isinstance(raw, str):
        raw = _from_text(raw, notes)
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        raise ImplausibleValueError(CorrectionNote.NOT_A_NUMBER.message())
    if not abs(raw) <= _ANY[1]:  # also true for NaN
        raise ImplausibleValueError(CorrectionNote.BEYOND_ALL_BOUNDS.message())
    return float(raw)


def _from_text(raw: str, notes: list[str]) -> float:
    try:
        value = float(raw)
    except ValueError:
        raise ImplausibleValueError(CorrectionNote.NOT_A_NUMBER.message()) from None
    notes.append(CorrectionNote.NUMBER_SENT_AS_TEXT.note())
    return value


def read_unit(raw: Any, *, expected: Unit) -> Unit | None:
    """Returns the unit of a value, or None without one. Raises ImplausibleValueError for a wrong or unknown unit."""
    if raw is None or raw == "":
        return None
    unit = parse_unit(raw) if isinstance(raw, str) else None
    if unit is None:
        raise ImplausibleValueError(CorrectionNote.UNKNOWN_UNIT.message())
    if canonical_unit(unit) != expected:
        raise ImplausibleValueError(_wrong_unit(unit, expected))
    return unit


def _wrong_unit(unit: Unit, expected: Unit) -> Message:
    name = symbol(unit) or unit.value
    if expected is Unit.COUNT:
        return CorrectionNote.COUNT_WITH_UNIT.message(unit=name)
    return CorrectionNote.WRONG_UNIT.message(unit=name, expected=symbol(expected))


def quantity(raw: Any, unit: Any, *, signal: Signal, notes: list[str]) -> Number:
    """Converts the value of a number signal to its canonical unit.

    `raw` and `unit` are as received. Raises NoValueError, or ImplausibleValueError for a value outside of the limits.
    """
    value = number(raw, notes)
    if signal.unit is None:
        return _within(value, _PLAUSIBLE_FOR.get(signal.code, _ANY), None)
    received_unit = read_unit(unit, expected=signal.unit)
    if signal.unit is Unit.PERCENT:
        return percent(value, received_unit, notes)
    if received_unit is None and signal.unit not in _SENT_WITHOUT_UNIT:
        notes.append(CorrectionNote.UNIT_ASSUMED.note(unit=symbol(signal.unit)))
    source = _plausible_unit(value, received_unit or signal.unit, notes)
    bounds = _PLAUSIBLE_FOR.get(signal.code, _PLAUSIBLE[signal.unit])
    return _within(convert(value, source=source, target=signal.unit), bounds, signal.unit)


def _plausible_unit(value: float, unit: Unit, notes: list[str]) -> Unit:
    """Returns `unit`, or the unit that is a thousand times smaller if the number is impossible otherwise.

    No vehicle charges at a thousand kilowatts, and no battery holds two thousand kilowatt-hours.
    """
    if unit is Unit.KILOWATT and abs(value) > LARGEST_KILOWATTS:
        notes.append(CorrectionNote.KILOWATTS_WERE_WATTS.note())
        return Unit.WATT
    if unit is Unit.KILOWATT_HOUR and value > _LARGEST_KILOWATT_HOURS:
        notes.append(CorrectionNote.KILOWATT_HOURS_WERE_WATT_HOURS.note())
        return Unit.WATT_HOUR
    return unit


def as_watts(value: float, unit: Unit | None, notes: list[str]) -> Number:
    """Returns the watts of a number of watts with this label."""
    if unit is Unit.KILOWATT:
        notes.append(CorrectionNote.KILOWATTS_WERE_WATTS.note())
    return round_float(value)


def as_kilowatts(value: float, unit: Unit | None, notes: list[str]) -> Number:
    """Returns the watts of a number of kilowatts with this label."""
    if unit is not Unit.KILOWATT:
        notes.append(CorrectionNote.WATTS_WERE_KILOWATTS.note())
    return round_float(value * 1000)


def within_bounds(value: float, unit: Unit) -> Number:
    """Returns a number in a storage unit, rounded. Raises ImplausibleValueError outside of the plausible range."""
    return _within(value, _PLAUSIBLE[unit], unit)


def _within(value: float, bounds: tuple[float, float], unit: Unit | None) -> Number:
    low, high = bounds
    if not low <= value <= high:
        raise ImplausibleValueError(_out_of_range(value, low, high, unit))
    return round_float(value)


def _out_of_range(value: float, low: float, high: float, unit: Unit | None) -> Message:
    numbers = {"value": round_float(value), "low": round_float(low), "high": round_float(high)}
    if unit is None or not symbol(unit):
        return CorrectionNote.NUMBER_OUT_OF_RANGE.message(**numbers)
    return CorrectionNote.OUT_OF_RANGE.message(**numbers, unit=symbol(unit))


def percent(value: float, unit: Unit | None, notes: list[str]) -> Number:
    """Returns a percentage from 0 to 100 for a number in percent, as a fraction, or without a unit.

    For numbers without an earlier value to compare with. The unit decides, then the size: a number strictly between 0
    and 1 is a fraction in any case. Raises ImplausibleValueError for 1 without a unit, which could be 1 % or 100 %.
    """
    if unit is Unit.FRACTION:
        return _fraction(value, notes)
    if 0 < value < 1:
        return as_fraction(value, unit, notes)
    if value == 1 and unit is None:
        raise ImplausibleValueError(CorrectionNote.ONE_OR_HUNDRED_PERCENT.message())
    return _percentage(value, notes)


def _fraction(value: float, notes: list[str]) -> Number:
    if value <= LARGEST_FRACTION:
        return as_fraction(value, Unit.FRACTION, notes)
    if value < 2:
        raise ImplausibleValueError(CorrectionNote.NEITHER_FRACTION_NOR_PERCENTAGE.message())
    return as_percentage(value, Unit.FRACTION, notes)


def as_fraction(value: float, unit: Unit | None, notes: list[str]) -> Number:
    """Returns the percentage of a fraction with this label."""
    if unit is not Unit.FRACTION:
        note = CorrectionNote.FRACTION_MISLABELED if unit else CorrectionNote.FRACTION_CONVERTED
        notes.append(note.note())
    return _percentage(value * 100, notes)


def as_percentage(value: float, unit: Unit | None, notes: list[str]) -> Number:
    """Returns the percentage of a number in percent with this label."""
    if unit is Unit.FRACTION:
        notes.append(CorrectionNote.PERCENTAGE_MISLABELED.note())
    return _percentage(value, notes)


def charge_limit(value: float, unit: Unit | None, notes: list[str]) -> Number:
    """Returns a charge limit in percent. Up to 1, it is a fraction: no vehicle stops charging at one percent."""
    if 0 < value <= LARGEST_FRACTION:
        return as_fraction(value, unit, notes)
    return percent(value, unit, notes)


def _percentage(value: float, notes: list[str]) -> Number:
    if 100 < value <= 101:
        notes.append(CorrectionNote.LIMITED_TO_HUNDRED_PERCENT.note())
        return 100
    return _within(value, _PLAUSIBLE[Unit.PERCENT], Unit.PERCENT)

"""Which unit a number was really sent in, where its label can't be trusted. Pure functions.

0.8 "percent" is 0.8 % or 80 %, and 7.4 "W" is 7.4 W or 7.4 kW. The number alone doesn't decide: a claim offers what it
means in each unit, and `vehicles.unit_judgment` decides by the other signals of the payload and the vehicle's earlier
values. A number that is possible in one unit only has no claim, and shows how the vehicle uses the label.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from core.message_codes import Message
from vehicles import catalogue
from vehicles.catalogue import Signal
from vehicles.correction_notes import CorrectionNote
from vehicles.quantities import (
    LARGEST_FRACTION,
    LARGEST_KILOWATTS,
    Number,
    as_fraction,
    as_kilowatts,
    as_percentage,
    as_watts,
    number,
    read_unit,
)
from vehicles.units import Unit

# Below, a number of watts is hardly the power of a charging vehicle; above, a number of kilowatts is hardly one.
_NO_POWER, _LOW_POWER, _HIGH_POWER = 0.001, 50.0, 350.0
# Between the first one and this one, it may be either: 150 "W" are those of a nearly full battery, or 150 kW.
CERTAIN_WATTS = 1_000.0
"""From here on, a number of watts was sent in watts."""


class Interpretation(NamedTuple):
    """What a number means in one unit: the value in the storage unit, and the correction notes."""

    value: Number
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UnitClaim:
    """The label of a number, and the units that it may have been sent in.

    `label` is the unit in the payload, "" without one. `unit` is what the number is taken for if nothing else is known;
    None if it is taken for nothing. `choices` has what it means in each possible unit, by the unit's value; once
    settled, only in `unit`.
    """

    label: str
    unit: Unit | None
    choices: Mapping[str, Interpretation]

    @property
    def is_settled(self) -> bool:
        """Whether the unit is no longer in doubt."""
        return len(self.choices) == 1

    @property
    def ambiguity(self) -> Message:
        """Why the number alone has no meaning."""
        return CorrectionNote.ONE_OR_HUNDRED_PERCENT.message()


def read_claim(signal: Signal, raw: Any, unit: Any) -> UnitClaim | None:
    """Returns the claim of a number signal's value, or None if the number is possible in one unit only.

    `raw` and `unit` are as received. Raises ImplausibleValueError if they can't be parsed.
    """
    if signal.unit is Unit.PERCENT:
        return _percent_claim(number(raw, []), read_unit(unit, expected=Unit.PERCENT))
    if signal is catalogue.CHARGE_WATTAGE:
        return _power_claim(number(raw, []), read_unit(unit, expected=Unit.WATT))
    return None


def _percent_claim(value: float, unit: Unit | None) -> UnitClaim | None:
    if not 0 < value <= LARGEST_FRACTION:
        return None
    choices = {
        Unit.PERCENT.value: _interpret(as_percentage, value, unit),
        Unit.FRACTION.value: _interpret(as_fraction, value, unit),
    }
    return UnitClaim(_label(unit), _default_scale(value, unit), choices)


def _default_scale(value: float, unit: Unit | None) -> Unit | None:
    """Returns the scale of a number from 0 to 1: a fraction, since vehicles hardly report less than one percent."""
    if unit is Unit.FRACTION or value < 1:
        return Unit.FRACTION
    return Unit.PERCENT if unit is Unit.PERCENT or value > 1 else None


def _power_claim(value: float, unit: Unit | None) -> UnitClaim | None:
    least, most = (_HIGH_POWER, LARGEST_KILOWATTS) if unit is Unit.KILOWATT else (_NO_POWER, CERTAIN_WATTS)
    if not least < abs(value) <= most:
        return None
    choices = {
        Unit.WATT.value: _interpret(as_watts, value, unit),
        Unit.KILOWATT.value: _interpret(as_kilowatts, value, unit),
    }
    return UnitClaim(_label(unit), unit or Unit.WATT, choices)


def _label(unit: Unit | None) -> str:
    return unit.value if unit else ""


def is_low_power(watts: float) -> bool:
    """Returns whether a charging vehicle takes more power than this, so that kilowatts are more likely."""
    return abs(watts) < _LOW_POWER


def _interpret(
    read: Callable[[float, Unit | None, list[str]], Number], value: float, unit: Unit | None
) -> Interpretation:
    notes: list[str] = []
    return Interpretation(read(value, unit, notes), tuple(notes))

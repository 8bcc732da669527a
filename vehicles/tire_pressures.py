"""Converts the pressures of a vehicle's tires to kPa. Pure functions.

Payloads label bar and psi as kPa, and the other way around. All tires of a vehicle were sent in the same unit, and a
single one may be flat, so the highest pressure decides: 38 next to 250 is a flat tire in kPa, 38 on every tire is psi.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from vehicles.correction_notes import CorrectionNote
from vehicles.quantities import ImplausibleValueError, Number, number, within_bounds
from vehicles.units import Unit, convert, symbol

Reader = Callable[[Any, list[str]], Number | None]
_UNCLEAR = CorrectionNote.UNCLEAR_PRESSURE_UNIT.message()
_NO_READING_KPA = 699.9  # sent by a sensor without a reading, in whatever unit
# The highest pressure of a vehicle's tires: where it is possible, and so the label is believed, and where it is usual.
_POSSIBLE = {Unit.KILOPASCAL: (80, 1_100), Unit.BAR: (0.8, 11), Unit.PSI: (11, 160)}
_USUAL = {Unit.KILOPASCAL: (140, 1_100), Unit.BAR: (1, 11), Unit.PSI: (15, 80)}


def to_kilopascals(raws: Sequence[Any], label: Unit | None, notes: list[str]) -> list[Number | None]:
    """Returns the pressure of each tire in kPa; None for a tire without a reading or with an implausible one.

    `label` is the unit in the payload. The notes say what was corrected and left out, and why. Raises
    ImplausibleValueError if a tire has an implausible pressure and none has a plausible one.
    """
    rejections: list[ImplausibleValueError] = []
    values = [_or_none(_parse, raw, notes, rejections) for raw in raws]
    unit = _actual_unit([value for value in values if value], label)
    if unit is None and any(values):
        raise ImplausibleValueError(
            CorrectionNote.WRONG_PRESSURE_UNIT.message(unit=symbol(label)) if label else _UNCLEAR
        )
    read = partial(_convert, unit=unit or Unit.KILOPASCAL, assumed=label is None)
    pressures = [None if value is None else _or_none(read, value, notes, rejections) for value in values]
    if rejections and not any(pressures):
        raise rejections[0]
    if unit is not None and unit is not label:
        notes.append(_unit_note(unit, label))
    return pressures


def _or_none(
    read: Reader, raw: Any, notes: list[str], rejections: list[ImplausibleValueError]
) -> Number | None:
    try:
        return read(raw, notes)
    except ImplausibleValueError as error:
        rejections.append(error)
        notes.append(CorrectionNote.TIRE_PRESSURE_LEFT_OUT.note(reason=error.reason))
        return None


def _parse(raw: Any, notes: list[str]) -> float | None:
    return None if raw is None else _reading(number(raw, notes), notes)


def _reading(value: float, notes: list[str]) -> float | None:
    if abs(value - _NO_READING_KPA) >= 0.06:
        return value
    notes.append(CorrectionNote.NO_SENSOR_READING.note())
    return None


def _actual_unit(values: Sequence[float], label: Unit | None) -> Unit | None:
    """Returns the unit in which the highest pressure is plausible, or None if there is none."""
    highest = max((value for value in values if value <= _POSSIBLE[Unit.KILOPASCAL][1]), default=None)
    if highest is None or (label is not None and _is_in(highest, _POSSIBLE[label])):
        return label
    return next((unit for unit, usual in _USUAL.items() if _is_in(highest, usual)), None)


def _is_in(value: float, bounds: tuple[float, float]) -> bool:
    return bounds[0] <= value <= bounds[1]


def _convert(value: float, notes: list[str], *, unit: Unit, assumed: bool) -> Number | None:
    if assumed and value and not _is_in(value, _USUAL[unit]):
        raise ImplausibleValueError(_UNCLEAR)
    kilopascals = _reading(convert(value, source=unit, target=Unit.KILOPASCAL), notes)
    return None if kilopascals is None else within_bounds(kilopascals, Unit.KILOPASCAL)


def _unit_note(unit: Unit, label: Unit | None) -> str:
    if label is None:
        return CorrectionNote.UNIT_ASSUMED.note(unit=symbol(unit))
    if unit is Unit.KILOPASCAL:
        return CorrectionNote.KILOPASCALS_MISLABELED.note(unit=symbol(label))
    return CorrectionNote.PRESSURE_MISLABELED.note(unit=symbol(label), actual=symbol(unit))

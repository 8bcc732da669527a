"""Decides in which unit a number was sent if its label can't be trusted (vehicles.unit_claims). Pure functions.

First the other signals of the same payload decide, then how the vehicle has used the label before, then its last value.
What the vehicle's numbers show about a label is in `LatestSignalRow.memory`, so it is as durable as the value itself,
and the same whether deliveries are processed one by one or in a batch.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from vehicles import catalogue
from vehicles.catalogue import CATALOGUE, Shape
from vehicles.correction_notes import CorrectionNote, encode
from vehicles.latest_state import LatestSignalRow
from vehicles.observations import SignalReading, SignalStatus
from vehicles.quantities import LARGEST_FRACTION
from vehicles.unit_claims import CERTAIN_WATTS, Interpretation, UnitClaim, is_low_power
from vehicles.units import Unit

_UNITS = "units"  # the key in the memory: what the vehicle means by each label
# A value this near to the last one shows the unit if the value in the other unit is further away.
_NEAR, _FAR = 2.0, 10.0


def settle_by_payload(readings: Sequence[SignalReading]) -> tuple[SignalReading, ...]:
    """Returns the readings of one payload, with the unit of the charging power that the others show.

    Voltage and current settle it. If the vehicle is charging, kilowatts are only assumed: at the end of a charge, a
    vehicle takes little power.
    """
    return tuple(
        _settle_power(reading, readings) if reading.claim is not None else reading for reading in readings
    )


def _settle_power(reading: SignalReading, readings: Sequence[SignalReading]) -> SignalReading:
    if reading.code != catalogue.CHARGE_WATTAGE.code or reading.claim is None:
        return reading
    values = {each.code: each.value for each in readings}
    volts, amperes = values.get(catalogue.CHARGE_VOLTAGE.code), values.get(catalogue.AMPERAGE.code)
    if volts and amperes:
        expected = abs(volts * amperes)  # of one phase; three are nearer to it than a thousand times as much
        choices = reading.claim.choices
        nearest = min(choices, key=lambda unit: abs(math.log(abs(choices[unit].value) / expected)))
        return _settled(reading, Unit(nearest))
    if values.get(catalogue.IS_CHARGING.code) is True and _is_kilowatts(reading.claim):
        return _in_unit(reading, Unit.KILOWATT)._replace(claim=replace(reading.claim, unit=Unit.KILOWATT))
    return reading


def _is_kilowatts(claim: UnitClaim) -> bool:
    """Returns whether the power of a charging vehicle was hardly sent in the watts that its label says."""
    return claim.label != Unit.KILOWATT and is_low_power(claim.choices[Unit.WATT].value)


def settle(reading: SignalReading, state: LatestSignalRow, *, charging: bool) -> SignalReading:
    """Returns the reading in the unit that the vehicle's earlier values show, or in the most likely one.

    `state` is the latest one of the signal. `charging` is whether the vehicle was last reported as charging.
    """
    claim = reading.claim
    if claim is None or claim.is_settled:
        return reading
    unit = _judge(claim, state, charging=charging)
    return reading if unit is None else _settled(reading, unit)


def _judge(claim: UnitClaim, state: LatestSignalRow, *, charging: bool) -> Unit | None:
    meanings, usual = _meanings(state), Unit.PERCENT if Unit.PERCENT in claim.choices else Unit.WATT
    meant = meanings.get(claim.label) or (None if claim.label else meanings.get(usual))
    last = state.body.get("value") if state.body else None
    if not isinstance(last, int | float) or isinstance(last, bool):
        last = None
    if usual is Unit.PERCENT:
        return _judge_scale(claim, Unit(meant) if meant else None, last)
    if meant is not None and not (last and _is_a_thousandth(claim, meant, last)):
        return Unit(meant)
    if _is_kilowatts(claim) and (charging or claim.unit is Unit.KILOWATT):
        return Unit.KILOWATT
    return None


def _judge_scale(claim: UnitClaim, meant: Unit | None, last: float | None) -> Unit | None:
    """Returns whether a number from 0 to 1 is a fraction or a percentage."""
    if last is not None:
        (near, nearest), (far, _other) = sorted(
            (abs(choice.value - last), Unit(unit)) for unit, choice in claim.choices.items()
        )
        # From 80 to 0.8 is the same in another unit, whatever the label has meant so far.
        if near <= _NEAR and far > _FAR and (meant is None or last >= _FAR):
            return nearest
        if meant is None and near <= _FAR and far > 3 * near:
            return nearest
    return meant or claim.unit


def _is_a_thousandth(claim: UnitClaim, meant: str, last: float) -> bool:
    """Returns whether a number of the usual unit would be about a thousandth of the last power."""
    if meant != Unit.WATT:
        return False
    return 0.5 < claim.choices[Unit.KILOWATT].value / last < 2


def _settled(reading: SignalReading, unit: Unit) -> SignalReading:
    claim = reading.claim
    assert claim is not None
    settled = replace(claim, unit=unit, choices={unit.value: claim.choices[unit]})
    return _in_unit(reading, unit)._replace(claim=settled)


def _in_unit(reading: SignalReading, unit: Unit) -> SignalReading:
    claim = reading.claim
    assert claim is not None
    chosen, assumed = claim.choices[unit], _notes(claim)
    return reading._replace(
        status=SignalStatus.SUCCESS,
        error=None,
        body=_body(reading.code, chosen),
        notes=(*chosen.notes, *(note for note in reading.notes if note not in assumed)),
    )


def _notes(claim: UnitClaim) -> set[str]:
    """Returns the notes that any of the interpretations would add, or the lack of one."""
    notes = {note for choice in claim.choices.values() for note in choice.notes}
    return notes | {encode(claim.ambiguity)} if claim.unit is None else notes


def _body(code: str, chosen: Interpretation) -> dict[str, Any]:
    unit = CATALOGUE[code].unit
    assert unit is not None
    return {"value": chosen.value, "unit": unit.value}


def _meanings(state: LatestSignalRow) -> Mapping[str, str]:
    meanings: Mapping[str, str] = state.memory.get(_UNITS, {})
    return meanings


def remember(reading: SignalReading, state: LatestSignalRow) -> None:
    """Stores what the vehicle means by the label of a value that has become its latest one."""
    known = _meanings(state)
    meanings = {**known, **_shown_by(reading)}
    if meanings != known:
        state.memory = {**state.memory, _UNITS: meanings}
        state.changed = True


def _shown_by(reading: SignalReading) -> Mapping[str, str]:
    """Returns what a value shows about a label: the unit that the number was sent in."""
    if reading.claim is not None:
        claim = reading.claim
        return {claim.label: claim.unit.value} if claim.unit and claim.is_settled else {}
    signal, value = CATALOGUE.get(reading.code), reading.value
    if signal is None or signal.shape is not Shape.NUMBER or not isinstance(value, int | float):
        return {}
    if signal.unit is Unit.PERCENT and value > LARGEST_FRACTION:
        mislabeled = CorrectionNote.PERCENTAGE_MISLABELED.note() in reading.notes
        return {(Unit.FRACTION if mislabeled else Unit.PERCENT).value: Unit.PERCENT.value}
    if signal is catalogue.CHARGE_WATTAGE and abs(value) >= CERTAIN_WATTS:
        mislabeled = CorrectionNote.KILOWATTS_WERE_WATTS.note() in reading.notes
        return {(Unit.KILOWATT if mislabeled else Unit.WATT).value: Unit.WATT.value}
    return {}

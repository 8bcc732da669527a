"""The unit of tire pressures, recognized by the pressures of all tires."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vehicles import catalogue
from vehicles.correction_notes import CorrectionNote, note_text
from vehicles.normalization import ImplausibleValueError, NoValueError, normalize
from vehicles.units import Unit, convert

UNITS = [Unit.KILOPASCAL, Unit.BAR, Unit.PSI]


def pressures(values: list[Any], unit: str | None) -> list[float | None]:
    tires = [{"row": at // 2, "column": at % 2, "tirePressure": value} for at, value in enumerate(values)]
    body = normalize(catalogue.TIRES, {"values": tires, "unit": unit}).body
    return [tire["tirePressure"] for tire in body["values"]]


@pytest.mark.parametrize(
    ("values", "unit", "expected"),
    [
        ([2.6, 2.6, 2.7, 2.5], "kPa", [260, 260, 270, 250]),
        ([38, 38, 40, 36], "kPa", [262.0008, 262.0008, 275.7903, 248.2113]),
        ([2.6, 2.4], "psi", [260, 240]),
        ([36, 38], "bar", [248.2113, 262.0008]),
        ([250, 260], "psi", [250, 260]),
        # One flat tire doesn't change the unit of the others.
        ([38, 250, 250, 255], "kPa", [38, 250, 250, 255]),
        ([2.6, 250, 250, 255], "kPa", [2.6, 250, 250, 255]),
        ([0, 38, 38, 40], "kPa", [0, 262.0008, 262.0008, 275.7903]),
        ([0.4, 2.5], "bar", [40, 250]),
        ([95, 110], "kPa", [95, 110]),
        ([699.9, 2.6], "kPa", [None, 260]),
        ([120, 118], "psi", [827.3709, 813.5814]),
    ],
)
def test_unit_is_recognized_by_all_tires(values: list[Any], unit: str, expected: list[float | None]) -> None:
    assert pressures(values, unit) == expected


def test_another_unit_is_noted() -> None:
    body = {"values": [{"row": 0, "column": 0, "tirePressure": 2.6}], "unit": "kPa"}
    (note,) = normalize(catalogue.TIRES, body).notes
    assert note == CorrectionNote.PRESSURE_MISLABELED.note(unit="kPa", actual="bar")
    assert note_text(note) == "A pressure in bar was labeled kPa."


@pytest.mark.parametrize(
    ("values", "unit"), [([12, 13], "kPa"), ([13], "bar"), ([0.4], "psi"), ([5_000], "kPa")]
)
def test_pressure_in_no_unit_is_rejected_with_a_reason(values: list[Any], unit: str) -> None:
    with pytest.raises(ImplausibleValueError) as rejection:
        pressures(values, unit)
    assert not isinstance(rejection.value, NoValueError)
    assert str(rejection.value.reason)


def test_zero_on_every_tire_is_no_reading() -> None:
    with pytest.raises(NoValueError):
        pressures([0, 0, 0, 0], "kPa")


@given(
    kilopascals=st.lists(st.floats(180, 450), min_size=1, max_size=6),
    actual=st.sampled_from(UNITS),
    label=st.sampled_from([*UNITS, None]),
)
def test_usual_pressure_is_understood_whatever_its_label(
    kilopascals: list[float], actual: Unit, label: Unit | None
) -> None:
    sent = [convert(value, source=Unit.KILOPASCAL, target=actual) for value in kilopascals]
    assert pressures(sent, label) == pytest.approx(kilopascals, abs=0.001)

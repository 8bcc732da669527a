"""Units: transmitted spellings and conversion."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vehicles.units import IncompatibleUnitsError, Unit, canonical_unit, convert, parse_unit, symbol


@pytest.mark.parametrize(
    ("spelling", "unit"),
    [
        ("km", Unit.KILOMETRE),
        ("kilometers", Unit.KILOMETRE),
        ("Kilometres", Unit.KILOMETRE),
        ("miles", Unit.MILE),
        ("mi", Unit.MILE),
        ("kph", Unit.KILOMETRE_PER_HOUR),
        ("km/h", Unit.KILOMETRE_PER_HOUR),
        ("kilometers per hour", Unit.KILOMETRE_PER_HOUR),
        ("MPH", Unit.MILE_PER_HOUR),
        ("watts", Unit.WATT),
        ("watt", Unit.WATT),
        ("kW", Unit.KILOWATT),
        ("kilowatt-hours", Unit.KILOWATT_HOUR),
        ("volts", Unit.VOLT),
        ("ampere", Unit.AMPERE),
        ("liters", Unit.LITRE),
        ("gallons", Unit.GALLON),
        ("celsius", Unit.CELSIUS),
        ("°F", Unit.FAHRENHEIT),
        ("percent", Unit.PERCENT),
        ("%", Unit.PERCENT),
        ("psi", Unit.PSI),
        ("kPa", Unit.KILOPASCAL),
        ("minutes", Unit.MINUTE),
        ("furlong", None),
        ("", None),
    ],
)
def test_transmitted_spellings(spelling: str, unit: Unit | None) -> None:
    assert parse_unit(spelling) is unit


@pytest.mark.parametrize("unit", Unit)
def test_every_unit_reads_its_own_stored_name(unit: Unit) -> None:
    assert parse_unit(unit.value) is unit


@pytest.mark.parametrize(
    ("value", "source", "target", "expected"),
    [
        (100, Unit.MILE, Unit.KILOMETRE, 160.9344),
        (160.9344, Unit.KILOMETRE, Unit.MILE, 100),
        (60, Unit.MILE_PER_HOUR, Unit.KILOMETRE_PER_HOUR, 96.56064),
        (20, Unit.CELSIUS, Unit.FAHRENHEIT, 68),
        (-40, Unit.FAHRENHEIT, Unit.CELSIUS, -40),
        (250, Unit.KILOPASCAL, Unit.BAR, 2.5),
        (36, Unit.PSI, Unit.KILOPASCAL, 248.2113),
        (2.5, Unit.BAR, Unit.PSI, 36.2594),
        (10, Unit.GALLON, Unit.LITRE, 37.8541),
        (7.4, Unit.KILOWATT, Unit.WATT, 7400),
        (1.5, Unit.HOUR, Unit.MINUTE, 90),
        (0.8, Unit.FRACTION, Unit.PERCENT, 80),
    ],
)
def test_known_conversions(value: float, source: Unit, target: Unit, expected: float) -> None:
    assert convert(value, source=source, target=target) == pytest.approx(expected, abs=1e-4)


def test_refuses_to_convert_between_kinds() -> None:
    with pytest.raises(IncompatibleUnitsError):
        convert(1, source=Unit.KILOMETRE, target=Unit.CELSIUS)


@given(
    value=st.floats(min_value=-1e9, max_value=1e9),
    source=st.sampled_from(list(Unit)),
    target=st.sampled_from(list(Unit)),
)
def test_converting_there_and_back_returns_the_same_value(value: float, source: Unit, target: Unit) -> None:
    if canonical_unit(source) != canonical_unit(target):
        return
    there = convert(value, source=source, target=target)
    assert convert(there, source=target, target=source) == pytest.approx(value, rel=1e-9, abs=1e-6)


def test_symbols_are_the_usual_ones() -> None:
    assert [symbol(unit) for unit in (Unit.CELSIUS, Unit.PERCENT, Unit.KILOMETRE)] == ["°C", "%", "km"]

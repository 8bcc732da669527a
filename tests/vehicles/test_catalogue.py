"""The signal catalog."""

from datetime import timedelta

import pytest

from vehicles import catalogue
from vehicles.catalogue import CATALOGUE, Shape, Signal, find


def test_holds_all_ninety_three_codes() -> None:
    assert len(CATALOGUE) == 93


@pytest.mark.parametrize("signal", CATALOGUE.values(), ids=lambda signal: signal.code)
def test_code_is_group_and_name_in_lower_case(signal: Signal) -> None:
    assert signal.code == f"{signal.group}-{signal.name}".lower()


def test_every_signal_is_listed_under_its_own_code() -> None:
    assert all(code == signal.code for code, signal in CATALOGUE.items())


def test_every_signal_has_a_constant() -> None:
    constants = [value for value in vars(catalogue).values() if isinstance(value, Signal)]
    assert sorted(signal.code for signal in constants) == sorted(CATALOGUE)


def test_labels_of_signals_in_one_group_are_distinct() -> None:
    labels = [(signal.group, signal.label) for signal in CATALOGUE.values()]
    assert len(set(labels)) == len(labels)


def test_measured_signals_have_a_unit_and_others_do_not() -> None:
    measured = {Shape.NUMBER, Shape.TIRES, Shape.CHARGE_LIMITS, Shape.CAPACITY}
    without = {s for s in CATALOGUE.values() if s.shape in measured and s.unit is None}
    assert without == {catalogue.CHARGER_PHASES}
    assert all(s.unit is None for s in CATALOGUE.values() if s.shape not in measured)


def test_identification_never_becomes_stale() -> None:
    assert catalogue.VIN.staleness is None
    assert catalogue.NICKNAME.staleness is None


def test_lock_and_location_become_stale_within_hours_and_the_odometer_in_a_day() -> None:
    assert catalogue.IS_LOCKED.staleness is not None
    assert catalogue.IS_LOCKED.staleness <= timedelta(hours=6)
    assert catalogue.PRECISE_LOCATION.staleness is not None
    assert catalogue.PRECISE_LOCATION.staleness <= timedelta(hours=6)
    assert catalogue.ODOMETER.staleness == timedelta(days=1)


def test_permission_of_the_signal_takes_precedence_over_that_of_its_group() -> None:
    assert catalogue.STATE_OF_CHARGE.permission == "read_battery"
    assert catalogue.VIN.permission == "read_vin"
    assert catalogue.OIL_LIFE.permission == "read_engine_oil"
    assert catalogue.FUEL_LEVEL.permission == "read_fuel"


def test_find_by_code_ignores_case() -> None:
    assert find(code="TractionBattery-StateOfCharge") is catalogue.STATE_OF_CHARGE


def test_find_by_group_and_name() -> None:
    assert find(group="InternalCombustionEngine", name="FuelLevel") is catalogue.FUEL_LEVEL


def test_find_falls_back_to_group_and_name_when_the_code_is_unknown() -> None:
    assert find(code="new-code", group="Odometer", name="TraveledDistance") is catalogue.ODOMETER


@pytest.mark.parametrize("query", [{}, {"code": "nothing-here"}, {"group": "Charge"}, {"name": "Range"}])
def test_find_returns_none_for_an_unknown_signal(query: dict[str, str]) -> None:
    assert find(**query) is None

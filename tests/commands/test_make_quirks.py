"""The quirks of makes, according to the notes in Smartcar's documentation."""

import pytest

from commands import make_quirks
from commands.types import CommandType
from vehicles import catalogue
from vehicles.models import LatestSignal, Vehicle
from vehicles.selectors import VehicleState


def vehicle_state(make: str, *, charge: float | None = None, model: str = "") -> VehicleState:
    vehicle = Vehicle(make=make, model=model, powertrain="BEV")
    code = catalogue.STATE_OF_CHARGE.code
    signals = {} if charge is None else {code: LatestSignal(code=code, body={"value": charge})}
    return VehicleState(vehicle=vehicle, signals=signals)


@pytest.mark.parametrize("make", ["CHEVROLET", "gmc", "Buick", "CADILLAC"])
@pytest.mark.parametrize("kind", [CommandType.START_CHARGE, CommandType.STOP_CHARGE])
def test_gm_starts_and_stops_charging_from_fifty_percent(make: str, kind: CommandType) -> None:
    assert "50%" in make_quirks.quirk_for(kind, vehicle_state(make, charge=49)).refusal
    assert make_quirks.quirk_for(kind, vehicle_state(make, charge=50)) == make_quirks.NOTHING
    assert "50%" in make_quirks.quirk_for(kind, vehicle_state(make)).hint


def test_polestar_stops_charging_from_forty_percent_and_always_starts() -> None:
    assert (
        "Current level: 39%."
        in make_quirks.quirk_for(CommandType.STOP_CHARGE, vehicle_state("POLESTAR", charge=39)).refusal
    )
    assert (
        make_quirks.quirk_for(CommandType.STOP_CHARGE, vehicle_state("POLESTAR", charge=40))
        == make_quirks.NOTHING
    )
    assert (
        make_quirks.quirk_for(CommandType.START_CHARGE, vehicle_state("POLESTAR", charge=10))
        == make_quirks.NOTHING
    )


@pytest.mark.parametrize(
    ("model", "least"), [("EQE 350+", 20), ("eqs 450", 20), ("EQA 250", 50), ("EQB", 50)]
)
def test_mercedes_stops_charging_from_a_level_that_depends_on_the_model(model: str, least: int) -> None:
    below, at = (vehicle_state("MERCEDES_BENZ", charge=charge, model=model) for charge in (least - 1, least))
    assert f"{least}%" in make_quirks.quirk_for(CommandType.STOP_CHARGE, below).refusal
    assert make_quirks.quirk_for(CommandType.STOP_CHARGE, at) == make_quirks.NOTHING
    assert make_quirks.quirk_for(CommandType.START_CHARGE, below) == make_quirks.NOTHING


@pytest.mark.parametrize("kind", [CommandType.START_CHARGE, CommandType.STOP_CHARGE])
def test_other_mercedes_models_may_reject_charging_commands(kind: CommandType) -> None:
    quirk = make_quirks.quirk_for(kind, vehicle_state("MERCEDES_BENZ", charge=80, model="GLC 300 e"))
    assert ("EQ models" in quirk.hint, quirk.refusal) == (True, "")


@pytest.mark.parametrize(
    ("make", "kind", "text"),
    [
        ("BMW", CommandType.STOP_CHARGE, "80 commands"),
        ("MINI", CommandType.START_CHARGE, "200 m"),
        ("FORD", CommandType.START_CHARGE, "100%"),
        ("LINCOLN", CommandType.START_CHARGE, "100%"),
        ("VOLKSWAGEN", CommandType.STOP_CHARGE, "driven"),
        ("VOLKSWAGEN", CommandType.UNLOCK, "dealership"),
    ],
)
def test_limits_that_our_data_does_not_show_are_hints(make: str, kind: CommandType, text: str) -> None:
    quirk = make_quirks.quirk_for(kind, vehicle_state(make, charge=80))
    assert (text in quirk.hint, quirk.refusal) == (True, "")


def test_every_rule_has_its_source() -> None:
    assert {make for make, _kind in make_quirks._RULES} == make_quirks.SOURCES.keys()


def test_unlocking_a_volvo_requires_opening_the_trunk() -> None:
    quirk = make_quirks.quirk_for(CommandType.UNLOCK, vehicle_state("VOLVO"))
    assert ("trunk" in quirk.hint, quirk.refusal) == (True, "")
    assert make_quirks.quirk_for(CommandType.LOCK, vehicle_state("VOLVO")) == make_quirks.NOTHING


def test_nissan_supports_only_starting() -> None:
    assert "only start" in make_quirks.quirk_for(CommandType.STOP_CHARGE, vehicle_state("NISSAN")).hint
    assert make_quirks.quirk_for(CommandType.START_CHARGE, vehicle_state("NISSAN")) == make_quirks.NOTHING


@pytest.mark.parametrize(
    ("make", "types"),
    [
        ("Tesla", {"daily", "weekly", "workweek"}),
        ("VOLVO", {"daily"}),
        ("BMW", set()),
        ("", {"daily", "weekly", "workweek"}),
    ],
)
def test_schedule_types_of_makes(make: str, types: set[str]) -> None:
    assert make_quirks.schedule_types(make) == types

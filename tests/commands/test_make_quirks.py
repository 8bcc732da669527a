"""The makes' own rules, as the documentation's notes have them."""

import pytest

from commands import make_quirks
from commands.types import CommandType
from vehicles import catalogue
from vehicles.models import LatestSignal, Vehicle
from vehicles.selectors import VehicleState


def car(make: str, *, charge: float | None = None) -> VehicleState:
    vehicle = Vehicle(make=make, powertrain="BEV")
    code = catalogue.STATE_OF_CHARGE.code
    signals = {} if charge is None else {code: LatestSignal(code=code, body={"value": charge})}
    return VehicleState(vehicle=vehicle, signals=signals)


@pytest.mark.parametrize("make", ["CHEVROLET", "gmc", "Buick", "CADILLAC"])
@pytest.mark.parametrize("kind", [CommandType.START_CHARGE, CommandType.STOP_CHARGE])
def test_gm_starts_and_stops_from_fifty_percent_on(make: str, kind: CommandType) -> None:
    assert "50%" in make_quirks.quirk_for(kind, car(make, charge=49)).refusal
    assert make_quirks.quirk_for(kind, car(make, charge=50)) == make_quirks.NOTHING
    assert "50%" in make_quirks.quirk_for(kind, car(make)).hint


def test_a_polestar_stops_from_forty_percent_on_and_starts_always() -> None:
    assert (
        "The car says 39 %."
        in make_quirks.quirk_for(CommandType.STOP_CHARGE, car("POLESTAR", charge=39)).refusal
    )
    assert make_quirks.quirk_for(CommandType.STOP_CHARGE, car("POLESTAR", charge=40)) == make_quirks.NOTHING
    assert make_quirks.quirk_for(CommandType.START_CHARGE, car("POLESTAR", charge=10)) == make_quirks.NOTHING


def test_a_volvo_needs_somebody_at_the_trunk_to_unlock() -> None:
    note = make_quirks.quirk_for(CommandType.UNLOCK, car("VOLVO"))
    assert ("trunk" in note.hint, note.refusal) == (True, "")
    assert make_quirks.quirk_for(CommandType.LOCK, car("VOLVO")) == make_quirks.NOTHING


def test_a_nissan_may_only_start() -> None:
    assert "only start" in make_quirks.quirk_for(CommandType.STOP_CHARGE, car("NISSAN")).hint
    assert make_quirks.quirk_for(CommandType.START_CHARGE, car("NISSAN")) == make_quirks.NOTHING


@pytest.mark.parametrize(
    ("make", "types"),
    [
        ("Tesla", {"daily", "weekly", "workweek"}),
        ("VOLVO", {"daily"}),
        ("BMW", set()),
        ("", {"daily", "weekly", "workweek"}),
    ],
)
def test_who_takes_which_schedules(make: str, types: set[str]) -> None:
    assert make_quirks.schedule_types(make) == types

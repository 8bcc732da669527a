"""The vehicle seen from above: the drawing and text of every part, including unknown ones. Needs no database."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import UnitSystem
from dashboard.vehicle_page.schematic import Condition, Schematic, build_schematic
from tests.dashboard.vehicle_page.fixtures import grid, tires
from vehicles import catalogue
from vehicles.catalogue import Signal
from vehicles.models import LatestSignal, Vehicle
from vehicles.selectors import VehicleState

CLOSED = {"isOpen": False, "isLocked": True}


def schematic_of(
    bodies: dict[Signal, dict[str, Any]],
    *,
    units: str = UnitSystem.METRIC,
    age: timedelta = timedelta(0),
    status: str = "SUCCESS",
) -> Schematic:
    now = timezone.now()
    rows = {
        signal.code: LatestSignal(
            code=signal.code,
            body=body,
            status=status,
            observed_at=now - age,
            reported_at=now - age,
        )
        for signal, body in bodies.items()
    }
    return build_schematic(VehicleState(vehicle=Vehicle(), signals=rows), units=units, now=now)


def texts_of(schematic: Schematic) -> dict[str, str]:
    return {part.name: part.words for part in schematic.parts}


@pytest.mark.parametrize(("age", "status"), [(timedelta(days=5), "SUCCESS"), (timedelta(minutes=1), "ERROR")])
def test_states_that_are_old_or_failed_since_are_drawn_as_unknown(age: timedelta, status: str) -> None:
    schematic = schematic_of(
        {
            catalogue.DOORS: grid(opened=((0, 0),)),
            catalogue.WINDOWS: grid(),
            catalogue.REAR_TRUNK: {"isOpen": True, "isLocked": None},
            catalogue.IS_LOCKED: {"value": False},
            catalogue.CABLE_CONNECTED: {"value": True},
            catalogue.IS_CHARGING: {"value": True},
        },
        age=age,
        status=status,
    )
    assert {panel.condition for panel in (*schematic.doors, *schematic.windows)} == {Condition.UNKNOWN}
    assert (schematic.rear, schematic.lock) == (Condition.UNKNOWN, Condition.UNKNOWN)
    assert schematic.port is not None
    assert (schematic.port.cable, schematic.port.charging) == (False, False)
    assert schematic.headline == "Doors and windows not reported recently."
    assert not schematic.attention
    words = texts_of(schematic)
    assert words["Front left door"] == "open (last known)"
    assert words["Charging cable"] == "plugged in (last known)"


def test_without_data_no_part_is_drawn_as_closed() -> None:
    schematic = schematic_of({})
    assert {panel.condition for panel in (*schematic.doors, *schematic.windows)} == {Condition.UNKNOWN}
    assert (len(schematic.doors), len(schematic.windows), len(schematic.tires)) == (4, 4, 4)
    assert (schematic.front, schematic.rear, schematic.lock) == (Condition.UNKNOWN,) * 3
    assert (schematic.sunroof, schematic.port, schematic.parts) == (None, None, [])
    assert schematic.headline == "Doors and windows not reported."
    assert not schematic.attention


def test_a_closed_and_locked_vehicle_needs_no_attention() -> None:
    schematic = schematic_of(
        {
            catalogue.DOORS: grid(),
            catalogue.WINDOWS: grid(locked=None),
            catalogue.REAR_TRUNK: CLOSED,
            catalogue.IS_LOCKED: {"value": True},
        }
    )
    assert {panel.condition for panel in (*schematic.doors, *schematic.windows)} == {Condition.CLOSED}
    assert (schematic.front, schematic.rear) == (Condition.UNKNOWN, Condition.CLOSED)
    assert schematic.headline == "Everything reported is closed. Locked."
    assert texts_of(schematic)["Front left door"] == "closed, locked"
    assert texts_of(schematic)["Rear right window"] == "closed"
    assert not schematic.attention


def test_open_parts_are_named_and_drawn_at_their_position() -> None:
    schematic = schematic_of(
        {
            catalogue.DOORS: grid(opened=((0, 0), (1, 1)), locked=False),
            catalogue.IS_LOCKED: {"value": False},
        }
    )
    opened = [(door.side, door.top) for door in schematic.doors if door.condition is Condition.OPEN]
    (front_side, front_top), (rear_side, rear_top) = opened
    assert (front_side, rear_side) == ("left", "right")
    assert front_top < rear_top
    assert [door.condition for door in schematic.doors].count(Condition.UNLOCKED) == 2
    assert schematic.headline == "Open: Front left door, Rear right door. Unlocked."
    assert schematic.attention


def test_many_open_parts_are_counted() -> None:
    schematic = schematic_of({catalogue.WINDOWS: grid(opened=((0, 0), (0, 1), (1, 0), (1, 1)), locked=None)})
    assert schematic.headline == "Open: Front left window, Front right window, Rear left window and 1 more."


def test_of_two_signals_of_one_lid_the_worse_is_drawn() -> None:
    schematic = schematic_of(
        {catalogue.REAR_TRUNK: CLOSED, catalogue.TAILGATE: {"isOpen": True, "isLocked": None}}
    )
    assert schematic.rear is Condition.OPEN
    assert schematic_of({catalogue.ENGINE_COVER: {"isOpen": True, "isLocked": None}}).front is Condition.OPEN


@pytest.mark.parametrize(
    ("body", "condition", "words"),
    [
        ({"isOpen": None, "isLocked": True}, Condition.CLOSED, "locked"),
        ({"isOpen": None, "isLocked": False}, Condition.UNLOCKED, "unlocked"),
        ({"isOpen": False, "isLocked": False}, Condition.UNLOCKED, "closed, unlocked"),
        ({"isOpen": None, "isLocked": None}, Condition.UNKNOWN, "not reported"),
    ],
)
def test_partially_known_lids_show_what_is_known(
    body: dict[str, Any], condition: Condition, words: str
) -> None:
    schematic = schematic_of({catalogue.SUNROOF: body})
    assert schematic.sunroof is condition
    assert texts_of(schematic) == {"Sunroof": words}


def test_rows_and_axles_of_a_van_are_drawn_in_order() -> None:
    schematic = schematic_of(
        {catalogue.DOORS: grid(rows=3), catalogue.TIRES: tires(350, 350, 450, 450, 450, 450)}
    )
    assert [part.name for part in schematic.parts][2:6:2] == ["Middle left door", "Rear left door"]
    tops = [tire.y for tire in schematic.tires if tire.side == "left"]
    assert tops == sorted(set(tops))
    assert all(0 <= tire.x <= 300 and 0 <= tire.y <= 460 for tire in schematic.tires)


def test_twin_tires_are_side_by_side() -> None:
    body = tires(300, 300)
    body["values"] = [{"row": 1, "column": column, "tirePressure": 450} for column in range(4)]
    schematic = schematic_of({catalogue.TIRES: body | {"rowCount": 2, "columnCount": 4}})
    assert [tire.side for tire in schematic.tires] == ["left", "left", "right", "right"]
    assert len({tire.x for tire in schematic.tires}) == 4


def test_a_tire_with_less_pressure_than_its_neighbor_is_marked() -> None:
    schematic = schematic_of({catalogue.TIRES: tires(250, 180, 290, None)})
    assert [tire.low for tire in schematic.tires] == [False, True, False, False]
    assert [tire.pressure for tire in schematic.tires] == ["2.5", "1.8", "2.9", ""]
    assert texts_of(schematic)["Front right tire"] == "1.8 bar, lower than others on this axle"
    assert texts_of(schematic)["Rear right tire"] == "not reported"
    assert schematic.headline.endswith("1 tire has low pressure.")


def test_pressures_are_in_the_vehicles_units() -> None:
    schematic = schematic_of({catalogue.TIRES: tires(250, 250, 250, 250)}, units=UnitSystem.IMPERIAL)
    assert schematic.tires[0].pressure == "36"
    assert schematic.pressure_unit == "psi"


def test_a_flap_open_for_the_cable_needs_no_attention() -> None:
    plugged = schematic_of(
        {
            catalogue.CHARGE_PORT_OPEN: {"value": True},
            catalogue.CABLE_CONNECTED: {"value": True},
            catalogue.IS_CHARGING: {"value": True},
        }
    )
    assert plugged.port is not None
    assert (plugged.port.condition, plugged.port.cable, plugged.port.charging) == (Condition.OPEN, True, True)
    assert not plugged.attention
    assert texts_of(plugged) == {"Charge port": "open", "Charging cable": "plugged in, charging"}
    forgotten = schematic_of(
        {catalogue.CHARGE_PORT_OPEN: {"value": True}, catalogue.CABLE_CONNECTED: {"value": False}}
    )
    assert forgotten.headline.startswith("Open: Charge port.")

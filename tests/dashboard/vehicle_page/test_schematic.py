"""The car from above: what is drawn and said of every part, and what is not known drawn as such. No database."""

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

SHUT = {"isOpen": False, "isLocked": True}


def drawn(bodies: dict[Signal, dict[str, Any]], *, units: str = UnitSystem.METRIC) -> Schematic:
    rows = {
        signal.code: LatestSignal(
            code=signal.code,
            body=body,
            status="SUCCESS",
            observed_at=timezone.now(),
            reported_at=timezone.now(),
        )
        for signal, body in bodies.items()
    }
    return build_schematic(VehicleState(vehicle=Vehicle(), signals=rows), units=units)


def said(schematic: Schematic) -> dict[str, str]:
    return {part.name: part.words for part in schematic.parts}


def test_of_a_car_that_tells_nothing_nothing_is_drawn_as_closed() -> None:
    car = drawn({})
    assert {panel.condition for panel in (*car.doors, *car.windows)} == {Condition.UNKNOWN}
    assert (len(car.doors), len(car.windows), len(car.tires)) == (4, 4, 4)
    assert (car.front, car.rear, car.lock) == (Condition.UNKNOWN,) * 3
    assert (car.sunroof, car.port, car.parts) == (None, None, [])
    assert car.headline == "Doors and windows not reported."
    assert not car.attention


def test_a_car_that_is_shut_and_locked_is_quiet() -> None:
    car = drawn(
        {
            catalogue.DOORS: grid(),
            catalogue.WINDOWS: grid(locked=None),
            catalogue.REAR_TRUNK: SHUT,
            catalogue.IS_LOCKED: {"value": True},
        }
    )
    assert {panel.condition for panel in (*car.doors, *car.windows)} == {Condition.CLOSED}
    assert (car.front, car.rear) == (Condition.UNKNOWN, Condition.CLOSED)
    assert car.headline == "Everything reported is closed. Locked."
    assert said(car)["Front left door"] == "closed, locked"
    assert said(car)["Rear right window"] == "closed"
    assert not car.attention


def test_what_is_open_is_named_and_drawn_where_it_is() -> None:
    car = drawn(
        {
            catalogue.DOORS: grid(opened=((0, 0), (1, 1)), locked=False),
            catalogue.IS_LOCKED: {"value": False},
        }
    )
    opened = [(door.side, door.top) for door in car.doors if door.condition is Condition.OPEN]
    (front_side, front_top), (rear_side, rear_top) = opened
    assert (front_side, rear_side) == ("left", "right")
    assert front_top < rear_top
    assert [door.condition for door in car.doors].count(Condition.UNLOCKED) == 2
    assert car.headline == "Open: Front left door, Rear right door. Unlocked."
    assert car.attention


def test_many_open_parts_are_counted() -> None:
    car = drawn({catalogue.WINDOWS: grid(opened=((0, 0), (0, 1), (1, 0), (1, 1)), locked=None)})
    assert car.headline == "Open: Front left window, Front right window, Rear left window and 1 more."


def test_two_signals_of_one_lid_are_drawn_as_the_worse() -> None:
    car = drawn({catalogue.REAR_TRUNK: SHUT, catalogue.TAILGATE: {"isOpen": True, "isLocked": None}})
    assert car.rear is Condition.OPEN
    assert drawn({catalogue.ENGINE_COVER: {"isOpen": True, "isLocked": None}}).front is Condition.OPEN


@pytest.mark.parametrize(
    ("body", "condition", "words"),
    [
        ({"isOpen": None, "isLocked": True}, Condition.CLOSED, "locked"),
        ({"isOpen": None, "isLocked": False}, Condition.UNLOCKED, "unlocked"),
        ({"isOpen": False, "isLocked": False}, Condition.UNLOCKED, "closed, unlocked"),
        ({"isOpen": None, "isLocked": None}, Condition.UNKNOWN, "not reported"),
    ],
)
def test_half_known_lids_say_what_is_known(body: dict[str, Any], condition: Condition, words: str) -> None:
    car = drawn({catalogue.SUNROOF: body})
    assert car.sunroof is condition
    assert said(car) == {"Sunroof": words}


def test_a_van_has_its_rows_in_order_and_its_rear_axles_behind_each_other() -> None:
    car = drawn({catalogue.DOORS: grid(rows=3), catalogue.TIRES: tires(350, 350, 450, 450, 450, 450)})
    assert [part.name for part in car.parts][2:6:2] == ["Middle left door", "Rear left door"]
    tops = [tire.y for tire in car.tires if tire.side == "left"]
    assert tops == sorted(set(tops))
    assert all(0 <= tire.x <= 300 and 0 <= tire.y <= 460 for tire in car.tires)


def test_twin_tires_stand_side_by_side() -> None:
    body = tires(300, 300)
    body["values"] = [{"row": 1, "column": column, "tirePressure": 450} for column in range(4)]
    car = drawn({catalogue.TIRES: body | {"rowCount": 2, "columnCount": 4}})
    assert [tire.side for tire in car.tires] == ["left", "left", "right", "right"]
    assert len({tire.x for tire in car.tires}) == 4


def test_a_tire_that_holds_less_than_its_neighbour_is_marked() -> None:
    car = drawn({catalogue.TIRES: tires(250, 180, 290, None)})
    assert [tire.low for tire in car.tires] == [False, True, False, False]
    assert [tire.pressure for tire in car.tires] == ["2.5", "1.8", "2.9", ""]
    assert said(car)["Front right tire"] == "1.8 bar, lower than others on this axle"
    assert said(car)["Rear right tire"] == "not reported"
    assert car.headline.endswith("1 tire has low pressure.")


def test_pressures_are_in_the_units_of_the_car() -> None:
    car = drawn({catalogue.TIRES: tires(250, 250, 250, 250)}, units=UnitSystem.IMPERIAL)
    assert car.tires[0].pressure == "36"
    assert car.pressure_unit == "psi"


def test_a_flap_that_is_open_for_the_cable_is_as_it_should_be() -> None:
    plugged = drawn(
        {
            catalogue.CHARGE_PORT_OPEN: {"value": True},
            catalogue.CABLE_CONNECTED: {"value": True},
            catalogue.IS_CHARGING: {"value": True},
        }
    )
    assert plugged.port is not None
    assert (plugged.port.condition, plugged.port.cable, plugged.port.charging) == (Condition.OPEN, True, True)
    assert not plugged.attention
    assert said(plugged) == {"Charge port": "open", "Charging cable": "plugged in, charging"}
    forgotten = drawn(
        {catalogue.CHARGE_PORT_OPEN: {"value": True}, catalogue.CABLE_CONNECTED: {"value": False}}
    )
    assert forgotten.headline.startswith("Open: Charge port.")

"""Changing a vehicle's state from outside."""

import json
from typing import Any

import pytest

from simulator.vehicles import PATCH_NAMES, Vehicle
from tests.simulator.vehicles.fleets import (
    DAY,
    HOUR,
    START,
    find_idle_moment,
    find_moment,
    select_vehicles,
    simulation,
)


def get_vehicle(**identity: object) -> Vehicle:
    return select_vehicles(simulation(), **identity)[0]


def body(vehicle: Vehicle, code: str, now: float) -> dict[str, Any]:
    found = vehicle.signal(code, now=now).body
    assert found is not None
    return found


def test_an_unknown_name_is_an_error_that_lists_the_known_ones() -> None:
    with pytest.raises(ValueError, match="wings") as error:
        get_vehicle(make="TESLA").patch(now=START, wings=True)
    assert all(name in str(error.value) for name in PATCH_NAMES)


def test_nothing_is_set_if_one_name_is_unknown() -> None:
    vehicle = get_vehicle(make="TESLA")
    with pytest.raises(ValueError, match="unknown"):
        vehicle.patch(now=START, is_locked=False, wings=True)
    assert vehicle.lifecycle.overrides is None


def test_nothing_is_set_if_one_value_is_impossible() -> None:
    vehicle = get_vehicle(make="FORD", model="E-Transit")
    now = find_idle_moment(vehicle)
    vehicle.patch(now=now, state_of_charge=40)
    before = vehicle.state(now=now)
    with pytest.raises(ValueError, match="windows"):
        vehicle.patch(now=now, state_of_charge=70, is_locked=False, windows=7)
    assert vehicle.state(now=now) == before


def test_the_order_of_the_names_does_not_matter() -> None:
    for patch in ({"charging": True, "state_of_charge": 30}, {"state_of_charge": 30, "charging": True}):
        vehicle = get_vehicle(make="FORD", model="E-Transit")
        now = find_idle_moment(vehicle)
        vehicle.patch(now=now, **patch)
        assert vehicle.observe(now).charging


def test_a_vehicle_without_reception_reports_nothing_until_it_moves() -> None:
    vehicle = get_vehicle(make="TESLA", model="Model S")
    now = find_idle_moment(vehicle, minimum=2 * HOUR)
    assert "connectivitystatus-isonline" in vehicle.patch(now=now, reachable=False)
    assert vehicle.last_report(now + 2 * HOUR - 1) == now
    leaves = vehicle.lifecycle.next_change(now)
    assert vehicle.last_report(leaves + 300) > now
    assert body(vehicle, "connectivitystatus-isonline", leaves + 300) == {"value": True}


def test_a_digital_key_can_be_removed() -> None:
    vehicle = get_vehicle(make="TESLA", model="Model S")
    vehicle.patch(now=START, digital_key_paired=True)
    assert vehicle.patch(now=START + 1, digital_key_paired=False) == (
        "connectivitystatus-isdigitalkeypaired",
    )
    assert body(vehicle, "connectivitystatus-isdigitalkeypaired", START + 30 * DAY) == {"value": False}


def test_changed_codes_are_returned() -> None:
    vehicle = get_vehicle(make="FORD", model="E-Transit")
    now = find_idle_moment(vehicle)
    assert vehicle.patch(now=now, is_locked=False) == (
        "closure-doors",
        "closure-islocked",
        "closure-reartrunk",
        "closure-tailgate",
    )
    assert vehicle.patch(now=now, is_locked=False) == ()


@pytest.mark.parametrize(
    ("patch", "code", "expected"),
    [
        ({"is_locked": False}, "closure-islocked", {"value": False}),
        ({"rear_trunk_open": True}, "closure-reartrunk", {"isOpen": True, "isLocked": False}),
        ({"front_trunk_open": True}, "closure-fronttrunk", {"isOpen": True, "isLocked": False}),
        ({"sunroof_open": True}, "closure-sunroof", {"isOpen": True}),
        ({"state_of_charge": 33}, "tractionbattery-stateofcharge", {"value": 33.0, "unit": "percent"}),
        ({"plugged_in": True}, "charge-ischargingcableconnected", {"value": True}),
        ({"charging": True, "state_of_charge": 30}, "charge-ischarging", {"value": True}),
        ({"charge_port_open": True}, "charge-ischargingportflapopen", {"value": True}),
        ({"asleep": True}, "connectivitystatus-isasleep", {"value": True}),
        ({"speed": 42.5}, "motion-currentspeed", {"value": 42.5, "unit": "kph"}),
        ({"odometer": 123_456.7}, "odometer-traveleddistance", {"value": 123_456.7, "unit": "km"}),
    ],
)
def test_patches_are_reported_at_once(patch: dict[str, Any], code: str, expected: dict[str, Any]) -> None:
    vehicle = get_vehicle(make="TESLA", model="Model S")
    now = find_idle_moment(vehicle)
    vehicle.patch(now=now, plugged_in=False)
    assert code in vehicle.patch(now=now, **patch)
    assert body(vehicle, code, now) == expected
    assert vehicle.signal(code, now=now).oem_updated_at == now


def test_doors_are_set_as_rows_and_columns() -> None:
    vehicle = get_vehicle(make="TESLA", model="Model S")
    now = find_idle_moment(vehicle)
    vehicle.patch(now=now, doors=[[1, 0]])
    opened = [
        (door["row"], door["column"])
        for door in body(vehicle, "closure-doors", now)["values"]
        if door["isOpen"]
    ]
    assert opened == [(1, 0)]
    with pytest.raises(ValueError, match="2 rows"):
        vehicle.patch(now=now, doors=[[5, 0]])
    with pytest.raises(ValueError, match="row, column"):
        vehicle.patch(now=now, windows="all")


def test_a_vehicle_can_be_moved_anywhere_until_its_departure() -> None:
    vehicle = get_vehicle(make="TESLA", model="Model S")
    now = find_idle_moment(vehicle)
    vehicle.patch(now=now, latitude=48.8584, longitude=2.2945)
    place = body(vehicle, "location-preciselocation", now)
    assert (place["latitude"], place["longitude"]) == (48.8584, 2.2945)
    leaves = vehicle.lifecycle.next_change(now)
    assert vehicle.observe(leaves - 1).latitude == 48.8584
    assert 37.7 < vehicle.observe(leaves + 60).latitude < 37.81


def test_a_vehicle_moved_within_the_city_continues_from_there() -> None:
    vehicle = get_vehicle(make="TESLA", model="Model S")
    now = find_idle_moment(vehicle)
    vehicle.patch(now=now, latitude=37.76, longitude=-122.42)
    begun = vehicle.observe(vehicle.lifecycle.next_change(now) + 0.5)
    assert begun.driving
    assert (begun.latitude, begun.longitude) == pytest.approx((37.76, -122.42), abs=3e-4)


def test_latitude_and_longitude_go_together() -> None:
    with pytest.raises(ValueError, match="together"):
        get_vehicle(make="TESLA").patch(now=START, latitude=37.7)


def test_levels_continue_from_the_values_set() -> None:
    vehicle = get_vehicle(make="FORD", model="E-Transit")
    now = find_moment(vehicle, lambda state: state.driving and state.soc > 40)
    before = vehicle.observe(now)
    vehicle.patch(now=now, state_of_charge=before.soc - 10)
    later = now + HOUR
    unpatched = select_vehicles(simulation(), make="FORD", model="E-Transit")[0].observe(later)
    if not unpatched.plugged:
        assert vehicle.observe(later).soc == pytest.approx(unpatched.soc - 10, abs=0.01)
    assert vehicle.observe(now + 4 * DAY).soc > 20


def test_a_nearly_empty_vehicle_plugs_in_at_its_next_stops_and_never_runs_below_empty() -> None:
    vehicle = get_vehicle(make="FORD", model="E-Transit")
    now = find_moment(vehicle, lambda state: state.driving)
    vehicle.patch(now=now, state_of_charge=3)
    levels = [vehicle.observe(now + minute * 60).soc for minute in range(24 * 60)]
    assert min(levels) >= 0.0
    assert max(levels[: 12 * 60]) > 10


def test_a_vehicle_back_in_its_plan_needs_no_overrides() -> None:
    vehicle = get_vehicle(make="FORD", model="E-Transit")
    now = find_idle_moment(vehicle)
    vehicle.patch(now=now, state_of_charge=60)
    vehicle.observe(now + 8 * DAY)
    assert vehicle.lifecycle.overrides is not None
    assert vehicle.lifecycle.overrides.day is None


def test_the_odometer_never_falls() -> None:
    vehicle = get_vehicle(make="TESLA")
    present = vehicle.observe(START).odometer
    with pytest.raises(ValueError, match="never decreases"):
        vehicle.patch(now=START, odometer=present - 1)
    vehicle.patch(now=START, odometer=present + 1000)
    assert vehicle.observe(START + DAY).odometer >= present + 1000


def test_tires_and_warnings_stay_until_returned_to_the_plan() -> None:
    vehicle = get_vehicle(make="FORD", model="E-Transit")
    usual = body(vehicle, "wheel-tires", START)
    vehicle.patch(now=START, tyre_pressures=[250, 250, 150, 250], warning_lights=["ABS"])
    later = START + 20 * DAY
    assert [wheel["tirePressure"] for wheel in body(vehicle, "wheel-tires", later)["values"]] == [
        250,
        250,
        150,
        250,
    ]
    assert body(vehicle, "diagnostics-tirepressure", later)["status"] == "ALERT"
    assert body(vehicle, "diagnostics-abs", later)["status"] == "ALERT"
    vehicle.patch(now=START + 1, tyre_pressures=None, warning_lights=None)
    assert body(vehicle, "wheel-tires", START + 1) == usual


def test_an_engine_fault_lights_the_malfunction_lamp() -> None:
    vehicle = get_vehicle(make="CHEVROLET", powertrain="ICE")
    vehicle.patch(now=START, warning_lights=["OilPressure"])
    assert body(vehicle, "diagnostics-mil", START)["status"] == "ALERT"
    assert body(vehicle, "diagnostics-dtccount", START) == {"value": 1, "unit": "count"}
    assert [entry["code"] for entry in body(vehicle, "diagnostics-dtclist", START)["values"]] == ["P0520"]


@pytest.mark.parametrize(
    "patch",
    [
        {"state_of_charge": 101},
        {"state_of_charge": "full"},
        {"state_of_charge": True},
        {"charge_limit": 30},
        {"is_locked": 1},
        {"speed": -1},
        {"latitude": 91, "longitude": 0},
        {"tyre_pressures": [250]},
        {"warning_lights": ["FluxCapacitor"]},
        {"warning_lights": 5},
        {"fuel_level": 50},
    ],
)
def test_impossible_values_are_rejected(patch: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(patch))):
        get_vehicle(make="TESLA").patch(now=START, **patch)


def test_a_fuel_vehicle_has_no_battery_to_set() -> None:
    vehicle = get_vehicle(make="FORD", powertrain="ICE")
    for patch in ({"state_of_charge": 50}, {"plugged_in": True}, {"charge_limit": 80}):
        with pytest.raises(ValueError, match="no traction battery"):
            vehicle.patch(now=START, **patch)
    vehicle.patch(now=START, fuel_level=12.5)
    assert body(vehicle, "internalcombustionengine-fuellevel", START)["value"] == 12.5


def test_a_driving_vehicle_cannot_be_plugged_in() -> None:
    vehicle = get_vehicle(make="FORD", model="E-Transit")
    now = find_moment(vehicle, lambda state: state.driving)
    with pytest.raises(ValueError, match="driving"):
        vehicle.patch(now=now, plugged_in=True)


def test_the_state_is_json_compatible_and_describes_the_vehicle() -> None:
    vehicle = get_vehicle(make="TESLA", model="Model S")
    vehicle.command(
        "set_daily_schedule",
        now=START,
        latitude=37.7,
        longitude=-122.4,
        start_time="01:00",
        stop_time="02:00",
    )
    state = json.loads(json.dumps(vehicle.state(now=START)))
    assert state["id"] == vehicle.id
    assert state["make"] == "TESLA"
    assert state["soc"] == pytest.approx(vehicle.observe(START).soc)
    assert state["schedules"][0]["scheduleType"] == "DAILY"

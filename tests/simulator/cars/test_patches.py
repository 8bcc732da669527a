"""Setting a car's state from outside."""

import json
from typing import Any

import pytest

from simulator.cars import PATCH_NAMES, Car
from tests.simulator.cars.worlds import DAY, HOUR, START, cars_of, moment, resting, world


def car_of(**facts: object) -> Car:
    return cars_of(world(), **facts)[0]


def body(car: Car, code: str, now: float) -> dict[str, Any]:
    found = car.signal(code, now=now).body
    assert found is not None
    return found


def test_an_unknown_name_is_an_error_that_lists_the_known_ones() -> None:
    with pytest.raises(ValueError, match="wings") as caught:
        car_of(make="TESLA").patch(now=START, wings=True)
    assert all(name in str(caught.value) for name in PATCH_NAMES)


def test_nothing_is_set_where_one_name_is_unknown() -> None:
    car = car_of(make="TESLA")
    with pytest.raises(ValueError, match="unknown"):
        car.patch(now=START, is_locked=False, wings=True)
    assert car.life.deviation is None


def test_nothing_is_set_where_one_value_is_impossible() -> None:
    car = car_of(make="FORD", model="E-Transit")
    now = resting(car)
    car.patch(now=now, state_of_charge=40)
    before = car.state(now=now)
    with pytest.raises(ValueError, match="windows"):
        car.patch(now=now, state_of_charge=70, is_locked=False, windows=7)
    assert car.state(now=now) == before


def test_the_order_of_the_names_does_not_matter() -> None:
    for patch in ({"charging": True, "state_of_charge": 30}, {"state_of_charge": 30, "charging": True}):
        car = car_of(make="FORD", model="E-Transit")
        now = resting(car)
        car.patch(now=now, **patch)
        assert car.observe(now).charging


def test_a_car_without_reception_is_silent_until_it_moves() -> None:
    car = car_of(make="TESLA", model="Model S")
    now = resting(car, least=2 * HOUR)
    assert "connectivitystatus-isonline" in car.patch(now=now, reachable=False)
    assert car.last_report(now + 2 * HOUR - 1) == now
    leaves = car.life.next_change(now)
    assert car.last_report(leaves + 300) > now
    assert body(car, "connectivitystatus-isonline", leaves + 300) == {"value": True}


def test_a_digital_key_can_be_taken_away() -> None:
    car = car_of(make="TESLA", model="Model S")
    car.patch(now=START, digital_key_paired=True)
    assert car.patch(now=START + 1, digital_key_paired=False) == ("connectivitystatus-isdigitalkeypaired",)
    assert body(car, "connectivitystatus-isdigitalkeypaired", START + 30 * DAY) == {"value": False}


def test_the_codes_that_changed_are_told() -> None:
    car = car_of(make="FORD", model="E-Transit")
    now = resting(car)
    assert car.patch(now=now, is_locked=False) == (
        "closure-doors",
        "closure-islocked",
        "closure-reartrunk",
        "closure-tailgate",
    )
    assert car.patch(now=now, is_locked=False) == ()


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
def test_what_is_set_is_told_at_once(patch: dict[str, Any], code: str, expected: dict[str, Any]) -> None:
    car = car_of(make="TESLA", model="Model S")
    now = resting(car)
    car.patch(now=now, plugged_in=False)
    assert code in car.patch(now=now, **patch)
    assert body(car, code, now) == expected
    assert car.signal(code, now=now).oem_updated_at == now


def test_doors_are_given_as_rows_and_columns() -> None:
    car = car_of(make="TESLA", model="Model S")
    now = resting(car)
    car.patch(now=now, doors=[[1, 0]])
    opened = [
        (door["row"], door["column"]) for door in body(car, "closure-doors", now)["values"] if door["isOpen"]
    ]
    assert opened == [(1, 0)]
    with pytest.raises(ValueError, match="2 rows"):
        car.patch(now=now, doors=[[5, 0]])
    with pytest.raises(ValueError, match="row, column"):
        car.patch(now=now, windows="all")


def test_a_car_can_be_put_anywhere_until_it_leaves() -> None:
    car = car_of(make="TESLA", model="Model S")
    now = resting(car)
    car.patch(now=now, latitude=48.8584, longitude=2.2945)
    place = body(car, "location-preciselocation", now)
    assert (place["latitude"], place["longitude"]) == (48.8584, 2.2945)
    leaves = car.life.next_change(now)
    assert car.observe(leaves - 1).latitude == 48.8584
    assert 37.7 < car.observe(leaves + 60).latitude < 37.81


def test_a_car_put_somewhere_in_the_city_drives_on_from_there() -> None:
    car = car_of(make="TESLA", model="Model S")
    now = resting(car)
    car.patch(now=now, latitude=37.76, longitude=-122.42)
    begun = car.observe(car.life.next_change(now) + 0.5)
    assert begun.driving
    assert (begun.latitude, begun.longitude) == pytest.approx((37.76, -122.42), abs=3e-4)


def test_latitude_and_longitude_go_together() -> None:
    with pytest.raises(ValueError, match="together"):
        car_of(make="TESLA").patch(now=START, latitude=37.7)


def test_levels_go_on_from_what_was_set() -> None:
    car = car_of(make="FORD", model="E-Transit")
    now = moment(car, lambda state: state.driving and state.soc > 40)
    before = car.observe(now)
    car.patch(now=now, state_of_charge=before.soc - 10)
    later = now + HOUR
    fresh = cars_of(world(), make="FORD", model="E-Transit")[0].observe(later)
    if not fresh.plugged:
        assert car.observe(later).soc == pytest.approx(fresh.soc - 10, abs=0.01)
    assert car.observe(now + 4 * DAY).soc > 20


def test_a_nearly_empty_car_plugs_in_at_its_next_stops_and_never_runs_below_empty() -> None:
    car = car_of(make="FORD", model="E-Transit")
    now = moment(car, lambda state: state.driving)
    car.patch(now=now, state_of_charge=3)
    levels = [car.observe(now + minute * 60).soc for minute in range(24 * 60)]
    assert min(levels) >= 0.0
    assert max(levels[: 12 * 60]) > 10


def test_a_car_back_in_its_routine_needs_nothing_kept() -> None:
    car = car_of(make="FORD", model="E-Transit")
    now = resting(car)
    car.patch(now=now, state_of_charge=60)
    car.observe(now + 8 * DAY)
    assert car.life.deviation is not None
    assert car.life.deviation.day is None


def test_the_odometer_never_falls() -> None:
    car = car_of(make="TESLA")
    present = car.observe(START).odometer
    with pytest.raises(ValueError, match="never falls"):
        car.patch(now=START, odometer=present - 1)
    car.patch(now=START, odometer=present + 1000)
    assert car.observe(START + DAY).odometer >= present + 1000


def test_tyres_and_warnings_stay_until_given_back() -> None:
    car = car_of(make="FORD", model="E-Transit")
    usual = body(car, "wheel-tires", START)
    car.patch(now=START, tyre_pressures=[250, 250, 150, 250], warning_lights=["ABS"])
    later = START + 20 * DAY
    assert [wheel["tirePressure"] for wheel in body(car, "wheel-tires", later)["values"]] == [
        250,
        250,
        150,
        250,
    ]
    assert body(car, "diagnostics-tirepressure", later)["status"] == "ALERT"
    assert body(car, "diagnostics-abs", later)["status"] == "ALERT"
    car.patch(now=START + 1, tyre_pressures=None, warning_lights=None)
    assert body(car, "wheel-tires", START + 1) == usual


def test_an_engine_fault_lights_the_malfunction_lamp() -> None:
    car = car_of(make="CHEVROLET", powertrain="ICE")
    car.patch(now=START, warning_lights=["OilPressure"])
    assert body(car, "diagnostics-mil", START)["status"] == "ALERT"
    assert body(car, "diagnostics-dtccount", START) == {"value": 1, "unit": "count"}
    assert [entry["code"] for entry in body(car, "diagnostics-dtclist", START)["values"]] == ["P0520"]


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
def test_impossible_values_are_refused(patch: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(patch))):
        car_of(make="TESLA").patch(now=START, **patch)


def test_a_fuel_car_has_no_battery_to_set() -> None:
    car = car_of(make="FORD", powertrain="ICE")
    for patch in ({"state_of_charge": 50}, {"plugged_in": True}, {"charge_limit": 80}):
        with pytest.raises(ValueError, match="no traction battery"):
            car.patch(now=START, **patch)
    car.patch(now=START, fuel_level=12.5)
    assert body(car, "internalcombustionengine-fuellevel", START)["value"] == 12.5


def test_a_driving_car_cannot_be_plugged_in() -> None:
    car = car_of(make="FORD", model="E-Transit")
    now = moment(car, lambda state: state.driving)
    with pytest.raises(ValueError, match="driving"):
        car.patch(now=now, plugged_in=True)


def test_the_state_is_json_able_and_says_what_the_car_is() -> None:
    car = car_of(make="TESLA", model="Model S")
    car.command(
        "set_daily_schedule",
        now=START,
        latitude=37.7,
        longitude=-122.4,
        start_time="01:00",
        stop_time="02:00",
    )
    state = json.loads(json.dumps(car.state(now=START)))
    assert state["id"] == car.id
    assert state["make"] == "TESLA"
    assert state["soc"] == pytest.approx(car.observe(START).soc)
    assert state["schedules"][0]["scheduleType"] == "DAILY"

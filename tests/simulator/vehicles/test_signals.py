"""Every signal's body has the documented shape."""

import json
import re
from typing import Any

import pytest

from simulator.vehicles import CATALOGUE, Vehicle
from tests.simulator.vehicles.fleets import DAY, HOUR, START, find_moment, select_vehicles, simulation, times

VEHICLES = list(simulation().vehicles.values())
UNITS = {
    "charge-amperage": "ampere", "charge-amperagemax": "ampere", "charge-amperagerequested": "ampere",
    "charge-chargerate": "km/h", "charge-energyadded": "kWh", "charge-timetocomplete": "minute",
    "charge-voltage": "volts", "charge-wattage": "watts", "climate-externaltemperature": "celsius",
    "climate-internaltemperature": "celsius", "diagnostics-dtccount": "count", "hvac-cabintargettemperature": "celsius",
    "internalcombustionengine-amountremaining": "liters", "internalcombustionengine-fuellevel": "percent",
    "internalcombustionengine-oillife": "percent", "internalcombustionengine-range": "km",
    "lowvoltagebattery-stateofcharge": "percent", "motion-currentspeed": "kph", "odometer-traveleddistance": "km",
    "tractionbattery-range": "km", "tractionbattery-stateofcharge": "percent",
    "tractionbattery-maxrangechargecounter": "count",
}  # fmt: skip
FLAGS = {code for code in CATALOGUE if re.search(r"-is(?!sub)", code)}
SHAPES: dict[str, set[str]] = {
    "charge-chargelimits": {"values", "activeLimit", "unit"},
    "closure-doors": {"values", "rowCount", "columnCount"},
    "closure-windows": {"values", "rowCount", "columnCount"},
    "closure-enginecover": {"isOpen"},
    "closure-sunroof": {"isOpen"},
    "closure-fronttrunk": {"isOpen", "isLocked"},
    "closure-reartrunk": {"isOpen", "isLocked"},
    "closure-tailgate": {"isOpen", "isLocked"},
    "tractionbattery-nominalcapacity": {"capacity", "source", "availableCapacities", "unit"},
    "transmission-drivemode": {"canonical", "oemDisplayName"},
    "wheel-tires": {"values", "rowCount", "columnCount", "unit"},
}
LISTS = {
    "charge-chargerecords", "charge-chargetimers", "diagnostics-dtclist", "service-records",
    "vehicleidentification-packages", "vehicleuseraccount-permissions",
}  # fmt: skip


def bodies(code: str) -> list[dict[str, Any]]:
    """Return the signal's bodies from all vehicles that have it, over two days."""
    found = []
    for vehicle in VEHICLES:
        if vehicle.supports(code):
            for now in times(START, days=2, step=8 * HOUR):
                body = vehicle.signal(code, now=now).body
                assert body is not None
                found.append(body)
    return found


@pytest.mark.parametrize("code", sorted(CATALOGUE))
def test_the_body_has_the_documented_shape(code: str) -> None:
    for body in bodies(code):
        json.dumps(body, allow_nan=False)
        if code.startswith("diagnostics-") and not code.startswith("diagnostics-dtc"):
            assert body["status"] in {"OK", "ALERT"}
            assert set(body) <= {"status", "description"}
        elif code == "location-preciselocation":
            assert {"latitude", "longitude", "locationType"} <= set(body)
            assert body["locationType"] in {"CURRENT", "LAST_PARKED"}
        elif code in SHAPES:
            assert set(body) == SHAPES[code]
        elif code in LISTS:
            assert set(body) == {"values"}
        elif code in UNITS:
            assert set(body) == {"value", "unit"}
            assert body["unit"] == UNITS[code]
            assert isinstance(body["value"], int | float)
        else:
            assert set(body) == {"value"}
        if code in FLAGS:
            assert isinstance(body["value"], bool)


def test_a_signal_that_the_vehicle_does_not_have_is_an_error_without_a_body() -> None:
    vehicle = select_vehicles(simulation(), powertrain="ICE")[0]
    signal = vehicle.signal("tractionbattery-stateofcharge", now=START)
    assert signal.body is None
    assert signal.oem_updated_at is None
    assert signal.error == ("COMPATIBILITY", "VEHICLE_NOT_CAPABLE")


def test_a_code_that_does_not_exist_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        VEHICLES[0].signal("flux-capacitor", now=START)


def test_all_signals_of_a_vehicle_come_in_the_order_of_their_codes() -> None:
    assert [signal.code for signal in VEHICLES[0].signals(now=START)] == sorted(CATALOGUE)


def test_a_fuel_vehicle_has_no_charging_signals_and_a_battery_vehicle_no_fuel_signals() -> None:
    for vehicle in VEHICLES:
        if vehicle.powertrain == "ICE":
            assert not any(
                vehicle.supports(code) for code in CATALOGUE if code.startswith(("charge-", "tractionb"))
            )
        if vehicle.powertrain == "BEV":
            assert not any(vehicle.supports(code) for code in CATALOGUE if code.startswith("internalcomb"))


def test_volvo_supports_what_its_page_lists_for_the_united_states() -> None:
    volvo = select_vehicles(simulation(), make="VOLVO", powertrain="PHEV")[0]
    assert not volvo.supports("location-preciselocation")
    assert not volvo.supports("climate-externaltemperature")
    assert volvo.supports("internalcombustionengine-fuellevel")
    assert volvo.supports("charge-wattage")


def charging(vehicle: Vehicle) -> float:
    return find_moment(vehicle, lambda state: state.charging and state.soc < 75, step=300)


def test_all_signals_of_a_charging_session_are_consistent() -> None:
    vehicle = select_vehicles(simulation(), make="TESLA", model="Model Y")[0]
    now = charging(vehicle)
    values = {
        code: vehicle.signal(code, now=now).body or {} for code in CATALOGUE if code.startswith("charge-")
    }
    assert values["charge-ischarging"]["value"] is True
    assert values["charge-ischargingcableconnected"]["value"] is True
    assert values["charge-detailedchargingstatus"]["value"] == "CHARGING"
    assert values["charge-chargelimits"]["activeLimit"] == values["charge-chargelimits"]["values"][0]["limit"]
    watts = values["charge-amperage"]["value"] * values["charge-voltage"]["value"]
    assert watts == pytest.approx(values["charge-wattage"]["value"], rel=0.1)
    assert values["charge-timetocomplete"]["value"] > 0
    assert values["charge-chargerate"]["value"] > 0


def test_the_active_limit_is_null_when_unplugged() -> None:
    vehicle = select_vehicles(simulation(), make="TESLA", model="Model Y")[0]
    now = find_moment(vehicle, lambda state: state.driving)
    body = vehicle.signal("charge-chargelimits", now=now + 120).body
    assert body is not None
    assert body["activeLimit"] is None


def test_finished_sessions_are_in_the_charge_records() -> None:
    vehicle = select_vehicles(simulation(), make="TESLA", model="Model Y")[0]
    body = vehicle.signal("charge-chargerecords", now=START + 8 * DAY).body
    assert body is not None
    assert len(body["values"]) >= 3
    for record in body["values"]:
        assert record["startTime"] < record["endTime"] <= "2026-07-09T00:00:00Z"
        assert record["endStateOfCharge"] > record["startStateOfCharge"]
        assert record["energyAdded"] > 0
        assert record["cost"]["currency"] == "USD"
    starts = [record["startTime"] for record in body["values"]]
    assert starts == sorted(starts)


def test_service_records_do_not_change() -> None:
    vehicle = next(vehicle for vehicle in VEHICLES if vehicle.supports("service-records"))
    now = START + DAY
    later = now + 2 * HOUR
    first, second = (vehicle.signal("service-records", now=at).body for at in (now, later))
    assert first == second
    assert first is not None
    assert first["values"]


def test_makes_that_report_only_the_parking_place_repeat_that_place_while_driving() -> None:
    vehicle = select_vehicles(simulation(), make="SUBARU")[0]
    now = find_moment(vehicle, lambda state: state.driving and state.speed > 20)
    parked = vehicle.observe(vehicle.lifecycle.daily_plan(now).trip_status(now).since - 60)
    body = vehicle.signal("location-preciselocation", now=now + 90).body
    assert body is not None
    assert body["locationType"] == "LAST_PARKED"
    assert (body["latitude"], body["longitude"]) == (parked.latitude, parked.longitude)


def test_models_with_several_batteries_report_no_single_capacity() -> None:
    for vehicle in select_vehicles(simulation(), powertrain="BEV"):
        body = vehicle.signal("tractionbattery-nominalcapacity", now=START).body
        assert body is not None
        offered = tuple(entry["capacity"] for entry in body["availableCapacities"])
        assert offered == vehicle.capacities
        assert (body["capacity"] is None) == (len(offered) > 1)
        assert body["source"] == (None if len(offered) > 1 else "SMARTCAR")

"""What commands do, and when they are rejected."""

from typing import Any

import pytest

from simulator.vehicles import COMMANDS, CommandRejected, Vehicle
from tests.simulator.vehicles.fleets import (
    HOUR,
    START,
    find_idle_moment,
    find_moment,
    select_vehicles,
    simulation,
)


def get_vehicle(**identity: object) -> Vehicle:
    return select_vehicles(simulation(), **identity)[0]


def get_rejection(vehicle: Vehicle, name: str, now: float, **parameters: Any) -> tuple[str, str]:
    with pytest.raises(CommandRejected) as error:
        vehicle.command(name, now=now, **parameters)
    return error.value.type, error.value.code


def value(vehicle: Vehicle, code: str, now: float) -> Any:
    body = vehicle.signal(code, now=now).body
    assert body is not None
    return body["value"]


def plugged(vehicle: Vehicle, *, soc: float = 50.0) -> float:
    """Return a moment at which the vehicle is plugged in and charges."""
    now = find_idle_moment(vehicle, minimum=5 * HOUR)
    vehicle.patch(now=now, plugged_in=True, state_of_charge=soc)
    if soc < vehicle.lifecycle.limit:
        vehicle.patch(now=now, charging=True)
        assert vehicle.observe(now).charging
    return now + 1.0


# Locks


def test_lock_and_unlock_are_seen_at_once_and_last_until_the_vehicle_leaves() -> None:
    vehicle = get_vehicle(make="FORD", model="E-Transit")
    now = find_idle_moment(vehicle)
    vehicle.command("unlock", now=now)
    assert value(vehicle, "closure-islocked", now) is False
    assert value(vehicle, "closure-islocked", now + HOUR / 2) is False
    vehicle.command("lock", now=now + 60)
    assert value(vehicle, "closure-islocked", now + 60) is True
    vehicle.command("unlock", now=now + 120)
    leaves = vehicle.lifecycle.next_change(now)
    assert vehicle.observe(leaves + 1).locked


def test_a_lock_is_rejected_while_a_door_the_trunk_or_the_hood_is_open() -> None:
    vehicle = get_vehicle(make="FORD", model="E-Transit")
    now = find_idle_moment(vehicle)
    vehicle.patch(now=now, doors=[[0, 1]])
    assert get_rejection(vehicle, "lock", now) == ("VEHICLE_STATE", "DOOR_OPEN")
    vehicle.patch(now=now, doors=[], rear_trunk_open=True)
    assert get_rejection(vehicle, "lock", now) == ("VEHICLE_STATE", "TRUNK_OPEN")
    vehicle.patch(now=now, rear_trunk_open=False, hood_open=True)
    assert get_rejection(vehicle, "lock", now) == ("VEHICLE_STATE", "HOOD_OPEN")
    vehicle.patch(now=now, hood_open=False)
    vehicle.command("lock", now=now)


@pytest.mark.parametrize("name", ["lock", "unlock"])
def test_a_moving_vehicle_is_neither_locked_nor_unlocked(name: str) -> None:
    vehicle = get_vehicle(make="FORD", model="E-Transit")
    now = find_moment(vehicle, lambda state: state.driving)
    assert get_rejection(vehicle, name, now) == ("VEHICLE_STATE", "IN_MOTION")


def test_a_running_acura_reports_that_the_ignition_is_on() -> None:
    vehicle = get_vehicle(make="ACURA")
    now = find_moment(vehicle, lambda state: state.driving)
    assert get_rejection(vehicle, "lock", now) == ("VEHICLE_STATE", "IGNITION_ON")


def test_a_vehicle_put_to_sleep_rejects_commands() -> None:
    vehicle = get_vehicle(make="FORD", model="E-Transit")
    now = find_idle_moment(vehicle)
    vehicle.patch(now=now, asleep=True)
    assert get_rejection(vehicle, "unlock", now) == ("VEHICLE_STATE", "ASLEEP")


@pytest.mark.parametrize(
    ("patch", "code"),
    [
        ({"reachable": False}, "UNREACHABLE"),
        ({"in_service": True}, "VEHICLE_OFFLINE_FOR_SERVICE"),
        ({"remote_access": False}, "REMOTE_ACCESS_DISABLED"),
    ],
)
def test_an_unreachable_vehicle_rejects_commands(patch: dict[str, Any], code: str) -> None:
    vehicle = get_vehicle(make="FORD", model="E-Transit")
    now = find_idle_moment(vehicle)
    vehicle.patch(now=now, **patch)
    assert get_rejection(vehicle, "unlock", now) == ("VEHICLE_STATE", code)
    vehicle.patch(now=now, **{name: not value for name, value in patch.items()})
    vehicle.command("unlock", now=now)


# Charging


def test_charging_stops_and_starts_again() -> None:
    vehicle = get_vehicle(make="FORD", model="E-Transit")
    now = plugged(vehicle)
    vehicle.command("stop_charge", now=now)
    assert value(vehicle, "charge-ischarging", now) is False
    assert value(vehicle, "charge-ischargingcableconnected", now) is True
    stopped = vehicle.observe(now + HOUR).soc
    assert stopped == pytest.approx(vehicle.observe(now).soc)
    vehicle.command("start_charge", now=now + HOUR)
    assert value(vehicle, "charge-ischarging", now + HOUR) is True
    assert vehicle.observe(now + 2 * HOUR).soc > stopped + 1


def test_charging_needs_the_cable() -> None:
    vehicle = get_vehicle(make="FORD", model="E-Transit")
    now = find_moment(vehicle, lambda state: state.driving)
    assert get_rejection(vehicle, "start_charge", now) == ("VEHICLE_STATE", "CHARGING_PLUG_NOT_CONNECTED")
    assert get_rejection(vehicle, "stop_charge", now) == ("VEHICLE_STATE", "CHARGING_PLUG_NOT_CONNECTED")


def test_a_charging_vehicle_is_not_started_again_nor_one_stopped_that_does_not_charge() -> None:
    vehicle = get_vehicle(make="FORD", model="E-Transit")
    now = plugged(vehicle)
    assert get_rejection(vehicle, "start_charge", now) == ("VEHICLE_STATE", "CHARGING_IN_PROGRESS")
    vehicle.command("stop_charge", now=now)
    assert get_rejection(vehicle, "stop_charge", now + 1) == ("VEHICLE_STATE", "NOT_CHARGING")


def test_a_vehicle_at_its_limit_is_fully_charged() -> None:
    vehicle = get_vehicle(make="FORD", model="E-Transit")
    now = plugged(vehicle, soc=vehicle.lifecycle.limit)
    assert get_rejection(vehicle, "start_charge", now) == ("VEHICLE_STATE", "FULLY_CHARGED")
    assert value(vehicle, "charge-detailedchargingstatus", now) == "FULLY_CHARGED"


@pytest.mark.parametrize(
    ("make", "soc", "command"),
    [("POLESTAR", 39, "stop_charge"), ("MERCEDES_BENZ", 19, "stop_charge"), ("CHEVROLET", 49, "stop_charge")],
)
def test_makes_reject_stopping_below_their_floor(make: str, soc: float, command: str) -> None:
    vehicle = get_vehicle(make=make, powertrain="BEV")
    now = plugged(vehicle, soc=soc - 0.5)
    assert get_rejection(vehicle, command, now) == ("VEHICLE_STATE", "LOW_BATTERY")


def test_gm_vehicles_below_half_are_not_started_either() -> None:
    vehicle = get_vehicle(make="CADILLAC")
    now = plugged(vehicle, soc=60)
    vehicle.command("stop_charge", now=now)
    vehicle.patch(now=now, state_of_charge=45)
    assert get_rejection(vehicle, "start_charge", now) == ("VEHICLE_STATE", "LOW_BATTERY")


def test_a_nissan_starts_but_does_not_stop() -> None:
    vehicle = get_vehicle(make="NISSAN", powertrain="BEV")
    now = plugged(vehicle)
    assert get_rejection(vehicle, "stop_charge", now) == ("COMPATIBILITY", "VEHICLE_NOT_CAPABLE")
    assert vehicle.supports_command("start_charge")


def test_a_volkswagen_accepts_only_so_many_charge_commands_until_it_is_driven() -> None:
    vehicle = get_vehicle(make="VOLKSWAGEN")
    now = plugged(vehicle, soc=30)
    for step in range(4):
        vehicle.command("stop_charge", now=now + 20 * step)
        vehicle.command("start_charge", now=now + 20 * step + 10)
    assert get_rejection(vehicle, "stop_charge", now + 100) == ("UPSTREAM", "RATE_LIMIT")
    next_time = find_idle_moment(vehicle, start=vehicle.lifecycle.next_change(now) + 60)
    vehicle.patch(now=next_time, state_of_charge=40, plugged_in=True, charging=True)
    vehicle.command("stop_charge", now=next_time)


def test_a_fuel_vehicle_does_not_charge() -> None:
    vehicle = get_vehicle(make="FORD", powertrain="ICE")
    assert get_rejection(vehicle, "start_charge", START) == ("COMPATIBILITY", "VEHICLE_NOT_CAPABLE")
    assert not vehicle.supports_command("set_charge_limit")


# Limit


def test_the_charge_limit_is_stored_and_stops_charging() -> None:
    vehicle = get_vehicle(make="FORD", model="E-Transit")
    now = plugged(vehicle, soc=58)
    vehicle.command("set_charge_limit", now=now, percent=60)
    body = vehicle.signal("charge-chargelimits", now=now).body
    assert body is not None
    assert body["values"][0]["limit"] == body["activeLimit"] == 60
    assert vehicle.observe(now + 2 * HOUR).soc == pytest.approx(60, abs=0.1)
    assert not vehicle.observe(now + 2 * HOUR).charging
    assert vehicle.observe(now + 5 * 24 * HOUR).limit == 60


def test_a_lower_limit_stops_charging_and_a_higher_one_resumes_it() -> None:
    vehicle = get_vehicle(make="FORD", model="E-Transit")
    now = plugged(vehicle, soc=65)
    vehicle.command("set_charge_limit", now=now, percent=50)
    assert not vehicle.observe(now).charging
    vehicle.command("set_charge_limit", now=now + 10, percent=90)
    assert vehicle.observe(now + 10).charging


@pytest.mark.parametrize("percent", [49, 101, -1, "80", True, None])
def test_a_limit_outside_50_to_100_is_invalid(percent: Any) -> None:
    vehicle = get_vehicle(make="FORD", model="E-Transit")
    assert get_rejection(vehicle, "set_charge_limit", START, percent=percent)[0] == "VALIDATION"


def test_a_bmw_accepts_a_limit_only_when_plugged_in() -> None:
    vehicle = get_vehicle(make="BMW", powertrain="BEV")
    now = find_moment(vehicle, lambda state: state.driving)
    assert get_rejection(vehicle, "set_charge_limit", now, percent=80) == (
        "VEHICLE_STATE",
        "CHARGING_PLUG_NOT_CONNECTED",
    )


# Port and destination


def test_the_charge_port_opens_and_closes_but_not_around_a_cable() -> None:
    vehicle = get_vehicle(make="TESLA", model="Model 3")
    now = find_idle_moment(vehicle)
    vehicle.patch(now=now, plugged_in=False)
    vehicle.command("open_charge_port", now=now)
    assert value(vehicle, "charge-ischargingportflapopen", now) is True
    vehicle.command("close_charge_port", now=now + 1)
    assert value(vehicle, "charge-ischargingportflapopen", now + 1) is False
    vehicle.patch(now=now + 2, plugged_in=True)
    assert get_rejection(vehicle, "close_charge_port", now + 3) == (
        "VEHICLE_STATE",
        "CHARGING_PLUG_CONNECTED",
    )


def test_a_destination_needs_coordinates() -> None:
    vehicle = get_vehicle(make="TESLA", model="Model 3")
    vehicle.command("set_destination", now=START, latitude=37.77, longitude=-122.42)
    assert vehicle.state(now=START)["destination"] == [37.77, -122.42]
    assert get_rejection(vehicle, "set_destination", START, latitude=137.0, longitude=0)[0] == "VALIDATION"
    assert get_rejection(vehicle, "set_destination", START, latitude="x", longitude=0)[0] == "VALIDATION"


# All


def test_an_unknown_command_and_wrong_parameters_are_invalid() -> None:
    vehicle = get_vehicle(make="TESLA", model="Model 3")
    assert get_rejection(vehicle, "explode", START)[0] == "VALIDATION"
    assert get_rejection(vehicle, "lock", START, hard=True)[0] == "VALIDATION"
    assert get_rejection(vehicle, "set_charge_limit", START)[0] == "VALIDATION"


def test_every_command_is_supported_by_some_vehicle_and_not_by_another() -> None:
    vehicles = list(simulation().vehicles.values())
    for name in COMMANDS:
        assert any(vehicle.supports_command(name) for vehicle in vehicles)
        if name not in {"lock", "unlock"}:
            assert any(not vehicle.supports_command(name) for vehicle in vehicles)


def test_a_vehicle_reports_at_once_what_a_command_did() -> None:
    vehicle = get_vehicle(make="TOYOTA", powertrain="ICE")
    now = find_idle_moment(vehicle)
    vehicle.command("unlock", now=now)
    signal = vehicle.signal("closure-islocked", now=now + 1)
    assert signal.oem_updated_at == now

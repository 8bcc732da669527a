"""Which changes a fleet reports as time passes."""

from simulator.vehicles import CATALOGUE, Fleet, Vehicle
from simulator.vehicles.state_snapshot import observe
from tests.simulator.vehicles.fleets import (
    DAY,
    HOUR,
    MINUTE,
    START,
    find_idle_moment,
    select_vehicles,
    simulation,
)


def all_signals(vehicle: Vehicle, now: float) -> dict[str, object]:
    return {signal.code: (signal.body, signal.error) for signal in vehicle.signals(now=now)}


def differing_codes(before: dict[str, object], after: dict[str, object]) -> set[str]:
    return {code for code in CATALOGUE if before[code] != after[code]}


def test_a_change_names_exactly_the_signals_whose_value_differs() -> None:
    fleet = simulation(vehicles=40)
    before = {vehicle.id: all_signals(vehicle, START) for vehicle in fleet.vehicles.values()}
    fleet.advance(now=START)
    for step in range(1, 25):
        now = START + step * 37 * MINUTE
        changed_codes = {change.vehicle_id: set(change.codes) for change in fleet.advance(now=now)}
        for vehicle in fleet.vehicles.values():
            after = all_signals(vehicle, now)
            assert changed_codes.get(vehicle.id, set()) == differing_codes(before[vehicle.id], after), (
                vehicle.make,
                vehicle.model,
            )
            before[vehicle.id] = after


def test_a_change_carries_the_time_of_the_report() -> None:
    fleet = simulation(vehicles=20)
    for change in fleet.advance(now=START + HOUR):
        assert change.at == fleet.vehicles[change.vehicle_id].last_report(START + HOUR)
        assert START < change.at <= START + HOUR


def test_nothing_changes_while_no_time_passes() -> None:
    fleet = simulation(vehicles=20)
    fleet.advance(now=START + HOUR)
    assert fleet.advance(now=START + HOUR) == []


def test_time_that_runs_backwards_changes_nothing() -> None:
    fleet = simulation(vehicles=20)
    fleet.advance(now=START + HOUR)
    assert fleet.advance(now=START) == []


def test_changes_by_commands_and_patches_are_not_reported_twice() -> None:
    fleet = simulation()
    vehicle = select_vehicles(fleet, make="TOYOTA", powertrain="ICE")[0]
    now = find_idle_moment(vehicle)
    fleet.advance(now=now)
    vehicle.command("unlock", now=now + 1)
    codes = vehicle.patch(now=now + 2, odometer=vehicle.observe(now + 2).odometer + 0.5)
    assert codes == ("odometer-traveleddistance",)
    assert not [change for change in fleet.advance(now=now + 3) if change.vehicle_id == vehicle.id]


def test_changes_after_a_command_are_reported() -> None:
    fleet = simulation()
    vehicle = select_vehicles(fleet, make="FORD", model="E-Transit")[0]
    now = find_idle_moment(vehicle)
    fleet.advance(now=now)
    vehicle.command("unlock", now=now + 1)
    leaves = vehicle.lifecycle.next_change(now)
    (change,) = [change for change in fleet.advance(now=leaves + 1) if change.vehicle_id == vehicle.id]
    assert "closure-islocked" in change.codes


def test_a_vehicle_that_starts_to_charge_by_command_reports_while_it_charges() -> None:
    fleet = simulation()
    vehicle = select_vehicles(fleet, make="TESLA", model="Model S")[0]
    now = find_idle_moment(vehicle, minimum=3 * HOUR)
    vehicle.patch(now=now, state_of_charge=40, plugged_in=True)
    fleet.advance(now=now)
    found = [
        change
        for step in range(1, 6)
        for change in fleet.advance(now=now + step * 10 * MINUTE)
        if change.vehicle_id == vehicle.id
    ]
    assert len(found) == 5
    assert all("tractionbattery-stateofcharge" in change.codes for change in found)


def test_small_steps_and_a_large_one_lead_to_the_same_fleet() -> None:
    slow, fast = simulation(vehicles=12), simulation(vehicles=12)
    for step in range(1, 97):
        slow.advance(now=START + step * DAY / 96)
    fast.advance(now=START + DAY)
    for vehicle_id, vehicle in slow.vehicles.items():
        assert vehicle.signals(now=START + DAY) == fast.vehicles[vehicle_id].signals(now=START + DAY)


def test_the_reported_state_is_what_the_vehicle_was_like_at_its_report() -> None:
    fleet: Fleet = simulation(vehicles=12)
    for vehicle in fleet.vehicles.values():
        now = START + 15 * HOUR
        assert vehicle.reported(now=now) == observe(vehicle.lifecycle, vehicle.last_report(now))

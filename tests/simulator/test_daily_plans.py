"""Holding and releasing vehicles' daily plans, and when a vehicle next leaves, arrives or changes."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from simulator.settings import Settings
from simulator.simulation import Simulation, create_simulation
from simulator.state_store import StateStore
from simulator.vehicles import Vehicle
from tests.simulator.conftest import Simulate
from tests.simulator.harness import NIGHT, QUICK, Callback, SimulatorHarness
from tests.simulator.test_v2 import connect_driver

DAY = 86_400.0
NOON = NIGHT + 9 * 3600.0
STILL = (
    "driving",
    "locked",
    "plugged",
    "charging",
    "soc",
    "latitude",
    "longitude",
    "odometer",
    "asleep",
    "outside",
)


def find(
    simulation: Simulation, matches: Callable[[dict[str, Any]], bool], *, days: float = 2, step: float = 30.0
) -> Vehicle:
    """Advance the clock until a vehicle's state matches, and return that vehicle."""
    for _ in range(round(days * DAY / step)):
        now = simulation.now()
        for vehicle in simulation.fleet.vehicles.values():
            if matches(vehicle.state(now=now)):
                return vehicle
        simulation.clock.advance(step)
    raise AssertionError("no vehicle of this fleet gets into that state")


def find_driving(simulation: Simulation, *, seconds: float = 120.0) -> Vehicle:
    """Return a vehicle whose trip goes on for some time."""
    for vehicle in simulation.fleet.vehicles.values():
        arrival = vehicle.day_status(now=simulation.now()).next_arrival
        if vehicle.observe(simulation.now()).driving and arrival and arrival > simulation.now() + seconds:
            return vehicle
    raise AssertionError("no vehicle is on the road")


def hold(sim: SimulatorHarness, vehicle: Vehicle, **body: Any) -> dict[str, Any]:
    response = sim.client.post(f"/control/vehicles/{vehicle.id}/day", json={"hold": True} | body)
    assert response.status_code == 200, response.text
    day: dict[str, Any] = response.json()
    return day


def get_day(sim: SimulatorHarness, vehicle: Vehicle) -> dict[str, Any]:
    response = sim.client.get(f"/control/vehicles/{vehicle.id}/day")
    assert response.status_code == 200, response.text
    day: dict[str, Any] = response.json()
    return day


def get_state(sim: SimulatorHarness, vehicle: Vehicle) -> dict[str, Any]:
    state = vehicle.state(now=sim.simulation.now())
    return {name: state[name] for name in STILL}


def seconds_until(sim: SimulatorHarness, text: str) -> float:
    return datetime.fromisoformat(text).timestamp() - sim.simulation.now()


# -- the day ---------------------------------------------------------------------------------------------------------


def test_a_vehicle_leaves_and_arrives_when_its_day_says_so(sim: SimulatorHarness) -> None:
    vehicle = find(sim.simulation, lambda state: not state["driving"])
    day = get_day(sim, vehicle)
    assert (day["phase"], day["held"], day["holdPending"], day["heldSince"]) == ("parked", False, False, None)

    sim.later(seconds_until(sim, day["nextDeparture"]) - 5)
    assert get_day(sim, vehicle)["phase"] == "parked"
    sim.later(10)
    driving = get_day(sim, vehicle)
    assert (driving["phase"], driving["nextArrival"]) == ("driving", day["nextArrival"])
    assert driving["nextChange"] == driving["nextArrival"] < driving["nextDeparture"]
    sim.later(seconds_until(sim, day["nextArrival"]) + 5)
    assert get_day(sim, vehicle)["phase"] == "parked"


def test_nothing_about_a_vehicle_changes_before_its_next_change(simulate: Simulate) -> None:
    sim = simulate(start=NOON)
    for vehicle in list(sim.simulation.fleet.vehicles.values())[:20]:
        now = sim.simulation.now()
        status, before = vehicle.day_status(now=now), vehicle.observe(now)
        if status.phase != "parked" or not status.next_change:
            continue
        just_before = vehicle.observe(status.next_change - 1.0)
        for name in ("driving", "locked", "plugged", "charging", "doors", "odometer", "asleep"):
            assert getattr(just_before, name) == getattr(before, name), (vehicle.id, name)


def test_an_unknown_vehicle_has_no_day(sim: SimulatorHarness) -> None:
    assert sim.client.get("/control/vehicles/none/day").status_code == 404
    assert sim.client.post("/control/vehicles/none/day", json={"hold": True}).status_code == 404


# -- holding a parked vehicle ------------------------------------------------------------------------------------------


def test_a_held_vehicle_stays_as_it_is_for_days(simulate: Simulate) -> None:
    sim = simulate(start=NOON)
    vehicle = find(sim.simulation, lambda state: not state["driving"])

    response = hold(sim, vehicle)
    before = get_state(sim, vehicle)

    assert (response["held"], response["phase"]) == (True, "parked")
    assert (response["nextDeparture"], response["nextArrival"], response["nextChange"]) == (None, None, None)
    for hours in (1, 5, 18, 24, 24 * 6):
        sim.later(hours * 3600)
        assert get_state(sim, vehicle) == before
    assert get_day(sim, vehicle)["held"]


def test_a_held_vehicle_publishes_no_events_of_its_own(sim: SimulatorHarness) -> None:
    driver = connect_driver(sim, powertrain="BEV", code="closure-islocked")
    driver.subscribe(sim.webhook())
    hold(sim, sim.simulation.fleet.vehicles[driver.vehicle_id], parked=True)
    sim.settle()
    sim.callback.requests.clear()

    for _ in range(24):
        sim.later(3600)

    assert sim.callback.events() == []


def test_a_vehicle_about_to_leave_is_locked_when_it_is_held_parked(simulate: Simulate) -> None:
    sim = simulate(start=NOON)
    vehicle = find(sim.simulation, lambda state: not state["driving"] and not state["locked"], step=5)

    hold(sim, vehicle, parked=True)

    state = vehicle.state(now=sim.simulation.now())
    assert (state["driving"], state["locked"], state["doors"], state["windows"]) == (False, True, [], [])
    assert (state["trunk"], state["asleep"], state["deep"]) == (False, False, False)
    before = get_state(sim, vehicle)
    sim.later(DAY)
    assert get_state(sim, vehicle) == before


def test_a_vehicle_about_to_leave_stays_unlocked_when_it_is_only_held(simulate: Simulate) -> None:
    sim = simulate(start=NOON)
    vehicle = find(sim.simulation, lambda state: not state["driving"] and not state["locked"], step=5)

    hold(sim, vehicle)
    sim.later(DAY)

    assert not vehicle.state(now=sim.simulation.now())["locked"]


def test_what_was_set_from_outside_stays_when_a_vehicle_is_held_parked(sim: SimulatorHarness) -> None:
    driver = connect_driver(sim, powertrain="BEV", code="closure-islocked")
    driver.patch(is_locked=False)
    vehicle = sim.simulation.fleet.vehicles[driver.vehicle_id]

    hold(sim, vehicle, parked=True)
    sim.later(3 * DAY)

    assert not vehicle.state(now=sim.simulation.now())["locked"]


def test_what_is_set_while_a_vehicle_is_held_stays(sim: SimulatorHarness) -> None:
    vehicle = find(sim.simulation, lambda state: not state["driving"])
    hold(sim, vehicle)
    path = f"/control/vehicles/{vehicle.id}"
    assert sim.client.patch(path, json={"is_locked": False, "odometer": 500_000}).status_code == 200

    sim.later(3 * DAY)

    state = vehicle.state(now=sim.simulation.now())
    assert (state["locked"], round(state["odometer"])) == (False, 500_000)


# -- holding a driving vehicle -----------------------------------------------------------------------------------------


def test_a_driving_vehicle_is_held_when_its_trip_is_over(simulate: Simulate) -> None:
    sim = simulate(start=NOON)
    vehicle = find_driving(sim.simulation)

    response = hold(sim, vehicle)

    assert (response["phase"], response["held"], response["holdPending"]) == ("driving", False, True)
    assert response["nextDeparture"] is None
    assert response["nextArrival"] < response["heldSince"]
    sim.later(seconds_until(sim, response["heldSince"]) + 1)
    before = get_state(sim, vehicle)
    assert (get_day(sim, vehicle)["held"], before["driving"], before["locked"]) == (True, False, True)
    sim.later(2 * DAY)
    assert get_state(sim, vehicle) == before


def test_a_driving_vehicle_can_be_held_parked_at_once(simulate: Simulate) -> None:
    sim = simulate(start=NOON)
    vehicle = find_driving(sim.simulation)
    odometer = vehicle.state(now=sim.simulation.now())["odometer"]

    response = hold(sim, vehicle, parked=True)

    before = get_state(sim, vehicle)
    assert (response["phase"], response["held"], response["holdPending"]) == ("parked", True, False)
    assert (before["driving"], before["locked"]) == (False, True)
    assert before["odometer"] > odometer
    sim.later(2 * DAY)
    assert get_state(sim, vehicle) == before


def test_a_pending_hold_can_be_withdrawn(simulate: Simulate) -> None:
    sim = simulate(start=NOON)
    vehicle = find_driving(sim.simulation)
    before = get_day(sim, vehicle)

    hold(sim, vehicle)
    released = sim.client.post(f"/control/vehicles/{vehicle.id}/day", json={"hold": False}).json()

    assert released == before


def test_webhooks_receive_that_a_trip_ended(simulate: Simulate) -> None:
    sim = simulate(start=NOON)
    vehicle = next(
        each
        for each in sim.simulation.fleet.vehicles.values()
        if each.observe(sim.simulation.now()).driving and each.supports("motion-currentspeed")
    )
    sim.grant(vehicleIds=[vehicle.id])
    codes = ["odometer-traveleddistance", "location-preciselocation"]
    sim.webhook(signals=codes, autoSubscribe=True)
    sim.later(2)
    sim.callback.requests.clear()

    hold(sim, vehicle, parked=True)
    sim.settle()

    events = sim.callback.events("VEHICLE_STATE")
    assert events
    assert all(each["data"]["vehicle"]["id"] == vehicle.id for each in events)


# -- commands while held -----------------------------------------------------------------------------------------------


def test_commands_to_a_held_vehicle_work_and_cause_their_events(sim: SimulatorHarness) -> None:
    driver = connect_driver(sim, powertrain="BEV", code="closure-islocked")
    driver.subscribe(sim.webhook())
    vehicle = sim.simulation.fleet.vehicles[driver.vehicle_id]
    hold(sim, vehicle, parked=True)
    sim.later(3600)
    sim.callback.requests.clear()

    for action, locked in (("UNLOCK", False), ("LOCK", True), ("UNLOCK", False)):
        assert driver.post("/security", {"action": action}).status_code == 200
        sim.later(2)
        assert vehicle.state(now=sim.simulation.now())["locked"] is locked

    triggers = [
        trigger["signal"]["code"]
        for event in sim.callback.events("VEHICLE_STATE")
        for trigger in event["triggers"]
    ]
    assert triggers.count("closure-islocked") == 3
    read = driver.get("/security")
    assert datetime.fromisoformat(read.headers["sc-data-age"]).timestamp() > sim.simulation.now() - 10
    sim.later(DAY)
    assert vehicle.state(now=sim.simulation.now())["locked"] is False


def test_a_held_vehicle_charges_or_not_as_it_was_commanded(sim: SimulatorHarness) -> None:
    driver = connect_driver(sim, powertrain="BEV", code="charge-ischarging")
    vehicle = sim.simulation.fleet.vehicles[driver.vehicle_id]
    hold(sim, vehicle, parked=True)
    driver.patch(plugged_in=True, charging=False, state_of_charge=40, charge_limit=80)

    for action, charging in (("START", True), ("STOP", False), ("START", True)):
        assert driver.post("/charge", {"action": action}).status_code == 200
        for _ in range(3):
            state = vehicle.state(now=sim.simulation.now())
            assert (state["charging"], state["soc"]) == (charging, 40.0)
            sim.later(600)
    assert get_day(sim, vehicle)["phase"] == "charging"


# -- releasing ---------------------------------------------------------------------------------------------------------


def test_a_released_vehicle_continues_with_its_day_where_it_stopped(simulate: Simulate) -> None:
    sim = simulate(start=NOON)
    vehicle = find(sim.simulation, lambda state: not state["driving"])
    before, state = get_day(sim, vehicle), get_state(sim, vehicle)
    remaining = seconds_until(sim, before["nextDeparture"])
    hold(sim, vehicle)
    sim.later(30 * 3600)

    released = sim.client.post(f"/control/vehicles/{vehicle.id}/day", json={"hold": False}).json()

    assert not released["held"]
    assert get_state(sim, vehicle) == state
    assert seconds_until(sim, released["nextDeparture"]) == pytest.approx(remaining, abs=5)
    sim.later(remaining + 5)
    assert get_day(sim, vehicle)["phase"] == "driving"


def test_past_charging_sessions_keep_their_times_after_a_hold(sim: SimulatorHarness) -> None:
    def records(vehicle: Vehicle) -> dict[str, Any]:
        body = vehicle.signal("charge-chargerecords", now=sim.simulation.now()).body or {}
        return {each["id"]: each for each in body["values"]}

    vehicle = next(
        each
        for each in sim.simulation.fleet.vehicles.values()
        if each.supports("charge-chargerecords") and records(each)
    )
    before = records(vehicle)
    hold(sim, vehicle)
    sim.later(5 * 3600)
    sim.simulation.fleet.release(now=sim.simulation.now())

    sim.later(3600)

    after = records(vehicle)
    assert {number: after[number] for number in before} == before


# -- all vehicles ------------------------------------------------------------------------------------------------------


def test_all_vehicles_can_be_held_and_released_at_once(simulate: Simulate) -> None:
    sim = simulate(start=NOON)

    held = sim.client.post("/control/day", json={"hold": True, "parked": True}).json()

    assert (held["held"], held["count"], held["holdAll"]) == (40, 40, False)
    assert {each["phase"] for each in held["vehicles"]} <= {"parked", "charging"}
    assert all(each["held"] for each in held["vehicles"])
    now = sim.simulation.now()
    vehicles = sim.simulation.fleet.vehicles.values()
    assert all(each.observe(now).locked and not each.observe(now).doors for each in vehicles)
    before = [get_state(sim, each) for each in vehicles]
    sim.later(DAY)
    assert [get_state(sim, each) for each in vehicles] == before
    assert sim.client.post("/control/day", json={"hold": False}).json()["held"] == 0
    assert sim.client.get("/control/day").json()["held"] == 0


def test_some_vehicles_can_be_held_at_once(sim: SimulatorHarness) -> None:
    selected = list(sim.simulation.fleet.vehicles)[3:5]

    response = sim.client.post(
        "/control/day", json={"hold": True, "parked": True, "vehicleIds": selected}
    ).json()

    assert [each["vehicleId"] for each in response["vehicles"] if each["held"]] == selected


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"hold": "yes"},
        {"hold": True, "parked": 1},
        {"hold": False, "parked": True},
        {"hold": True, "until": "tomorrow"},
        {"hold": True, "vehicleIds": ["none"]},
        {"hold": True, "vehicleIds": "all"},
    ],
)
def test_an_invalid_request_holds_nothing(sim: SimulatorHarness, body: dict[str, Any]) -> None:
    response = sim.client.post("/control/day", json=body)

    assert response.status_code == 400
    assert response.json()["error"]
    assert sim.client.get("/control/day").json()["held"] == 0


# -- restart and reset -------------------------------------------------------------------------------------------------


def test_a_restart_keeps_vehicles_held(simulate: Simulate, tmp_path: Path) -> None:
    sim = simulate(start=NOON)
    driving = find_driving(sim.simulation)
    hold(sim, driving, parked=True)
    before = get_state(sim, driving)
    path = tmp_path / "state.json"
    StateStore(sim.simulation, path).save()

    simulation = create_simulation(Settings(**QUICK), transport=httpx.MockTransport(Callback()))
    assert StateStore(simulation, path).restore()
    simulation.clock.advance(DAY)

    restored = simulation.fleet.vehicles[driving.id]
    state = restored.state(now=simulation.now())
    assert {name: state[name] for name in STILL} == before
    held = [each for each in simulation.fleet.vehicles.values() if each.day_status(now=simulation.now()).held]
    assert held == [restored]


def test_a_restart_with_hold_all_holds_the_others_too(sim: SimulatorHarness, tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    StateStore(sim.simulation, path).save()

    simulation = create_simulation(Settings(**(QUICK | {"hold_all": True})))
    StateStore(simulation, path).restore()

    vehicles = simulation.fleet.vehicles.values()
    assert all(each.day_status(now=simulation.now()).held for each in vehicles)


def test_a_reset_releases_vehicles_and_returns_them_to_their_plan(simulate: Simulate) -> None:
    sim, other = simulate(start=NOON), simulate(start=NOON)
    sim.client.post("/control/day", json={"hold": True, "parked": True})
    sim.later(3 * 3600)

    sim.client.post("/control/reset")

    assert sim.client.get("/control/day").json()["held"] == 0
    now = NOON + 4 * 3600
    for vehicle in sim.simulation.fleet.vehicles.values():
        planned = other.simulation.fleet.vehicles[vehicle.id].observe(now)
        assert vehicle.observe(now).latitude == planned.latitude
        assert vehicle.observe(now).odometer == planned.odometer


def test_with_hold_all_vehicles_are_held_from_the_start_and_after_each_reset(simulate: Simulate) -> None:
    sim = simulate(start=NOON, hold_all=True)
    vehicles = list(sim.simulation.fleet.vehicles.values())
    before = [get_state(sim, each) for each in vehicles]
    assert sim.client.get("/control/day").json()["holdAll"]
    assert all(not state["driving"] and state["locked"] for state in before)
    for vehicle in vehicles[:10]:
        path = f"/control/vehicles/{vehicle.id}"
        sim.client.patch(path, json={"is_locked": False, "odometer": 900_000})
    sim.client.post("/control/day", json={"hold": False})
    sim.later(2 * DAY + 3 * 3600)
    assert [get_state(sim, each) for each in vehicles] != before

    sim.client.post("/control/reset")

    assert [get_state(sim, each) for each in vehicles] == before
    sim.later(DAY)
    assert [get_state(sim, each) for each in vehicles] == before

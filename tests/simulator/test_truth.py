"""The truth about vehicles: it agrees with what they report, and the past never changes."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from itertools import pairwise
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.vehicles import CommandRejected, Fleet, Vehicle
from simulator.vehicles.truth import Truth
from tests.simulator.conftest import Simulate
from tests.simulator.harness import NIGHT, Driver, SimulatorHarness
from tests.simulator.test_v2 import connect_driver

HOUR, DAY = 3600.0, 86_400.0
ODOMETER_DIGIT = 0.051  # km. Reports are rounded to a tenth.


def seconds(iso: str | None) -> float:
    return float("inf") if iso is None else datetime.fromisoformat(iso).timestamp()


def get_truth(sim: SimulatorHarness, vehicle_id: str, **query: Any) -> dict[str, Any]:
    response = sim.client.get(f"/control/vehicles/{vehicle_id}/truth", params=query)
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    return body


def at(entries: Sequence[dict[str, Any]], moment: float) -> dict[str, Any] | None:
    """Return the entry whose period contains the moment."""
    return next((each for each in entries if seconds(each["start"]) <= moment < seconds(each["end"])), None)


def state_at(found: dict[str, Any], moment: float) -> tuple[Any, bool, bool]:
    """Return the trip of a moment (None: parked), whether the cable is plugged in, and whether it charges."""
    session = at(found["chargingSessions"], moment)
    charge = at(session["charges"], moment) if session else None
    return at(found["trips"], moment), session is not None, charge is not None


def check_report(driver: Driver, found: dict[str, Any]) -> None:
    """Check the vehicle's odometer, plug and charge against the truth of the moment of its report."""
    vehicle = driver.harness.simulation.fleet.vehicles[driver.vehicle_id]
    paths = ["/odometer", *(["/charge"] if vehicle.identity.model.electric else [])]
    answers = driver.post("/batch", {"requests": [{"path": path} for path in paths]}).json()["responses"]
    odometer = answers[0]["body"]["distance"]
    reported = datetime.fromisoformat(answers[0]["headers"]["sc-data-age"]).timestamp()
    # Reports are made just when something changes, and their times are rounded.
    states = [state_at(found, reported + around) for around in (-1.0, 0.0, 1.0)]
    for trip, _, _ in states:
        stop = at(found["stops"], reported)
        low, high = (
            (trip["odometerStartKm"], trip["odometerEndKm"])
            if trip
            else (stop["odometerKm"], stop["odometerKm"])
            if stop
            else (odometer, odometer)
        )
        assert low - ODOMETER_DIGIT <= odometer <= high + ODOMETER_DIGIT
    if len(answers) > 1:
        charge = answers[1]["body"]
        assert charge["isPluggedIn"] in {plugged for _, plugged, _ in states}
        assert (charge["state"] == "CHARGING") in {charging for _, _, charging in states}


@pytest.mark.parametrize(
    "powertrain",
    ["BEV", pytest.param("PHEV", marks=pytest.mark.slow), pytest.param("ICE", marks=pytest.mark.slow)],
)
def test_the_truth_agrees_with_the_vehicles_reports(simulate: Simulate, powertrain: str) -> None:
    sim = simulate(vehicles=80)
    driver = connect_driver(sim, powertrain=powertrain)
    for step in range(2 * 96):
        sim.later(max(0.0, NIGHT + 900.0 * step + 7.0 - sim.simulation.now()))
        refresh(sim, driver)
        check_report(driver, get_truth(sim, driver.vehicle_id, **{"from": sim.simulation.now() - DAY}))


def refresh(sim: SimulatorHarness, driver: Driver) -> None:
    """Refresh the driver's tokens, because the clock is moved by days."""
    pair = sim.token(grant_type="refresh_token", refresh_token=driver.refresh_token).json()
    driver.access_token, driver.refresh_token = pair["access_token"], pair["refresh_token"]


def test_places_are_where_the_vehicle_reports_to_be_parked(sim: SimulatorHarness) -> None:
    vehicle = next(each for each in sim.simulation.fleet.vehicles.values() if each.make == "TESLA")
    sim.later(2 * DAY)
    found = get_truth(sim, vehicle.id)

    assert len(found["stops"]) > 5
    for stop in found["stops"]:
        seen = vehicle.observe((seconds(stop["start"]) + min(seconds(stop["end"]), sim.simulation.now())) / 2)
        assert (seen.latitude, seen.longitude) == (stop["place"]["latitude"], stop["place"]["longitude"])
        assert stop["place"]["name"]
    parked = {each["start"]: each["place"] for each in found["stops"]}
    assert all(trip["endPlace"] == parked[trip["end"]] for trip in found["trips"] if trip["end"])


def test_charges_are_those_of_the_charge_records(sim: SimulatorHarness) -> None:
    vehicle = next(
        each
        for each in sim.simulation.fleet.vehicles.values()
        if each.supports("charge-chargerecords") and each.powertrain == "BEV"
    )
    sim.later(6 * DAY)
    body = vehicle.signal("charge-chargerecords", now=sim.simulation.now()).body
    assert body is not None
    records = {each["startTime"]: each["energyAdded"] for each in body["values"]}
    charges = [
        each
        for session in get_truth(sim, vehicle.id, **{"from": NIGHT - 3 * DAY})["chargingSessions"]
        for each in session["charges"]
    ]
    true = {f"{each['start'][:19]}Z": each["energyKwh"] for each in charges if each["end"]}

    assert records
    assert records == {start: pytest.approx(true[start], abs=0.02) for start in records}


def test_a_page_ends_with_the_address_of_the_next_and_all_pages_are_the_stream(sim: SimulatorHarness) -> None:
    vehicle_id = next(iter(sim.simulation.fleet.vehicles))
    sim.later(10 * DAY)
    span = {"from": NIGHT - 20 * DAY, "to": NIGHT + 9 * DAY}
    page = get_truth(sim, vehicle_id, days=4, **span)
    pages = [page]
    while page["next"]:
        page = sim.client.get(page["next"]).json()
        pages.append(page)
    stream = sim.client.get("/control/truth", params=span | {"vehicleId": vehicle_id})
    lines = [orjson.loads(line) for line in stream.text.splitlines()]

    assert len(pages) == 8
    assert {each["vehicleId"] for each in lines} == {vehicle_id}
    for kind, name in (("trip", "trips"), ("stop", "stops"), ("chargingSession", "chargingSessions")):
        streamed = [(each["start"], each["end"]) for each in lines if each["kind"] == kind]
        assert [(each["start"], each["end"]) for page in pages for each in page[name]] == streamed
        assert streamed


def test_the_stream_has_all_vehicles_and_never_the_future(sim: SimulatorHarness) -> None:
    sim.later(DAY)
    response = sim.client.get("/control/truth", params={"to": NIGHT + 30 * DAY})

    lines = [orjson.loads(line) for line in response.text.splitlines()]
    assert {each["vehicleId"] for each in lines} == set(sim.simulation.fleet.vehicles)
    assert max(seconds(each["start"]) for each in lines) <= sim.simulation.now()


@pytest.mark.parametrize(
    "query", [{"from": "soon"}, {"from": "2026-11-04"}, {"from": NIGHT + DAY}, {"days": 0}, {"days": "x"}]
)
def test_an_impossible_period_is_rejected(sim: SimulatorHarness, query: dict[str, Any]) -> None:
    vehicle_id = next(iter(sim.simulation.fleet.vehicles))

    response = sim.client.get(f"/control/vehicles/{vehicle_id}/truth", params=query)

    assert response.status_code == 400
    assert response.json()["error"]


def test_unknown_vehicles_have_no_truth(sim: SimulatorHarness) -> None:
    assert sim.client.get("/control/vehicles/nobody/truth").status_code == 404
    assert sim.client.get("/control/truth", params={"vehicleId": "nobody"}).status_code == 404


def whole_truth(vehicle: Vehicle, *, now: float, end: float | None = None) -> Truth:
    return vehicle.truth(start=NIGHT - 3 * DAY, end=now if end is None else end, now=now)


def test_the_same_seed_has_the_same_truth_and_another_seed_another() -> None:
    first, again, other = (
        [
            whole_truth(each, now=NIGHT + 3 * DAY)
            for each in Fleet(seed=seed, vehicles=6, start=NIGHT).vehicles.values()
        ]
        for seed in (1, 1, 2)
    )
    assert first == again != other


ACTIONS = st.lists(
    st.tuples(
        st.floats(0.05, 1.5),
        st.sampled_from(
            [
                ("patch", {"plugged_in": True}),
                ("patch", {"plugged_in": False}),
                ("patch", {"charging": False}),
                ("patch", {"state_of_charge": 40}),
                ("patch", {"charge_limit": 60}),
                ("patch", {"latitude": 37.75, "longitude": -122.44}),
                ("patch", {"odometer": 400_000}),
                ("command", {"name": "start_charge"}),
                ("command", {"name": "set_charge_limit", "percent": 95}),
                ("hold", {}),
                ("hold", {"parked": True}),
                ("release", {}),
            ]
        ),
    ),
    max_size=8,
)


def act(vehicle: Vehicle, name: str, values: dict[str, Any], now: float) -> None:
    actions: dict[str, Callable[..., Any]] = {
        "patch": vehicle.patch,
        "command": vehicle.command,
        "hold": vehicle.hold,
        "release": vehicle.release,
    }
    with suppress(ValueError, CommandRejected):  # Not every action is possible at every moment.
        actions[name](now=now, **values)


@pytest.mark.slow
@settings(max_examples=25)
@given(ACTIONS, st.integers(0, 11))
def test_whatever_is_done_to_a_vehicle_its_past_stays_and_is_without_gaps(
    actions: list[tuple[float, tuple[str, dict[str, Any]]]], index: int
) -> None:
    fleet = Fleet(seed=3, vehicles=12, start=NIGHT)
    vehicle = list(fleet.vehicles.values())[index]
    now, known = NIGHT, whole_truth(vehicle, now=NIGHT)
    for days, (name, values) in actions:
        act(vehicle, name, values, now)
        now += days * DAY
        vehicle.observe(now)
        found = whole_truth(vehicle, now=now)
        for before, after in (
            (known.trips, found.trips),
            (known.stops, found.stops),
            (known.charging_sessions, found.charging_sessions),
        ):
            finished = [each for each in before if each.end is not None]
            assert [each for each in after if each in finished] == finished
        known = found
    check_continuity(known)
    restored = Fleet(seed=3, vehicles=12, start=NIGHT)
    restored.restore(orjson.loads(orjson.dumps(fleet.snapshot())))
    assert whole_truth(restored.vehicles[vehicle.id], now=now) == known


def check_continuity(found: Truth) -> None:
    for first, second in pairwise(found.trips):
        assert first.end is not None
        assert first.end <= second.start
        assert first.odometer_end <= second.odometer_start + 0.002  # more if it was set by hand between them
    assert all(trip.kilometers >= 0 for trip in found.trips)
    assert {trip.end for trip in found.trips} - {None} <= {stop.start for stop in found.stops}
    assert {trip.start for trip in found.trips[1:]} <= {stop.end for stop in found.stops}
    for one, following in pairwise(found.charging_sessions):
        assert one.end is not None
        assert one.end <= following.start
    for session in found.charging_sessions:
        for charge in session.charges:
            assert session.start <= charge.start
            assert charge.soc_end >= charge.soc_start

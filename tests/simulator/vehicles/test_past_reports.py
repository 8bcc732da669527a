"""What vehicles reported in the past: in order, plausible, and continued by their present reports."""

from itertools import pairwise
from typing import Any

import pytest

from simulator.vehicles import Fleet, Vehicle
from simulator.vehicles.city import on_land
from simulator.vehicles.past_reports import PastReport, past_reports
from tests.simulator.conftest import Simulate

DAY = 86_400.0
NOW = 1_796_040_000.0  # Monday, November 30, 2026, noon in San Francisco
SPACING = 1800.0


@pytest.fixture(scope="module")
def fleet() -> Fleet:
    return Fleet(seed=7, vehicles=26, start=NOW, munich=2)


@pytest.fixture(scope="module")
def history(fleet: Fleet) -> dict[str, list[PastReport]]:
    return {vehicle.id: reports(vehicle) for vehicle in fleet.vehicles.values()}


def reports(vehicle: Vehicle, days: float = 10) -> list[PastReport]:
    return list(past_reports(vehicle, start=NOW - days * DAY, end=vehicle.last_report(NOW), spacing=SPACING))


def values(found: list[PastReport], code: str) -> list[Any]:
    return [report.bodies[code].get("value") for report in found if code in report.bodies]


def test_reports_are_in_order_and_none_is_newer_than_the_present_one(
    fleet: Fleet, history: dict[str, list[PastReport]]
) -> None:
    for vehicle_id, found in history.items():
        times = [report.at for report in found]
        assert times == sorted(set(times))
        assert times[0] >= NOW - 10 * DAY
        assert times[-1] < fleet.vehicles[vehicle_id].last_report(NOW)


def test_the_odometer_never_falls_and_leads_up_to_the_present_one(
    fleet: Fleet, history: dict[str, list[PastReport]]
) -> None:
    for vehicle_id, found in history.items():
        present = fleet.vehicles[vehicle_id].signal("odometer-traveleddistance", now=NOW).body or {}
        shown = [*values(found, "odometer-traveleddistance"), present["value"]]
        assert all(before <= after for before, after in pairwise(shown))
        assert shown[-1] - shown[-2] < 60


def test_levels_are_percentages_that_fall_on_the_way_and_rise_while_charging(
    history: dict[str, list[PastReport]],
) -> None:
    for found in history.values():
        levels = values(found, "tractionbattery-stateofcharge")
        assert all(0 <= level <= 100 for level in levels)
        if levels:
            assert any(after < before for before, after in pairwise(levels))
            assert any(after > before for before, after in pairwise(levels))


def test_vehicles_are_unlocked_and_locked_again(history: dict[str, list[PastReport]]) -> None:
    locks = [values(found, "closure-islocked") for found in history.values()]
    assert sum(len(each) > 8 and {True, False} <= set(each) for each in locks) > len(locks) / 2


def test_only_changes_are_reported_and_that_a_vehicle_still_charges(
    history: dict[str, list[PastReport]],
) -> None:
    for found in history.values():
        latest: dict[str, Any] = {}
        for report in found:
            repeated = {code for code, body in report.bodies.items() if latest.get(code) == body}
            assert repeated <= {"charge-ischarging"}
            assert not repeated or report.bodies["charge-ischarging"]["value"]
            latest |= report.bodies


def test_a_charging_vehicle_reports_at_least_once_an_hour(history: dict[str, list[PastReport]]) -> None:
    for found in history.values():
        states = [
            (report.at, report.bodies["charge-ischarging"]["value"])
            for report in found
            if "charge-ischarging" in report.bodies
        ]
        assert all(after - before <= 3600 for (before, charging), (after, _) in pairwise(states) if charging)


def test_the_same_seed_gives_the_same_past(history: dict[str, list[PastReport]]) -> None:
    vehicle = next(iter(Fleet(seed=7, vehicles=26, start=NOW, munich=2).vehicles.values()))
    assert reports(vehicle) == history[vehicle.id]


def test_a_vehicle_has_no_past_before_it_was_built(fleet: Fleet) -> None:
    vehicle = min(fleet.vehicles.values(), key=lambda each: each.observe(NOW).odometer)
    found = list(past_reports(vehicle, start=NOW - 1000 * DAY, end=NOW, spacing=DAY))
    assert found[0].at > NOW - 990 * DAY
    assert values(found, "odometer-traveleddistance")[0] >= 0


def test_vehicles_in_munich_drive_there_by_its_time(
    fleet: Fleet, history: dict[str, list[PastReport]]
) -> None:
    for vehicle in list(fleet.vehicles.values())[-2:]:
        assert vehicle.identity.abroad
        for report in history[vehicle.id]:
            place = report.bodies.get("location-preciselocation")
            if place:
                assert 48.05 < place["latitude"] < 48.25
                assert 11.4 < place["longitude"] < 11.75
    home = next(iter(fleet.vehicles.values()))
    state = home.observe(NOW)
    assert on_land(state.latitude, state.longitude, tolerance=30)


def test_reports_are_streamed_by_the_control_api(simulate: Simulate) -> None:
    sim = simulate(vehicles=1)
    vehicle = next(iter(sim.simulation.fleet.vehicles))
    answer = sim.client.get(f"/control/vehicles/{vehicle}/reports?spacing=3600")
    lines = answer.text.splitlines()
    assert len(lines) > 20
    assert all('"oemUpdatedAt"' in line for line in lines)
    assert sim.client.get(f"/control/vehicles/{vehicle}/reports?spacing=0").status_code == 400

"""Properties of every vehicle at every moment, observed over days."""

from itertools import pairwise

import pytest

from simulator.vehicles import Vehicle
from simulator.vehicles.city import on_land
from simulator.vehicles.state_snapshot import StateSnapshot
from tests.simulator.vehicles.fleets import DAY, HOUR, START, select_vehicles, simulation, times

STEP = 900.0
VEHICLES = list(simulation(vehicles=40, seed=5).vehicles.values())


@pytest.fixture(
    scope="module",
    params=range(0, 40, 3),
    ids=lambda index: f"{VEHICLES[index].make} {VEHICLES[index].model}",
)
def watched(request: pytest.FixtureRequest) -> tuple[Vehicle, list[StateSnapshot]]:
    vehicle = VEHICLES[request.param]
    return vehicle, [vehicle.observe(now) for now in times(START, days=8, step=STEP)]


def test_levels_stay_within_0_and_100(watched: tuple[Vehicle, list[StateSnapshot]]) -> None:
    _, states = watched
    assert all(0.0 <= state.soc <= 100.0 and 0.0 <= state.fuel <= 100.0 for state in states)


def test_the_odometer_never_falls_and_is_constant_while_parked(
    watched: tuple[Vehicle, list[StateSnapshot]],
) -> None:
    vehicle, states = watched
    for before, after in pairwise(states):
        assert after.odometer >= before.odometer - 1e-6
        if not before.driving and vehicle.lifecycle.next_change(before.at) > after.at:
            assert after.odometer == pytest.approx(before.odometer, abs=1e-6)
            assert (after.latitude, after.longitude) == (before.latitude, before.longitude)


def test_positions_are_on_land(watched: tuple[Vehicle, list[StateSnapshot]]) -> None:
    _, states = watched
    assert all(on_land(state.latitude, state.longitude) for state in states)


def test_the_battery_falls_with_the_distance_and_rises_only_by_charging(
    watched: tuple[Vehicle, list[StateSnapshot]],
) -> None:
    vehicle, states = watched
    model = vehicle.identity.model
    for before, after in pairwise(states):
        used = (after.odometer - before.odometer) * model.percent_per_km
        charged = before.charging or after.charging or after.session > before.session
        if model.powertrain == "BEV" and not charged:
            assert after.soc == pytest.approx(before.soc - used, abs=0.01)
        if model.electric:
            assert after.soc >= before.soc - used - 0.01


def test_the_tank_falls_with_the_distance_and_rises_only_by_refuelling_to_the_brim(
    watched: tuple[Vehicle, list[StateSnapshot]],
) -> None:
    vehicle, states = watched
    model = vehicle.identity.model
    for before, after in pairwise(states):
        used = (after.odometer - before.odometer) * model.fuel_percent_per_km
        assert after.fuel >= before.fuel - used - 0.01
        if after.fuel > before.fuel + 0.01:
            assert after.fuel >= 100.0 - used - 0.01


def test_a_charging_vehicle_is_parked_and_plugged_in_below_its_limit(
    watched: tuple[Vehicle, list[StateSnapshot]],
) -> None:
    _, states = watched
    for state in states:
        if state.charging:
            assert state.plugged
            assert not state.driving
            assert state.soc <= state.limit + 0.01
            assert state.kw > 0
            assert state.charge_ends > state.at


def test_a_driving_vehicle_moves_locked_and_awake_and_a_parked_one_has_no_speed(
    watched: tuple[Vehicle, list[StateSnapshot]],
) -> None:
    _, states = watched
    for state in states:
        if state.driving:
            assert state.locked
            assert not state.plugged
            assert not state.asleep
        else:
            assert state.speed == 0.0
        assert 0.0 <= state.speed <= 70.0


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_day_begins_with_the_levels_with_which_the_last_one_ended(seed: int) -> None:
    for vehicle in simulation(vehicles=40, seed=seed).vehicles.values():
        weekly_schedule = vehicle.lifecycle.weekly_schedule
        first = weekly_schedule.day_number(START)
        for number in range(first, first + 8):
            end, begin = (
                weekly_schedule.start_of_day(number + 1) - 0.01,
                weekly_schedule.start_of_day(number + 1) + 0.01,
            )
            before, after = vehicle.observe(end), vehicle.observe(begin)
            assert after.soc == pytest.approx(before.soc, abs=0.01)
            assert after.fuel == pytest.approx(before.fuel, abs=0.01)
            assert after.odometer == pytest.approx(before.odometer, abs=0.01)
            assert (after.latitude, after.longitude) == (before.latitude, before.longitude)


def test_a_vehicle_reaches_its_limit_overnight() -> None:
    for vehicle in select_vehicles(simulation(vehicles=40), powertrain="BEV"):
        best = max(vehicle.observe(now).soc for now in times(START, days=7, step=HOUR))
        assert best == pytest.approx(vehicle.lifecycle.limit, abs=0.6)


def test_fuel_vehicles_refuel_now_and_then() -> None:
    for vehicle in select_vehicles(simulation(vehicles=40), powertrain="ICE"):
        fuel = [vehicle.observe(now).fuel for now in times(START, days=8, step=1800)]
        assert any(later > earlier + 5 for earlier, later in pairwise(fuel))
        assert min(fuel) > 3.0


def test_the_year_is_continuous() -> None:
    """Any moment is found without simulating the time before it."""
    vehicle = next(iter(simulation(vehicles=1).vehicles.values()))
    year = vehicle.observe(START + 365 * DAY)
    assert 5_000 < year.odometer - vehicle.observe(START).odometer < 120_000

"""The fleet as a whole: its vehicles, activity at every hour, and repeatability."""

import subprocess
import sys
import time
from collections import Counter

import pytest

from simulator.vehicles import CATALOGUE, MAKES, MODELS, Fleet
from tests.simulator.vehicles.fleets import DAY, HOUR, START, simulation, times


def test_all_93_signals_occur_in_a_fleet_of_40_vehicles() -> None:
    for seed in range(1, 9):
        vehicles = simulation(seed=seed).vehicles.values()
        assert {code for code in CATALOGUE if any(vehicle.supports(code) for vehicle in vehicles)} == set(
            CATALOGUE
        )


def test_no_vehicle_supports_everything() -> None:
    for vehicle in simulation().vehicles.values():
        assert 0 < sum(vehicle.supports(code) for code in CATALOGUE) < 93


def test_all_powertrains_and_many_makes_drive_in_a_fleet_of_40_vehicles() -> None:
    fleet = simulation()
    assert {vehicle.powertrain for vehicle in fleet.vehicles.values()} == {"BEV", "PHEV", "ICE"}
    assert len({vehicle.make for vehicle in fleet.vehicles.values()}) >= 20


def test_every_model_belongs_to_a_known_make_and_has_what_its_powertrain_needs() -> None:
    for model in MODELS:
        assert model.make in MAKES
        assert model.electric == (model.powertrain != "ICE")
        assert model.combustion == (model.powertrain != "BEV")
        assert 2018 <= model.years[0] <= model.years[1] <= 2026


def test_an_account_holds_one_or_a_few_vehicles_of_one_make() -> None:
    fleet = simulation(vehicles=200)
    owner_counts = Counter(
        vehicle_id for account in fleet.accounts.values() for vehicle_id in account.vehicle_ids
    )
    assert set(owner_counts) == set(fleet.vehicles)
    assert set(owner_counts.values()) == {1}
    for email, account in fleet.accounts.items():
        vehicles = [fleet.vehicles[vehicle_id] for vehicle_id in account.vehicle_ids]
        assert 1 <= len(vehicles) <= 3
        assert {vehicle.make for vehicle in vehicles} == {account.make}
        assert all(
            vehicle.account == email and vehicle.user_ids == (account.user_id,) for vehicle in vehicles
        )
    assert any(len(account.vehicle_ids) > 1 for account in fleet.accounts.values())


def test_the_accounts_of_a_make_are_those_with_its_vehicles() -> None:
    fleet = simulation()
    assert {account.make for account in fleet.get_accounts("TESLA")} == {"TESLA"}
    assert fleet.get_accounts("TRABANT") == ()


def test_the_same_seed_gives_the_same_vehicles_whatever_their_number() -> None:
    few, many = list(simulation(vehicles=12).vehicles), list(simulation(vehicles=60).vehicles)
    assert many[:12] == few
    assert not set(few) & set(simulation(vehicles=12, seed=2).vehicles)


def test_the_same_seed_start_and_moment_give_the_same_results() -> None:
    one, other = simulation(vehicles=24), simulation(vehicles=24)
    other.advance(now=START + 3 * DAY)  # How a moment is reached must not matter.
    for vehicle_id, vehicle in one.vehicles.items():
        now = START + 9 * DAY + 5 * HOUR
        assert vehicle.signals(now=now) == other.vehicles[vehicle_id].signals(now=now)
        assert vehicle.state(now=now) == other.vehicles[vehicle_id].state(now=now)


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_some_of_12_vehicles_are_driving_or_charging_at_every_hour(seed: int) -> None:
    vehicles = list(simulation(vehicles=12, seed=seed).vehicles.values())
    active = []
    for now in times(START, days=7, step=HOUR):
        states = [vehicle.observe(now) for vehicle in vehicles]
        active.append(sum(state.driving or state.charging for state in states))
    assert min(active) >= 1
    assert sum(count >= 3 for count in active) >= 0.9 * len(active)
    assert sum(active) / len(active) >= 4


def test_a_good_part_of_the_fleet_drives_in_the_working_day() -> None:
    vehicles = list(simulation(vehicles=40).vehicles.values())
    noon = START + 20 * HOUR  # in San Francisco
    for day in range(5):
        assert sum(vehicle.observe(noon + day * DAY).driving for vehicle in vehicles) >= 10


def test_now_and_then_something_is_wrong() -> None:
    vehicles = list(simulation(vehicles=40).vehicles.values())
    states = [vehicle.observe(now) for vehicle in vehicles for now in times(START, days=7, step=2 * HOUR)]
    assert any(state.faults for state in states)
    assert any(min(state.tires) < 195.0 for state in states)
    assert any(not state.locked for state in states)
    assert any(state.asleep for state in states)


def test_an_empty_fleet_is_possible() -> None:
    fleet = simulation(vehicles=0)
    assert fleet.advance(now=START + DAY) == []


def test_60_days_pass_quickly() -> None:
    fleet = simulation(vehicles=40)
    fleet.advance(now=START)
    begun = time.process_time()
    changes = fleet.advance(now=START + 60 * DAY)
    assert time.process_time() - begun < 1.0
    assert len(changes) == 40


_MANY = """
import resource, time
from simulator.vehicles import Fleet
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
fleet = Fleet(seed=1, vehicles=2_000, start=1_782_864_000.0)
fleet.advance(now=1_782_864_001.0)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_ten_thousand_vehicles_fit_into_200_mb() -> None:
    command = [sys.executable, "-c", _MANY]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert int(done.stdout) * 5 < 180 * 1024  # Two thousand vehicles, in KB.


def test_a_step_in_which_little_changes_costs_ten_thousand_vehicles_less_than_a_tenth_of_a_second() -> None:
    fleet = Fleet(seed=1, vehicles=2_000, start=START)
    fleet.advance(now=START + 1)
    begun = time.process_time()
    for second in range(2, 12):
        fleet.advance(now=START + second)
    assert (time.process_time() - begun) / 10 * 5 < 0.1

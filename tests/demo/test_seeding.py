"""The demo's past: parsed like today's data, in agreement with readings, and private where it must be."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import orjson
import pytest

from commands.models import CommandState
from commands.types import CHARGING, CommandType
from demo.seeding import derivation
from demo.seeding.derivation import LowPeriod, PastCommand
from demo.seeding.history import readings
from demo.seeding.people import driver_name
from demo.seeding.plans import BAY_COURIERS, HARBOR_RENTALS, ISAR_KURIERE, FleetPlan
from vehicles.readings import NewReading
from vehicles.zones import known_zone

NOW = datetime(2026, 11, 30, 20, 0, tzinfo=UTC)
START = NOW - timedelta(days=60)
PLANS = (BAY_COURIERS, ISAR_KURIERE, HARBOR_RENTALS)


class Rules:
    """Hides the location of vehicle 2 before noon."""

    def is_hidden(self, vehicle_id: int, *, at: datetime) -> bool:
        return vehicle_id == 2 and at.hour < 12


def entry(code: str, body: dict[str, Any], at: datetime) -> dict[str, Any]:
    millis = round(at.timestamp() * 1000)
    return {"code": code, "body": body, "meta": {"oemUpdatedAt": millis, "retrievedAt": millis}}


def read(
    *entries: dict[str, Any],
    vehicle_id: int = 1,
    permissions: Collection[str] = ("read_odometer", "read_location"),
) -> list[NewReading]:
    line = orjson.dumps({"signals": list(entries)}).decode()
    return list(readings([line], vehicle_id=vehicle_id, permissions=permissions, rules=Rules(), now=NOW))


class TestReadings:
    AT = NOW - timedelta(hours=10)
    ODOMETER = entry("odometer-traveleddistance", {"value": 100, "unit": "miles"}, AT)
    LOCATION = entry("location-preciselocation", {"latitude": 37.7, "longitude": -122.4}, AT)

    def test_values_are_normalized_like_those_of_a_delivery(self) -> None:
        (found,) = read(self.ODOMETER)
        assert (found.code, found.observed_at) == ("odometer-traveleddistance", self.AT)
        assert found.body["value"] == pytest.approx(160.9, abs=0.05)

    def test_a_reading_from_the_future_is_left_out(self) -> None:
        assert (
            read(entry("odometer-traveleddistance", {"value": 1, "unit": "km"}, NOW + timedelta(days=1)))
            == []
        )

    def test_a_signal_without_the_drivers_permission_is_left_out(self) -> None:
        assert read(self.ODOMETER, permissions=["read_location"]) == []

    def test_a_hidden_location_is_left_out_and_other_values_stay(self) -> None:
        assert [each.code for each in read(self.ODOMETER, self.LOCATION, vehicle_id=2)] == [
            self.ODOMETER["code"]
        ]
        assert len(read(self.ODOMETER, self.LOCATION, vehicle_id=1)) == 2


def at(hour: float) -> datetime:
    return START + timedelta(hours=hour)


class TestLowPeriods:
    def test_a_period_ends_well_above_the_threshold(self) -> None:
        levels = [(at(0), 40.0), (at(1), 18.5), (at(2), 21.0), (at(3), 24.9), (at(4), 25.0), (at(5), 80.0)]
        assert list(derivation.low_periods(levels, threshold=20)) == [LowPeriod(at(1), at(4), 18.5)]

    def test_the_last_one_goes_on(self) -> None:
        assert list(derivation.low_periods([(at(0), 12.0)], threshold=20)) == [LowPeriod(at(0), None, 12.0)]


def commands(seed: str = "a") -> list[PastCommand]:
    locks = [(at(5 * n), n % 2 == 0) for n in range(40)]
    charging = [(at(24 * n + 3), n % 2 == 0) for n in range(20)]
    confirmed = derivation.confirmed_commands(
        Random(seed), vehicle_id=1, locks=locks, charging=charging, limit=80
    )
    others = derivation.other_commands(
        Random(seed), vehicle_ids=[1, 2], electric_ids=[2], start=START, now=NOW, person="Morgan Reyes"
    )
    return [*confirmed, *others]


class TestCommands:
    def test_each_change_of_state_follows_the_one_before_and_none_is_in_the_future(self) -> None:
        for command in commands():
            times = [time for _, time in command.changes]
            assert times == sorted(times)
            assert START - timedelta(hours=1) < times[0] < times[-1] < NOW

    def test_a_confirmed_command_comes_right_before_the_change_that_confirms_it(self) -> None:
        locks = {at(5 * n): n % 2 == 0 for n in range(40)}
        found = [each for each in commands() if each.kind in (CommandType.LOCK, CommandType.UNLOCK)]
        confirmed = [each for each in found if each.state is CommandState.CONFIRMED]
        assert confirmed
        for command in confirmed:
            assert locks[command.changes[-1][1]] is (command.kind is CommandType.LOCK)

    def test_every_important_ending_occurs(self) -> None:
        assert {each.state for each in commands()} >= {
            CommandState.CONFIRMED,
            CommandState.REFUSED,
            CommandState.EXPIRED,
            CommandState.CANCELLED,
            CommandState.UNCONFIRMED,
            CommandState.FAILED,
        }

    def test_only_electric_vehicles_are_told_to_charge(self) -> None:
        others = [each for each in commands() if each.state is CommandState.REFUSED and each.kind in CHARGING]
        assert {each.vehicle_id for each in others} == {2}

    def test_the_same_seed_gives_the_same_commands(self) -> None:
        assert commands("x") == commands("x") != commands("y")

    def test_the_first_value_is_no_change(self) -> None:
        assert list(derivation.changes([(at(0), True), (at(1), True), (at(2), False)])) == [(at(2), False)]


def test_the_first_drivers_have_their_own_names_and_further_ones_mixed_ones() -> None:
    names = BAY_COURIERS.drivers
    mixed = [driver_name(names, number) for number in range(len(names) ** 2)]
    assert mixed[: len(names)] == list(names)
    assert len(set(mixed)) == len(mixed)


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.slug)
def test_a_plan_is_complete(plan: FleetPlan) -> None:
    assert known_zone(plan.time_zone) == plan.time_zone
    for names in (plan.drivers, [place.name for place in plan.places], [name for name, _ in plan.views]):
        assert len(set(names)) == len(names)
    addresses = [person.email for person in plan.members] + [email for _, email in plan.invited_drivers]
    assert all(address.endswith(".example") for address in addresses)
    latitudes = (48.05, 48.25) if plan.city == "Munich" else (37.70, 37.81)
    assert all(latitudes[0] < place.latitude < latitudes[1] for place in plan.places)

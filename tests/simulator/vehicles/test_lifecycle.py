"""Whatever changes a vehicle and however time passes, its physics hold, and a snapshot preserves its state."""

import json
from contextlib import suppress

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from simulator.vehicles import COMMANDS, CommandRejected, Fleet
from tests.simulator.vehicles.fleets import DAY, HOUR, START, simulation

WINDOW = {"startTime": "23:00", "stopTime": "05:30"}
PARAMETERS: dict[str, dict[str, object]] = {
    "set_charge_limit": {"percent": 70},
    "set_destination": {"latitude": 37.77, "longitude": -122.42},
    "set_daily_schedule": {"start_time": "01:00", "stop_time": "04:00"},
    "set_weekly_schedule": {"days": {"friday": WINDOW}},
    "set_workweek_schedule": {"weekends": WINDOW},
    "delete_schedule": {"schedule_id": "none"},
}
PATCHES = st.fixed_dictionaries(
    {},
    optional={
        "is_locked": st.booleans(),
        "state_of_charge": st.floats(0, 100),
        "fuel_level": st.floats(0, 100),
        "charge_limit": st.integers(50, 100),
        "plugged_in": st.booleans(),
        "charging": st.booleans(),
        "asleep": st.booleans(),
        "reachable": st.booleans(),
        "in_service": st.booleans(),
        "climate_on": st.booleans(),
        "speed": st.floats(0, 120),
        "doors": st.just([[0, 0]]),
        "rear_trunk_open": st.booleans(),
        "warning_lights": st.just(["ABS"]),
        "tyre_pressures": st.just([200, 210, 220, 230]),
    },
)


class VehicleLifecycle(RuleBasedStateMachine):
    @initialize(index=st.integers(0, 39), hour=st.floats(0, 168))
    def begin(self, index: int, hour: float) -> None:
        self.fleet: Fleet = simulation()
        self.vehicle = list(self.fleet.vehicles.values())[index]
        self.now = START + hour * HOUR
        self.odometer = 0.0
        self.last_report = 0.0
        self.fleet.advance(now=self.now)

    @rule(hours=st.one_of(st.floats(0, 2), st.floats(2, 60)))
    def time_passes(self, hours: float) -> None:
        self.now += hours * HOUR
        self.fleet.advance(now=self.now)

    @rule()
    def a_month_passes(self) -> None:
        self.now += 30 * DAY

    @rule(patch=PATCHES)
    def the_state_is_patched(self, patch: dict[str, object]) -> None:
        with suppress(ValueError):
            self.vehicle.patch(now=self.now, **patch)

    @rule(kilometers=st.floats(0, 1000))
    def the_odometer_is_set(self, kilometers: float) -> None:
        self.vehicle.patch(now=self.now, odometer=self.vehicle.observe(self.now).odometer + kilometers)

    @rule(latitude=st.floats(37.72, 37.79), longitude=st.floats(-122.47, -122.41))
    def the_vehicle_is_moved(self, latitude: float, longitude: float) -> None:
        self.vehicle.patch(now=self.now, latitude=latitude, longitude=longitude)

    @rule(name=st.sampled_from(sorted(COMMANDS)))
    def a_command_is_sent(self, name: str) -> None:
        parameters = dict(PARAMETERS.get(name, {}))
        if name.endswith("_schedule") and name != "delete_schedule":
            parameters["latitude"], parameters["longitude"] = (
                self.vehicle.lifecycle.weekly_schedule.base.point
            )
        with suppress(CommandRejected):
            self.vehicle.command(name, now=self.now, **parameters)

    @rule(parked=st.booleans())
    def the_day_is_held(self, parked: bool) -> None:
        self.vehicle.hold(now=self.now, parked=parked)

    @rule()
    def the_day_is_released(self) -> None:
        self.vehicle.release(now=self.now)

    @rule()
    def the_simulator_is_restarted(self) -> None:
        snapshot = json.loads(json.dumps(self.fleet.snapshot()))
        before = self.vehicle.signals(now=self.now)
        self.fleet = simulation()
        self.fleet.restore(snapshot)
        self.vehicle = self.fleet.vehicles[self.vehicle.id]
        assert self.vehicle.signals(now=self.now) == before
        assert json.loads(json.dumps(self.fleet.snapshot())) == snapshot

    @invariant()
    def levels_are_possible(self) -> None:
        if hasattr(self, "vehicle"):
            state = self.vehicle.observe(self.now)
            assert -1e-6 <= state.soc <= 100.0 + 1e-6
            assert -1e-6 <= state.fuel <= 100.0 + 1e-6
            assert not (state.charging and not state.plugged)

    @invariant()
    def the_odometer_never_falls(self) -> None:
        if hasattr(self, "vehicle"):
            odometer = self.vehicle.observe(self.now).odometer
            assert odometer >= self.odometer - 1e-6
            self.odometer = odometer

    @invariant()
    def reports_go_forward(self) -> None:
        if hasattr(self, "vehicle"):
            at = self.vehicle.last_report(self.now)
            assert self.last_report <= at <= self.now
            self.last_report = at
            assert self.vehicle.next_report(self.now) > self.now


def test_a_snapshot_of_an_unchanged_fleet_is_empty() -> None:
    fleet = simulation()
    fleet.advance(now=START + DAY)
    assert fleet.snapshot() == {"now": START + DAY, "cars": {}}


def test_a_snapshot_omits_overrides_without_effect() -> None:
    fleet = simulation()
    vehicle = next(iter(fleet.vehicles.values()))
    vehicle.patch(now=START, is_locked=False)
    fleet.advance(now=START + 10 * DAY)
    assert fleet.snapshot()["cars"] == {}


def test_a_snapshot_of_another_fleet_is_rejected() -> None:
    fleet, other = simulation(), simulation(seed=2)
    vehicle = next(iter(other.vehicles.values()))
    vehicle.patch(now=START, is_locked=False)
    with pytest.raises(KeyError):
        fleet.restore(other.snapshot())


VehicleLifecycle.TestCase.settings = settings(max_examples=60, stateful_step_count=12, deadline=None)
TestVehicleLifecycle = VehicleLifecycle.TestCase

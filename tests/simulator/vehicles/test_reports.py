"""When vehicles report: the interval of their make, and sleep."""

import itertools

import pytest

from simulator.vehicles import Vehicle
from tests.simulator.vehicles.fleets import (
    DAY,
    HOUR,
    MINUTE,
    START,
    find_moment,
    select_vehicles,
    simulation,
    times,
)

FLEET = simulation()


def reports(vehicle: Vehicle, *, days: float = 2, step: float = MINUTE, start: float = START) -> list[float]:
    return [vehicle.last_report(now) for now in times(start, days=days, step=step)]


@pytest.mark.parametrize("make", ["TESLA", "CHEVROLET", "KIA", "VOLVO", "ACURA", "HYUNDAI", "FORD", "TOYOTA"])
def test_reports_only_go_forward_and_are_never_in_the_future(make: str) -> None:
    for vehicle in select_vehicles(FLEET, make=make):
        last = 0.0
        for now in times(START, days=2, step=5 * MINUTE):
            at = vehicle.last_report(now)
            assert last <= at <= now
            last = at


@pytest.mark.parametrize("make", ["TESLA", "CHEVROLET", "KIA", "VOLVO", "ACURA", "FORD"])
def test_nothing_is_reported_before_the_next_report(make: str) -> None:
    vehicle = select_vehicles(FLEET, make=make)[0]
    for now in times(START, days=2, step=7 * MINUTE):
        upcoming = vehicle.next_report(now)
        assert upcoming > now
        assert vehicle.last_report(max(now, upcoming - 0.02)) == vehicle.last_report(now)


def test_signals_carry_the_time_of_the_report() -> None:
    vehicle = select_vehicles(FLEET, make="FORD")[0]
    now = START + 9 * HOUR
    assert vehicle.signal("odometer-traveleddistance", now=now).oem_updated_at == vehicle.last_report(now)


def test_between_two_reports_nothing_new_is_known() -> None:
    vehicle = select_vehicles(FLEET, make="TOYOTA", powertrain="ICE")[0]
    now = find_moment(vehicle, lambda state: state.driving)
    first = vehicle.last_report(now)
    later = vehicle.next_report(now) - 1.0
    assert vehicle.signals(now=now) == vehicle.signals(now=later)
    assert vehicle.last_report(later) == first


@pytest.mark.parametrize(("make", "most"), [("TESLA", 60), ("POLESTAR", 120), ("FORD", 420), ("HONDA", 1200)])
def test_a_driving_vehicle_reports_at_least_at_its_makes_interval(make: str, most: float) -> None:
    vehicle = select_vehicles(FLEET, make=make)[0]
    ages = []
    for now in times(START, days=2, step=MINUTE):
        trip_status = vehicle.lifecycle.daily_plan(now).trip_status(now)
        if trip_status.driving and now - trip_status.since >= most:
            ages.append(now - vehicle.last_report(now))
    assert ages
    assert max(ages) <= most


def test_polled_makes_report_at_their_interval_only() -> None:
    vehicle = select_vehicles(FLEET, make="CHEVROLET")[0]
    awake = [now for now in times(START, days=2, step=MINUTE) if vehicle.observe(now).driving]
    found = sorted({vehicle.last_report(now) for now in awake})
    gaps = {round(later - earlier) for earlier, later in itertools.pairwise(found)}
    assert all(gap % 2100 == 0 for gap in gaps if gap < 6 * HOUR)


def test_older_kias_report_on_events_only() -> None:
    vehicle = next(
        vehicle
        for vehicle in select_vehicles(simulation(seed=2), make="KIA", model="Niro PHEV")
        if vehicle.year < 2025
    )
    for now in times(START, days=2, step=MINUTE):
        at = vehicle.last_report(now)
        trip_status = vehicle.lifecycle.daily_plan(at).trip_status(at)
        assert not trip_status.driving
        assert (
            at >= trip_status.since + 300 - 0.01
            or vehicle.observe(at).plugged
            or at == vehicle.lifecycle.daily_plan(at).start
        )


def test_an_acura_sends_no_data_while_it_runs() -> None:
    vehicle = select_vehicles(FLEET, make="ACURA")[0]
    for now in times(START, days=2, step=5 * MINUTE):
        assert not vehicle.reported(now=now).driving


def test_a_vehicle_falls_asleep_some_time_after_it_has_parked_and_stops_reporting() -> None:
    vehicle = select_vehicles(FLEET, make="TESLA", model="Model S")[0]
    now = find_moment(vehicle, lambda state: state.asleep, step=300)
    asleep = vehicle.signal("connectivitystatus-isasleep", now=now).body
    assert asleep == {"value": True}
    wakes = vehicle.next_report(now)
    assert wakes > now
    assert vehicle.last_report(wakes - 1.0) == vehicle.last_report(now)
    assert now - vehicle.last_report(now) < 12 * HOUR


def test_gm_vehicles_unused_for_days_reject_commands() -> None:
    pool = next(
        vehicle
        for vehicle in simulation(vehicles=120).vehicles.values()
        if vehicle.identity.index % 24 == 18 and vehicle.rules.deep_sleep_after
    )
    now = find_moment(pool, lambda state: state.deep, days=8, step=HOUR)
    signal = pool.signal("odometer-traveleddistance", now=now)
    assert signal.error == ("VEHICLE_STATE", "ASLEEP")
    assert signal.body is not None
    trips = [at for at in times(now, days=7, step=10 * MINUTE) if pool.observe(at).driving]
    assert not pool.observe(trips[0]).deep
    assert trips[0] - now < 6 * DAY


def test_locking_and_unlocking_around_a_stop_is_reported() -> None:
    vehicle = select_vehicles(FLEET, make="FORD")[0]
    signals = [vehicle.signal("closure-islocked", now=now) for now in times(START, days=1, step=10)]
    values = {(signal.body or {})["value"] for signal in signals}
    assert values == {True, False}

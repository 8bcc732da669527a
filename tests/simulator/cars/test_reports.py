"""When cars report: the rhythm of their make, and sleep."""

import itertools

import pytest

from simulator.cars import Car
from tests.simulator.cars.worlds import DAY, HOUR, MINUTE, START, cars_of, moment, times, world

GARAGE = world()


def reports(car: Car, *, days: float = 2, step: float = MINUTE, start: float = START) -> list[float]:
    return [car.last_report(now) for now in times(start, days=days, step=step)]


@pytest.mark.parametrize("make", ["TESLA", "CHEVROLET", "KIA", "VOLVO", "ACURA", "HYUNDAI", "FORD", "TOYOTA"])
def test_reports_only_go_forward_and_never_lie_ahead(make: str) -> None:
    for car in cars_of(GARAGE, make=make):
        last = 0.0
        for now in times(START, days=2, step=5 * MINUTE):
            at = car.last_report(now)
            assert last <= at <= now
            last = at


@pytest.mark.parametrize("make", ["TESLA", "CHEVROLET", "KIA", "VOLVO", "ACURA", "FORD"])
def test_nothing_is_reported_before_the_next_report(make: str) -> None:
    car = cars_of(GARAGE, make=make)[0]
    for now in times(START, days=2, step=7 * MINUTE):
        upcoming = car.next_report(now)
        assert upcoming > now
        assert car.last_report(max(now, upcoming - 0.02)) == car.last_report(now)


def test_signals_carry_the_time_of_the_report() -> None:
    car = cars_of(GARAGE, make="FORD")[0]
    now = START + 9 * HOUR
    assert car.signal("odometer-traveleddistance", now=now).oem_updated_at == car.last_report(now)


def test_between_two_reports_nothing_new_is_known() -> None:
    car = cars_of(GARAGE, make="TOYOTA", powertrain="ICE")[0]
    now = moment(car, lambda state: state.driving)
    first = car.last_report(now)
    later = car.next_report(now) - 1.0
    assert car.signals(now=now) == car.signals(now=later)
    assert car.last_report(later) == first


@pytest.mark.parametrize(("make", "most"), [("TESLA", 60), ("POLESTAR", 120), ("FORD", 420), ("HONDA", 1200)])
def test_a_driving_car_reports_at_least_in_its_makes_rhythm(make: str, most: float) -> None:
    car = cars_of(GARAGE, make=make)[0]
    ages = []
    for now in times(START, days=2, step=MINUTE):
        spot = car.life.day(now).spot(now)
        if spot.driving and now - spot.since >= most:
            ages.append(now - car.last_report(now))
    assert ages
    assert max(ages) <= most


def test_makes_that_are_asked_report_in_their_rhythm_only() -> None:
    car = cars_of(GARAGE, make="CHEVROLET")[0]
    awake = [now for now in times(START, days=2, step=MINUTE) if car.observe(now).driving]
    found = sorted({car.last_report(now) for now in awake})
    gaps = {round(later - earlier) for earlier, later in itertools.pairwise(found)}
    assert all(gap % 2100 == 0 for gap in gaps if gap < 6 * HOUR)


def test_older_kias_report_on_events_only() -> None:
    car = next(car for car in cars_of(world(seed=2), make="KIA", model="Niro PHEV") if car.year < 2025)
    for now in times(START, days=2, step=MINUTE):
        at = car.last_report(now)
        spot = car.life.day(at).spot(at)
        assert not spot.driving
        assert at >= spot.since + 300 - 0.01 or car.observe(at).plugged or at == car.life.day(at).start


def test_an_acura_gives_no_data_while_it_runs() -> None:
    car = cars_of(GARAGE, make="ACURA")[0]
    for now in times(START, days=2, step=5 * MINUTE):
        assert not car.reported(now=now).driving


def test_a_car_falls_asleep_some_time_after_it_has_parked_and_stops_reporting() -> None:
    car = cars_of(GARAGE, make="TESLA", model="Model S")[0]
    now = moment(car, lambda state: state.asleep, step=300)
    asleep = car.signal("connectivitystatus-isasleep", now=now).body
    assert asleep == {"value": True}
    wakes = car.next_report(now)
    assert wakes > now
    assert car.last_report(wakes - 1.0) == car.last_report(now)
    assert now - car.last_report(now) < 12 * HOUR


def test_gm_cars_unused_for_days_take_no_call() -> None:
    pool = next(
        car
        for car in world(vehicles=120).cars.values()
        if car.facts.index % 24 == 18 and car.rules.deep_sleep_after
    )
    now = moment(pool, lambda state: state.deep, days=8, step=HOUR)
    signal = pool.signal("odometer-traveleddistance", now=now)
    assert signal.error == ("VEHICLE_STATE", "ASLEEP")
    assert signal.body is not None
    trips = [at for at in times(now, days=7, step=10 * MINUTE) if pool.observe(at).driving]
    assert not pool.observe(trips[0]).deep
    assert trips[0] - now < 6 * DAY


def test_locking_and_unlocking_around_a_stop_is_reported() -> None:
    car = cars_of(GARAGE, make="FORD")[0]
    seen = {car.signal("closure-islocked", now=now).body["value"] for now in times(START, days=1, step=10)}  # type: ignore[index]
    assert seen == {True, False}

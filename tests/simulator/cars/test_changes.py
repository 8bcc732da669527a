"""What the world tells about itself as time goes on."""

from simulator.cars import CATALOGUE, Car, Garage
from simulator.cars.observing import observe
from tests.simulator.cars.worlds import DAY, HOUR, MINUTE, START, cars_of, resting, world


def everything(car: Car, now: float) -> dict[str, object]:
    return {signal.code: (signal.body, signal.error) for signal in car.signals(now=now)}


def differing(before: dict[str, object], after: dict[str, object]) -> set[str]:
    return {code for code in CATALOGUE if before[code] != after[code]}


def test_a_change_names_exactly_the_signals_whose_value_differs() -> None:
    garage = world(vehicles=40)
    before = {car.id: everything(car, START) for car in garage.cars.values()}
    garage.advance(now=START)
    for step in range(1, 25):
        now = START + step * 37 * MINUTE
        told = {change.car_id: set(change.codes) for change in garage.advance(now=now)}
        for car in garage.cars.values():
            after = everything(car, now)
            assert told.get(car.id, set()) == differing(before[car.id], after), (car.make, car.model)
            before[car.id] = after


def test_a_change_carries_the_time_of_the_report() -> None:
    garage = world(vehicles=20)
    for change in garage.advance(now=START + HOUR):
        assert change.at == garage.cars[change.car_id].last_report(START + HOUR)
        assert START < change.at <= START + HOUR


def test_nothing_changes_while_no_time_passes() -> None:
    garage = world(vehicles=20)
    garage.advance(now=START + HOUR)
    assert garage.advance(now=START + HOUR) == []


def test_time_that_runs_backwards_changes_nothing() -> None:
    garage = world(vehicles=20)
    garage.advance(now=START + HOUR)
    assert garage.advance(now=START) == []


def test_what_a_command_or_a_patch_did_is_not_told_twice() -> None:
    garage = world()
    car = cars_of(garage, make="TOYOTA", powertrain="ICE")[0]
    now = resting(car)
    garage.advance(now=now)
    car.command("unlock", now=now + 1)
    codes = car.patch(now=now + 2, odometer=car.observe(now + 2).odometer + 0.5)
    assert codes == ("odometer-traveleddistance",)
    assert not [change for change in garage.advance(now=now + 3) if change.car_id == car.id]


def test_what_happens_after_a_command_is_told() -> None:
    garage = world()
    car = cars_of(garage, make="FORD", model="E-Transit")[0]
    now = resting(car)
    garage.advance(now=now)
    car.command("unlock", now=now + 1)
    leaves = car.life.next_change(now)
    (change,) = [change for change in garage.advance(now=leaves + 1) if change.car_id == car.id]
    assert "closure-islocked" in change.codes


def test_a_car_that_starts_to_charge_by_command_reports_while_it_charges() -> None:
    garage = world()
    car = cars_of(garage, make="TESLA", model="Model S")[0]
    now = resting(car, least=3 * HOUR)
    car.patch(now=now, state_of_charge=40, plugged_in=True)
    garage.advance(now=now)
    found = [
        change
        for step in range(1, 6)
        for change in garage.advance(now=now + step * 10 * MINUTE)
        if change.car_id == car.id
    ]
    assert len(found) == 5
    assert all("tractionbattery-stateofcharge" in change.codes for change in found)


def test_small_steps_and_a_large_one_lead_to_the_same_world() -> None:
    slow, fast = world(vehicles=12), world(vehicles=12)
    for step in range(1, 97):
        slow.advance(now=START + step * DAY / 96)
    fast.advance(now=START + DAY)
    for car_id, car in slow.cars.items():
        assert car.signals(now=START + DAY) == fast.cars[car_id].signals(now=START + DAY)


def test_the_reported_state_is_what_the_car_was_like_at_its_report() -> None:
    garage: Garage = world(vehicles=12)
    for car in garage.cars.values():
        now = START + 15 * HOUR
        assert car.reported(now=now) == observe(car.life, car.last_report(now))

"""Worlds of cars for the tests, and how to find a car in the situation that a test needs."""

from collections.abc import Callable, Iterator

from simulator.cars import Car, Garage
from simulator.cars.observing import State

START = 1_782_864_000.0  # Wednesday 1 July 2026, 00:00 UTC
MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0


def world(*, vehicles: int = 40, seed: int = 1, start: float = START) -> Garage:
    return Garage(seed=seed, vehicles=vehicles, start=start)


def cars_of(garage: Garage, **facts: object) -> list[Car]:
    """The cars with these facts, for example ``make="TESLA"``."""
    return [
        car
        for car in garage.cars.values()
        if all(getattr(car, name) == value for name, value in facts.items())
    ]


def times(start: float, *, days: float, step: float) -> Iterator[float]:
    for number in range(int(days * DAY / step)):
        yield start + number * step


def moment(
    car: Car, wanted: Callable[[State], bool], *, start: float = START, days: float = 7, step: float = 60
) -> float:
    """The first moment at which the car is as wanted."""
    for now in times(start, days=days, step=step):
        if wanted(car.observe(now)):
            return now
    raise AssertionError(f"{car.make} {car.model} is never like that")


def resting(car: Car, *, start: float = START, least: float = HOUR) -> float:
    """A moment at which the car stands locked and does not charge, at least so long before it leaves."""
    for now in times(start, days=8, step=300):
        state = car.observe(now)
        if state.driving or not state.locked or state.doors or state.trunk or state.charging:
            continue
        if car.life.next_change(now) - now >= least:
            return now
    raise AssertionError(f"{car.make} {car.model} never rests")

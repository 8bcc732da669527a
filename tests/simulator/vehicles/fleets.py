"""Fleets for the tests, and how to find a vehicle in the situation that a test needs."""

from collections.abc import Callable, Iterator

from simulator.vehicles import Fleet, Vehicle
from simulator.vehicles.state_snapshot import StateSnapshot

START = 1_782_864_000.0  # Wednesday, July 1, 2026, 00:00 UTC
MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0


def simulation(*, vehicles: int = 40, seed: int = 1, start: float = START) -> Fleet:
    return Fleet(seed=seed, vehicles=vehicles, start=start)


def select_vehicles(fleet: Fleet, **identity: object) -> list[Vehicle]:
    """Return the vehicles with these facts, for example ``make="TESLA"``."""
    return [
        vehicle
        for vehicle in fleet.vehicles.values()
        if all(getattr(vehicle, name) == value for name, value in identity.items())
    ]


def times(start: float, *, days: float, step: float) -> Iterator[float]:
    for number in range(int(days * DAY / step)):
        yield start + number * step


def find_moment(
    vehicle: Vehicle,
    matches: Callable[[StateSnapshot], bool],
    *,
    start: float = START,
    days: float = 7,
    step: float = 60,
) -> float:
    """Return the first moment at which the vehicle's state matches."""
    for now in times(start, days=days, step=step):
        if matches(vehicle.observe(now)):
            return now
    raise AssertionError(f"{vehicle.make} {vehicle.model} is never like that")


def find_idle_moment(vehicle: Vehicle, *, start: float = START, minimum: float = HOUR) -> float:
    """Return a moment at which the vehicle is locked and doesn't charge, at least so long before its departure."""
    for now in times(start, days=8, step=300):
        state = vehicle.observe(now)
        if state.driving or not state.locked or state.doors or state.trunk or state.charging:
            continue
        if vehicle.lifecycle.next_change(now) - now >= minimum:
            return now
    raise AssertionError(f"{vehicle.make} {vehicle.model} never rests")

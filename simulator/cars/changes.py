"""Which signals changed between two reports of a car."""

from simulator.cars.car import Car
from simulator.cars.patches import changed_codes


def changes(car: Car, *, then: float, now: float) -> tuple[tuple[str, ...], float]:
    """Codes of the signals whose reported value differs between two moments, and when the last report was."""
    before = car.reported(now=then)
    after = car.reported(now=now)
    if before.at == after.at:
        return (), after.at
    return changed_codes(car, before, after), after.at

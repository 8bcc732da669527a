"""Which signals of a car changed between two of its reports."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

from simulator.cars.bodies import body_of
from simulator.cars.capabilities import supported
from simulator.cars.catalogue import CATALOGUE, SignalCode
from simulator.cars.history import SERVICE_EVERY
from simulator.cars.models import Model

if TYPE_CHECKING:
    from simulator.cars.car import Car
    from simulator.cars.observing import State

_FIXED: Final = frozenset(
    {
        "charge-amperagemax",
        "connectivitysoftware-currentfirmwareversion",
        "hvac-cabintargettemperature",
        "surveillance-brand",
        "transmission-drivemode",
        "wheel-style",
    }
)
_FIXED_GROUPS: Final = frozenset({"VehicleIdentification", "VehicleUserAccount"})


@cache
def _watched(model: Model, year: int) -> tuple[tuple[SignalCode, ...], tuple[SignalCode, ...]]:
    """Signals of a model that can change: those of the car's health, and all others."""
    entries = [
        entry
        for code, entry in CATALOGUE.items()
        if code in supported(model, year) and code not in _FIXED and entry.group not in _FIXED_GROUPS
    ]
    health = tuple(entry for entry in entries if entry.group in {"Diagnostics", "Wheel"})
    return health, tuple(entry for entry in entries if entry not in health)


def changed_codes(car: Car, before: State, after: State) -> tuple[str, ...]:
    """Codes of the supported signals whose body or error differs between two reports, sorted."""
    if before.deep != after.deep and car.rules.deep_sleep_after:
        return tuple(sorted(supported(car.facts.model, car.year)))  # the error beside each body comes or goes
    health, others = _watched(car.facts.model, car.year)
    if (before.faults, before.tyres) == (after.faults, after.tyres):
        health = ()
    entries = (*health, *others)
    return tuple(sorted(entry.code for entry in entries if _differs(car, entry, before, after)))


def _differs(car: Car, entry: SignalCode, before: State, after: State) -> bool:
    if entry.code == "charge-chargerecords" and not _other_sessions(car, before, after):
        return False
    if entry.code == "service-records":
        return before.odometer // SERVICE_EVERY != after.odometer // SERVICE_EVERY
    return body_of(car, entry, before) != body_of(car, entry, after)


def _other_sessions(car: Car, before: State, after: State) -> bool:
    """Whether the list of charging sessions can have changed; writing it out takes long."""
    days = {car.life.routine.day_of(state.at) for state in (before, after)}
    return before.session != after.session or len(days) > 1

"""Which signals of a vehicle changed between two of its reports."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

from simulator.vehicles.capabilities import supported
from simulator.vehicles.catalogue import CATALOGUE, SignalCode
from simulator.vehicles.history import SERVICE_EVERY
from simulator.vehicles.models import Model
from simulator.vehicles.signal_bodies import build_body

if TYPE_CHECKING:
    from simulator.vehicles.state_snapshot import StateSnapshot
    from simulator.vehicles.vehicle import Vehicle

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
    """Return the signals of a model that can change: those of the vehicle's health, and all others."""
    entries = [
        entry
        for code, entry in CATALOGUE.items()
        if code in supported(model, year) and code not in _FIXED and entry.group not in _FIXED_GROUPS
    ]
    health = tuple(entry for entry in entries if entry.group in {"Diagnostics", "Wheel"})
    return health, tuple(entry for entry in entries if entry not in health)


def changed_codes(vehicle: Vehicle, before: StateSnapshot, after: StateSnapshot) -> tuple[str, ...]:
    """Return the codes of the supported signals whose body or error differs between two reports, sorted."""
    if before.deep != after.deep and vehicle.rules.deep_sleep_after:
        return tuple(
            sorted(supported(vehicle.identity.model, vehicle.year))
        )  # The error of each signal appears or disappears.
    health, others = _watched(vehicle.identity.model, vehicle.year)
    if (before.faults, before.faults_since, before.tires) == (after.faults, after.faults_since, after.tires):
        health = ()
    entries = (*health, *others)
    return tuple(sorted(entry.code for entry in entries if _differs(vehicle, entry, before, after)))


def _differs(vehicle: Vehicle, entry: SignalCode, before: StateSnapshot, after: StateSnapshot) -> bool:
    if entry.code == "charge-chargerecords" and not _other_sessions(vehicle, before, after):
        return False
    if entry.code == "service-records":
        return before.odometer // SERVICE_EVERY != after.odometer // SERVICE_EVERY
    return build_body(vehicle, entry, before) != build_body(vehicle, entry, after)


def _other_sessions(vehicle: Vehicle, before: StateSnapshot, after: StateSnapshot) -> bool:
    """Return whether the list of charging sessions can have changed, because building the list is slow."""
    days = {vehicle.lifecycle.weekly_schedule.day_number(state.at) for state in (before, after)}
    return before.session != after.session or len(days) > 1

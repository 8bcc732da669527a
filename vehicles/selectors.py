"""Queries for the vehicles of one fleet and their latest signals."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from accounts.models import Fleet
from vehicles.catalogue import Signal
from vehicles.current_state import is_current
from vehicles.models import LatestSignal, Vehicle


@dataclass(frozen=True, slots=True)
class VehicleState:
    """A vehicle with its latest signals by code. Values are in storage units (vehicles.catalogue)."""

    vehicle: Vehicle
    signals: Mapping[str, LatestSignal]

    def signal(self, signal: Signal) -> LatestSignal | None:
        """Returns the signal's latest row if it ever had a value."""
        row = self.signals.get(signal.code)
        return row if row is not None and row.body is not None else None

    def value(self, signal: Signal) -> Any:
        """Returns the last known plain value of a single-valued signal, or None if there was none."""
        row = self.signal(signal)
        return row.value if row else None

    def current_value(self, signal: Signal, *, now: datetime) -> Any:
        """Returns the plain value of a single-valued signal as of now, or None if it is unknown or too old."""
        row = self.signal(signal)
        return row.value if row is not None and is_current(row, now=now) else None


def list_vehicles(*, fleet: Fleet) -> QuerySet[Vehicle]:
    """Returns the fleet's vehicles by name."""
    return Vehicle.objects.filter(fleet=fleet).order_by("name", "make", "model", "id")


def get_vehicle(*, fleet: Fleet, smartcar_id: str) -> Vehicle | None:
    """Returns the fleet's vehicle with this Smartcar vehicle ID, or None."""
    return Vehicle.objects.filter(fleet=fleet, smartcar_id=smartcar_id).first()


def list_states(
    *, vehicles: Iterable[Vehicle], signals: Iterable[Signal] | None = None
) -> list[VehicleState]:
    """Returns the latest state of the vehicles with one query, limited to `signals` if given."""
    vehicles = list(vehicles)
    rows = LatestSignal.objects.filter(vehicle__in=vehicles)
    if signals is not None:
        rows = rows.filter(code__in=[signal.code for signal in signals])
    by_vehicle: dict[int, dict[str, LatestSignal]] = {vehicle.pk: {} for vehicle in vehicles}
    for row in rows:
        by_vehicle[row.vehicle_id][row.code] = row
    return [VehicleState(vehicle=vehicle, signals=by_vehicle[vehicle.pk]) for vehicle in vehicles]

"""Reading what is known of cars, always for one fleet."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from accounts.models import Fleet
from vehicles.catalogue import Signal
from vehicles.models import LatestSignal, Vehicle


@dataclass(frozen=True, slots=True)
class VehicleState:
    """A car with its latest signals by code. Values are in storage units (vehicles.catalogue)."""

    vehicle: Vehicle
    signals: Mapping[str, LatestSignal]

    def signal(self, signal: Signal) -> LatestSignal | None:
        """The signal's latest row if it ever had a value."""
        row = self.signals.get(signal.code)
        return row if row is not None and row.body is not None else None

    def value(self, signal: Signal) -> Any:
        """The plain value of a single-valued signal, or None when it is not known."""
        row = self.signal(signal)
        return row.value if row else None


def list_vehicles(*, fleet: Fleet) -> QuerySet[Vehicle]:
    """The fleet's cars, by name."""
    return Vehicle.objects.filter(fleet=fleet).order_by("name", "make", "model", "id")


def get_vehicle(*, fleet: Fleet, smartcar_id: str) -> Vehicle | None:
    """The fleet's car with this Smartcar vehicle id, or None."""
    return Vehicle.objects.filter(fleet=fleet, smartcar_id=smartcar_id).first()


def list_states(
    *, vehicles: Iterable[Vehicle], signals: Iterable[Signal] | None = None
) -> list[VehicleState]:
    """The latest state of the cars, in one query for all of them; only of `signals` where given."""
    vehicles = list(vehicles)
    rows = LatestSignal.objects.filter(vehicle__in=vehicles)
    if signals is not None:
        rows = rows.filter(code__in=[signal.code for signal in signals])
    by_vehicle: dict[int, dict[str, LatestSignal]] = {vehicle.pk: {} for vehicle in vehicles}
    for row in rows:
        by_vehicle[row.vehicle_id][row.code] = row
    return [VehicleState(vehicle=vehicle, signals=by_vehicle[vehicle.pk]) for vehicle in vehicles]

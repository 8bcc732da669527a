"""Queries for the vehicles of one fleet and their latest signals."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import Fleet
from vehicles.catalogue import Signal
from vehicles.current_state import is_current
from vehicles.location_privacy import LocationRules, reveals_location, rules_for, without_location
from vehicles.models import LatestSignal, Vehicle


@dataclass(frozen=True, slots=True)
class VehicleState:
    """A vehicle with its latest signals by code. Values are in storage units (vehicles.catalogue).

    While a driver hides the location (`location_hidden`), signals that are a location have no body; `hidden` contains
    their codes. Other bodies have no locations. Where only signals without any were requested, both are empty.
    """

    vehicle: Vehicle
    signals: Mapping[str, LatestSignal]
    location_hidden: bool = False
    hidden: frozenset[str] = frozenset()

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
    """Returns the latest state of the vehicles, limited to `signals` if given, without locations that drivers hide.

    One query, and two more if all signals are requested or some contain a location.
    """
    vehicles = list(vehicles)
    rows = LatestSignal.objects.filter(vehicle__in=vehicles)
    if signals is not None:
        rows = rows.filter(code__in=[signal.code for signal in signals])
    by_vehicle: dict[int, dict[str, LatestSignal]] = {vehicle.pk: {} for vehicle in vehicles}
    for row in rows:
        by_vehicle[row.vehicle_id][row.code] = row
    if signals is not None and not any(reveals_location(row.code, row.body) for row in rows):
        return [VehicleState(vehicle=vehicle, signals=by_vehicle[vehicle.pk]) for vehicle in vehicles]
    rules = rules_for(vehicle_ids=by_vehicle, now=timezone.now())
    return [_visible_state(vehicle, by_vehicle[vehicle.pk], rules) for vehicle in vehicles]


def _visible_state(vehicle: Vehicle, rows: dict[str, LatestSignal], rules: LocationRules) -> VehicleState:
    now = timezone.now()
    location_hidden = rules.is_hidden(vehicle.pk, at=now)
    hidden = set()
    for code, row in rows.items():
        at = row.observed_at or now
        if not reveals_location(code, row.body) or not (
            location_hidden or rules.is_hidden(vehicle.pk, at=at)
        ):
            continue
        row.body = without_location(code, row.body)
        if row.body is None:
            hidden.add(code)
    return VehicleState(vehicle, rows, location_hidden, frozenset(hidden))

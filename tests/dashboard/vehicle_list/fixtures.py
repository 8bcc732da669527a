"""Vehicles with data, as displayed on the fleet page."""

from collections.abc import Mapping
from datetime import timedelta

from django.utils import timezone

from accounts.models import Fleet
from connect.models import Connection, ConnectionState
from tests.dashboard.vehicle_page.fixtures import create_connection, store_signal
from vehicles import catalogue, summaries
from vehicles.catalogue import Signal
from vehicles.models import Vehicle


def connect(
    vehicle: Vehicle, state: ConnectionState = ConnectionState.ACTIVE, *, user: str = ""
) -> Connection:
    return create_connection(vehicle, state=state, user=user or f"user-{vehicle.pk}")


def report_signal(
    vehicle: Vehicle, signal: Signal, body: Mapping[str, object], *, minutes_ago: float = 1
) -> None:
    """Store the signal as the vehicle's report of that time, and refresh its snapshot."""
    store_signal(vehicle, signal, body, minutes_ago=minutes_ago)
    at = timezone.now() - timedelta(minutes=minutes_ago)
    Vehicle.objects.filter(pk=vehicle.pk).update(last_seen_at=at)
    summaries.refresh_snapshots(vehicle_ids=[vehicle.pk], held=True)


def create_vehicle(
    fleet: Fleet,
    name: str,
    *,
    charge: float | None = None,
    fuel: float | None = None,
    locked: bool | None = None,
    charging: bool | None = None,
    speed: float | None = None,
    place: tuple[float, float] | None = None,
    odometer: float | None = None,
    minutes_ago: float = 1,
    state: ConnectionState = ConnectionState.ACTIVE,
    **columns: object,
) -> Vehicle:
    """Create a connected vehicle that reported these values `minutes_ago`."""
    vehicle = Vehicle.objects.create(fleet=fleet, smartcar_id=f"car-{name}", name=name, **columns)
    connect(vehicle, state)
    values: list[tuple[Signal, object]] = [
        (catalogue.STATE_OF_CHARGE, charge),
        (catalogue.FUEL_LEVEL, fuel),
        (catalogue.IS_LOCKED, locked),
        (catalogue.IS_CHARGING, charging),
        (catalogue.SPEED, speed),
        (catalogue.ODOMETER, odometer),
    ]
    for signal, value in values:
        if value is not None:
            report_signal(vehicle, signal, {"value": value}, minutes_ago=minutes_ago)
    if place is not None:
        body = {"latitude": place[0], "longitude": place[1]}
        report_signal(vehicle, catalogue.PRECISE_LOCATION, body, minutes_ago=minutes_ago)
    vehicle.refresh_from_db()
    return vehicle

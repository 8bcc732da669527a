"""Cars as the fleet page finds them."""

from collections.abc import Mapping
from datetime import timedelta

from django.utils import timezone

from accounts.models import Fleet
from connect.models import Connection, ConnectionState
from tests.dashboard.vehicle_page.fixtures import connected, told
from vehicles import catalogue, summaries
from vehicles.catalogue import Signal
from vehicles.models import Vehicle


def connect(
    vehicle: Vehicle, state: ConnectionState = ConnectionState.ACTIVE, *, user: str = ""
) -> Connection:
    return connected(vehicle, state=state, user=user or f"user-{vehicle.pk}")


def know(vehicle: Vehicle, signal: Signal, body: Mapping[str, object], *, minutes_ago: float = 1) -> None:
    """As if the car had told it then."""
    told(vehicle, signal, body, minutes_ago=minutes_ago)
    at = timezone.now() - timedelta(minutes=minutes_ago)
    Vehicle.objects.filter(pk=vehicle.pk).update(last_seen_at=at)
    summaries.refresh_snapshots(vehicle_ids=[vehicle.pk], held=True)


def car(
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
    """A connected car that told these things so many minutes ago."""
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
            know(vehicle, signal, {"value": value}, minutes_ago=minutes_ago)
    if place is not None:
        body = {"latitude": place[0], "longitude": place[1]}
        know(vehicle, catalogue.PRECISE_LOCATION, body, minutes_ago=minutes_ago)
    vehicle.refresh_from_db()
    return vehicle

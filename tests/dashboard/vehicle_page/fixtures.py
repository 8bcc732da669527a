"""Vehicles with data."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.utils import timezone

from connect.models import Connection, ConnectionState
from vehicles.catalogue import Signal
from vehicles.models import LatestSignal, Vehicle


def create_connection(
    vehicle: Vehicle, *, state: ConnectionState = ConnectionState.ACTIVE, user: str = "user-1", **columns: Any
) -> Connection:
    """Create a connection of the vehicle, subscribed to the webhook."""
    return Connection.objects.create(
        fleet=vehicle.fleet,
        vehicle=vehicle,
        smartcar_user_id=user,
        api_version="v3",
        mode="live",
        state=state,
        subscribed_at=timezone.now(),
        **columns,
    )


def store_signal(
    vehicle: Vehicle, signal: Signal, body: Mapping[str, Any], *, minutes_ago: float = 1
) -> None:
    """Store the value as the signal's latest report."""
    at = timezone.now() - timedelta(minutes=minutes_ago)
    LatestSignal.objects.update_or_create(
        vehicle=vehicle,
        code=signal.code,
        defaults={"body": body, "status": "SUCCESS", "observed_at": at, "reported_at": at},
    )


def store_error(vehicle: Vehicle, signal: Signal, error: str, *, body: dict[str, Any] | None = None) -> None:
    """Store this error as the signal's latest report; `body` is the last valid value."""
    at = timezone.now()
    LatestSignal.objects.create(
        vehicle=vehicle,
        code=signal.code,
        body=body,
        status="ERROR",
        error_type=error,
        observed_at=at if body else None,
        reported_at=at,
    )


def grid(
    *, opened: tuple[tuple[int, int], ...] = (), locked: bool | None = True, rows: int = 2
) -> dict[str, Any]:
    """Returns the body of doors or windows in two columns; `opened` are the (row, column) pairs that are open."""
    values = [
        {
            "row": row,
            "column": column,
            "isOpen": (row, column) in opened,
            "isLocked": None if locked is None else locked and (row, column) not in opened,
        }
        for row in range(rows)
        for column in range(2)
    ]
    return {"values": values, "rowCount": rows, "columnCount": 2}


def tires(*kilopascals: float | None) -> dict[str, Any]:
    """Returns the body of tires in two columns, front left first."""
    values = [
        {"row": at // 2, "column": at % 2, "tirePressure": pressure}
        for at, pressure in enumerate(kilopascals)
    ]
    return {"values": values, "rowCount": len(kilopascals) // 2, "columnCount": 2, "unit": "kPa"}

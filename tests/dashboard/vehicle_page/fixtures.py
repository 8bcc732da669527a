"""Cars of which something is known."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.utils import timezone

from connect.models import Connection, ConnectionState
from vehicles.catalogue import Signal
from vehicles.models import LatestSignal, Vehicle


def connected(
    vehicle: Vehicle, *, state: ConnectionState = ConnectionState.ACTIVE, user: str = "user-1", **columns: Any
) -> Connection:
    """A connection of the car, subscribed to the webhook."""
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


def told(vehicle: Vehicle, signal: Signal, body: Mapping[str, Any], *, minutes_ago: float = 1) -> None:
    """The car has told this value."""
    at = timezone.now() - timedelta(minutes=minutes_ago)
    LatestSignal.objects.update_or_create(
        vehicle=vehicle,
        code=signal.code,
        defaults={"body": body, "status": "SUCCESS", "observed_at": at, "reported_at": at},
    )


def failed(vehicle: Vehicle, signal: Signal, error: str, *, body: dict[str, Any] | None = None) -> None:
    """The last report of the signal was this error; `body` is the last good one."""
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
    """The body of doors or windows in two columns; `opened` are the (row, column) that stand open."""
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
    """The body of tires in two columns, front left first."""
    values = [
        {"row": at // 2, "column": at % 2, "tirePressure": pressure}
        for at, pressure in enumerate(kilopascals)
    ]
    return {"values": values, "rowCount": len(kilopascals) // 2, "columnCount": 2, "unit": "kPa"}

"""What the site knows of a driver and of the cars the driver shares, as files for the driver."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from connect.driver_portal.command_history import SharedPeriod, list_commands
from connect.driver_portal.models import DriverPortal
from connect.models import Connection
from vehicles.catalogue import CATALOGUE
from vehicles.models import LatestSignal, Reading

_COMMANDS = 10_000
_CHUNK = 2000
HEADINGS = ("vehicle", "time", "signal", "name", "value", "unit", "details")


def as_document(*, page: DriverPortal, now: datetime) -> dict[str, Any]:
    """Returns what is known, as JSON values with times in ISO 8601: of the driver, and of each car the latest state.

    The recorded values of the past are in `recorded_values`.
    """
    fleet = page.fleet
    connections = page.connections.select_related("vehicle", "working_hours").order_by("pk")
    return {
        "created_at": now.isoformat(),
        "fleet": {
            "name": fleet.name,
            "legal_name": fleet.legal_name,
            "contact": fleet.contact_email,
            "privacy_notice": fleet.privacy_notice_url,
        },
        "driver": {
            "name": page.driver_name,
            "email": page.driver_email,
            "language": page.language,
            "time_zone": page.time_zone,
            "page_created_at": page.created_at.isoformat(),
            "smartcar_user_id": page.smartcar_user_id,
        },
        "vehicles": [_vehicle(connection) for connection in connections],
    }


def recorded_values(*, page: DriverPortal) -> Iterator[tuple[str, ...]]:
    """Yields a row of HEADINGS for each value that was recorded of the driver's cars while they were shared."""
    yield HEADINGS
    for connection in page.connections.select_related("vehicle").order_by("pk"):
        description = connection.vehicle.description
        for reading in _readings(SharedPeriod.of(connection)).iterator(chunk_size=_CHUNK):
            body = dict(reading.body)
            value, unit = body.pop("value", ""), body.pop("unit", "")
            signal = CATALOGUE.get(reading.signal.code)
            yield (
                description,
                reading.observed_at.isoformat(),
                reading.signal.code,
                signal.label if signal is not None else "",
                "" if value is None else str(value),
                str(unit or ""),
                json.dumps(body, ensure_ascii=False) if body else "",
            )


def _readings(period: SharedPeriod) -> QuerySet[Reading]:
    found = Reading.objects.filter(vehicle_id=period.vehicle_id, observed_at__gte=period.since)
    if period.until is not None:
        found = found.filter(observed_at__lte=period.until)
    return found.select_related("signal").order_by("observed_at")


def _vehicle(connection: Connection) -> dict[str, Any]:
    vehicle, period = connection.vehicle, SharedPeriod.of(connection)
    hours = getattr(connection, "working_hours", None)
    return {
        "make": vehicle.make,
        "model": vehicle.model,
        "year": vehicle.year,
        "vin": vehicle.vin,
        "shared_since": period.since.isoformat(),
        "shared_until": period.until.isoformat() if period.until is not None else None,
        "status": connection.state,
        "permissions": connection.scopes,
        "location_pauses": [
            {
                "from": pause.began_at.isoformat(),
                "to": pause.ends_at.isoformat() if pause.ends_at is not None else None,
            }
            for pause in connection.place_pauses.order_by("began_at")
        ],
        "working_hours": hours
        and {
            "from": f"{hours.starts:%H:%M}",
            "to": f"{hours.ends:%H:%M}",
            "weekdays_only": hours.weekdays_only,
        },
        "latest_values": _latest(period),
        "commands": [
            {"requested_at": each.requested_at.isoformat(), "command": each.code, "state": each.state}
            for each in list_commands(period=period, limit=_COMMANDS)
        ],
    }


def _latest(period: SharedPeriod) -> list[dict[str, Any]]:
    """The vehicle's latest values that were reported while this driver shared it."""
    found = LatestSignal.objects.filter(
        vehicle_id=period.vehicle_id, observed_at__gte=period.since, body__isnull=False
    )
    if period.until is not None:
        found = found.filter(observed_at__lte=period.until)
    return [
        {"signal": row.code, "observed_at": row.observed_at.isoformat() if row.observed_at else None}
        | dict(row.body or {})
        for row in found.order_by("code")
    ]

"""Helpers that create alerts and signals the way the other apps do."""

from datetime import UTC, datetime
from typing import Any

from alerts import battery, services
from alerts.models import Alert
from alerts.types import AlertCondition, AlertType
from vehicles import catalogue
from vehicles import services as vehicles
from vehicles.models import Vehicle
from vehicles.observations import SignalReading, SignalStatus
from vehicles.services import ReceivedReading

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
_CODES = {
    "charge": catalogue.STATE_OF_CHARGE.code,
    "fuel": catalogue.FUEL_LEVEL.code,
    "charging": catalogue.IS_CHARGING.code,
}


def report_signals(vehicle: Vehicle, *, at: datetime = NOW, **values: float | bool) -> None:
    """Store a vehicle's `charge`, `fuel` or `charging`, and evaluate the alerts as after a delivery."""
    readings = [
        SignalReading(
            code=_CODES[name], body={"value": value}, status=SignalStatus.SUCCESS, oem_updated_at=at
        )
        for name, value in values.items()
    ]
    result = vehicles.ingest_readings(
        batch=[ReceivedReading(vehicle.pk, reading, at) for reading in readings]
    )
    battery.on_signals(updates=result.updates, now=at)


def raise_alert(
    vehicle: Vehicle, kind: AlertType = AlertType.BATTERY, *, at: datetime = NOW, **fields: Any
) -> Alert:
    """Raise an alert about the vehicle. Returns the open alert."""
    payload = {
        AlertType.BATTERY: {"level": 12.4, "threshold": 20, "fuel": False},
        AlertType.CONNECTION: {"state": "needs_reauth"},
        AlertType.TOKEN: {"ends": "2026-12-05T10:00:00+00:00", "connection": 1, "cars": 1},
    }[kind]
    condition_fields: dict[str, Any] = {"subject_id": vehicle.pk, "payload": payload} | fields
    condition = AlertCondition(kind, vehicle.fleet_id, vehicle.pk, **condition_fields)
    services.raise_alerts(conditions=[condition], now=at)
    return Alert.objects.get(
        kind=kind, subject_id=condition.subject_id, fleet=vehicle.fleet_id, resolved_at=None
    )


def open_alerts() -> list[Alert]:
    """Returns all open alerts in the order in which they were opened."""
    return list(Alert.objects.filter(resolved_at=None).order_by("pk"))

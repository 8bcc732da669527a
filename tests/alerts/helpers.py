"""Alerts and signals, made as the rooms above make them."""

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


def hear(vehicle: Vehicle, *, at: datetime = NOW, **values: float | bool) -> None:
    """The car tells its `charge`, `fuel` or whether it is `charging`, and it is judged as after a delivery."""
    seen = [
        SignalReading(
            code=_CODES[name], body={"value": value}, status=SignalStatus.SUCCESS, oem_updated_at=at
        )
        for name, value in values.items()
    ]
    recorded = vehicles.ingest_readings(batch=[ReceivedReading(vehicle.pk, each, at) for each in seen])
    battery.on_signals(updates=recorded.updates, now=at)


def begin(vehicle: Vehicle, kind: AlertType = AlertType.BATTERY, *, at: datetime = NOW, **more: Any) -> Alert:
    """An alert about the car."""
    facts = {
        AlertType.BATTERY: {"level": 12.4, "threshold": 20, "fuel": False},
        AlertType.CONNECTION: {"state": "needs_reauth"},
        AlertType.TOKEN: {"ends": "2026-12-05T10:00:00+00:00", "connection": 1, "cars": 1},
    }[kind]
    given: dict[str, Any] = {"subject_id": vehicle.pk, "payload": facts} | more
    condition = AlertCondition(kind, vehicle.fleet_id, vehicle.pk, **given)
    services.raise_alerts(conditions=[condition], now=at)
    return Alert.objects.get(
        kind=kind, subject_id=condition.subject_id, fleet=vehicle.fleet_id, resolved_at=None
    )


def open_alerts() -> list[Alert]:
    """All that are open, in the order in which they began."""
    return list(Alert.objects.filter(resolved_at=None).order_by("pk"))

"""Notices and signals, made as the rooms above make them."""

from datetime import UTC, datetime
from typing import Any

from alerts import battery, services
from alerts.models import Notice
from alerts.types import Condition, Kind
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
    recorded = vehicles.ingest_readings(sightings=[ReceivedReading(vehicle.pk, each, at) for each in seen])
    battery.heard(updates=recorded.updates, now=at)


def begin(vehicle: Vehicle, kind: Kind = Kind.BATTERY, *, at: datetime = NOW, **more: Any) -> Notice:
    """A notice about the car."""
    facts = {
        Kind.BATTERY: {"level": 12.4, "threshold": 20, "fuel": False},
        Kind.CONNECTION: {"state": "needs_reauth"},
        Kind.TOKEN: {"ends": "2026-12-05T10:00:00+00:00", "connection": 1, "cars": 1},
    }[kind]
    given: dict[str, Any] = {"subject": vehicle.pk, "facts": facts} | more
    condition = Condition(kind, vehicle.fleet_id, vehicle.pk, **given)
    services.begin(conditions=[condition], now=at)
    return Notice.objects.get(kind=kind, subject=condition.subject, fleet=vehicle.fleet_id, ended_at=None)


def open_notices() -> list[Notice]:
    """All that are open, in the order in which they began."""
    return list(Notice.objects.filter(ended_at=None).order_by("pk"))

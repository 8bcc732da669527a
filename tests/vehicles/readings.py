"""Readings for tests, inserted into history as the ingestion does."""

from collections.abc import Iterable
from datetime import UTC, datetime

from vehicles import catalogue
from vehicles.catalogue import Signal
from vehicles.models import Vehicle
from vehicles.readings import NewReading, insert_readings

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def read(
    vehicle: Vehicle,
    values: Iterable[tuple[datetime, float]],
    *,
    signal: Signal = catalogue.STATE_OF_CHARGE,
) -> None:
    """Adds readings of a numeric signal, one per time."""
    unit = {"unit": signal.unit.value} if signal.unit else {}
    insert_readings(
        readings=[NewReading(vehicle.pk, signal.code, at, {"value": value} | unit) for at, value in values]
    )

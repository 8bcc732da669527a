"""Signals that aren't in the catalogue: a vehicle or a fleet with many of them takes nothing from the others."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection

from accounts.models import Fleet, SmartcarApiVersion, User
from accounts.services import create_fleet
from vehicles import catalogue, readings, services
from vehicles.catalogue import Shape
from vehicles.models import LatestSignal, Reading, SignalCode, Vehicle
from vehicles.observations import SignalReading, SignalStatus
from vehicles.services import ReceivedReading, ingest_readings

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
CHARGE = catalogue.STATE_OF_CHARGE.code


def reading(code: str, value: int = 61) -> SignalReading:
    """Returns a reading of the value, or of true for a boolean."""
    signal = catalogue.CATALOGUE.get(code)
    body = {"value": True if signal and signal.shape is Shape.BOOLEAN else value}
    return SignalReading(code=code, status=SignalStatus.SUCCESS, body=body, oem_updated_at=NOON)


def ingest(vehicle: Vehicle, *codes: str) -> None:
    ingest_readings(batch=[ReceivedReading(vehicle.pk, reading(code), received_at=NOON) for code in codes])


def recorded(vehicle: Vehicle) -> set[str]:
    """Returns the codes in the vehicle's history."""
    return set(Reading.objects.filter(vehicle=vehicle).values_list("signal__code", flat=True))


@pytest.fixture(autouse=True)
def numbered_catalogue(db: None) -> None:
    """The rows of the migration. Tests that commit empty all tables afterward, and may have run before."""
    with connection.schema_editor() as editor:
        import_module("vehicles.migrations.0013_catalogue_numbers").number(apps, editor)


@pytest.fixture
def neighbor(owner: User) -> Vehicle:
    """A vehicle of another fleet."""
    fleet = create_fleet(name="Red Fleet", slug="red", owner=owner, api_version=SmartcarApiVersion.V3)
    return Vehicle.objects.create(fleet=fleet, smartcar_id="neighbor")


def test_vehicle_has_a_limited_number_of_unknown_signals(vehicle: Vehicle) -> None:
    limit = services.UNKNOWN_SIGNALS_PER_VEHICLE
    ingest(vehicle, *(f"new-{number}" for number in range(limit - 1)), CHARGE)
    ingest(vehicle, *(f"newer-{number}" for number in range(200)))
    ingest(vehicle, catalogue.ODOMETER.code, "new-0")
    codes = set(LatestSignal.objects.filter(vehicle=vehicle).values_list("code", flat=True))
    assert {CHARGE, catalogue.ODOMETER.code, "new-0", "newer-0"} <= codes
    assert len(codes - set(catalogue.CATALOGUE)) == limit
    assert recorded(vehicle) == codes


def test_fleet_uses_up_a_limited_number_of_codes(fleet: Fleet, neighbor: Vehicle) -> None:
    for number in range(4):
        vehicle = Vehicle.objects.create(fleet=fleet, smartcar_id=f"car-{number}")
        ingest(vehicle, *(f"new-{number}-{each}" for each in range(90)), CHARGE)
        assert LatestSignal.objects.filter(vehicle=vehicle).count() == 91
        assert CHARGE in recorded(vehicle)
    assert SignalCode.objects.filter(fleet=fleet).count() == readings.CODES_PER_FLEET
    ingest(neighbor, "other-code", "new-0-0", CHARGE)
    assert recorded(neighbor) == {"other-code", "new-0-0", CHARGE}


@pytest.fixture
def set_last_number() -> Iterator[Callable[[int], None]]:
    """Sets the last number that was assigned to a code. Sequences aren't part of transactions, so it is reset."""
    sequence = "pg_get_serial_sequence('vehicles_signalcode', 'id')"

    def set_number(number: int) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT setval({sequence}, %s)", [number])

    with connection.cursor() as cursor:
        cursor.execute(f"SELECT coalesce(pg_sequence_last_value({sequence}::regclass), 1)")
        (before,) = cursor.fetchone()
    yield set_number
    set_number(before)


@pytest.mark.parametrize("last", [readings.LARGEST_NUMBER, 32_767])
def test_used_up_numbers_lose_no_value_of_the_catalog(
    neighbor: Vehicle, set_last_number: Callable[[int], None], last: int
) -> None:
    set_last_number(last)
    ingest(neighbor, "other-code", *catalogue.CATALOGUE)
    assert LatestSignal.objects.filter(vehicle=neighbor).count() == len(catalogue.CATALOGUE) + 1
    assert recorded(neighbor) == set(catalogue.CATALOGUE)


def test_reading_that_history_rejects_loses_no_other_value(
    vehicle: Vehicle, neighbor: Vehicle, caplog: pytest.LogCaptureFixture
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE vehicles_reading ADD CONSTRAINT none_of_13 CHECK (value <> 13)")
    codes = [catalogue.ODOMETER.code, CHARGE, catalogue.RANGE.code, catalogue.SPEED.code]
    batch = [
        ReceivedReading(
            car.pk, reading(code, 13 if (car, code) == (vehicle, CHARGE) else 61), received_at=NOON
        )
        for car in (vehicle, neighbor)
        for code in codes
    ]
    result = ingest_readings(batch=batch)
    assert result.healthy == {vehicle.pk, neighbor.pk}
    assert LatestSignal.objects.get(vehicle=vehicle, code=CHARGE).value == 13
    assert LatestSignal.objects.count() == 8
    assert recorded(vehicle) == set(codes) - {CHARGE}
    assert recorded(neighbor) == set(codes)
    assert f"A reading of {CHARGE} couldn't be stored" in caplog.text


def test_catalogue_is_numbered_ahead() -> None:
    numbered = SignalCode.objects.filter(pk__lt=0, fleet=None)
    assert set(numbered.values_list("code", flat=True)) == set(catalogue.CATALOGUE)

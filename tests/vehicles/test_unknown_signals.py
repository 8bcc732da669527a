"""Signals that aren't in the catalogue: a vehicle or a fleet with many of them takes nothing from the others."""

from datetime import UTC, datetime

import pytest
from django.db import connection

from accounts.models import Fleet, SmartcarApiVersion, User
from accounts.services import create_fleet
from vehicles import catalogue, readings, services
from vehicles.models import LatestSignal, Reading, SignalCode, Vehicle
from vehicles.observations import SignalReading, SignalStatus
from vehicles.services import ReceivedReading, ingest_readings

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
CHARGE = catalogue.STATE_OF_CHARGE.code


def ingest(vehicle: Vehicle, *codes: str) -> None:
    def received(code: str) -> ReceivedReading:
        observation = SignalReading(
            code=code, status=SignalStatus.SUCCESS, body={"value": 61}, oem_updated_at=NOON
        )
        return ReceivedReading(vehicle.pk, observation, received_at=NOON)

    ingest_readings(batch=[received(code) for code in codes])


def recorded(vehicle: Vehicle) -> set[str]:
    """Returns the codes in the vehicle's history."""
    return set(Reading.objects.filter(vehicle=vehicle).values_list("signal__code", flat=True))


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


@pytest.mark.parametrize("last", [readings.LARGEST_NUMBER, 32_767])
def test_used_up_numbers_lose_no_value(neighbor: Vehicle, last: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT setval(pg_get_serial_sequence('vehicles_signalcode', 'id'), %s)", [last])
    ingest(neighbor, "other-code", *catalogue.CATALOGUE)
    assert LatestSignal.objects.filter(vehicle=neighbor).count() == len(catalogue.CATALOGUE) + 1
    assert recorded(neighbor) == set(catalogue.CATALOGUE)


def test_catalogue_is_numbered_ahead() -> None:
    numbered = SignalCode.objects.filter(pk__lt=0, fleet=None)
    assert set(numbered.values_list("code", flat=True)) == set(catalogue.CATALOGUE)

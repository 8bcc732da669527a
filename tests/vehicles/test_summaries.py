"""A vehicle's snapshot equals its latest signals, in any order of arrival and after any erasure."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vehicles import catalogue
from vehicles.catalogue import Signal
from vehicles.erasure import erase_latest, erase_latest_locations
from vehicles.models import LatestSignal, Vehicle, VehicleSnapshot
from vehicles.observations import SignalReading, SignalStatus
from vehicles.services import ReceivedReading, ingest_readings

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
BODIES: dict[Signal, st.SearchStrategy[dict[str, Any]]] = {
    catalogue.STATE_OF_CHARGE: st.builds(lambda n: {"value": n, "unit": "percent"}, st.integers(0, 100)),
    catalogue.IS_CHARGING: st.builds(lambda yes: {"value": yes}, st.booleans()),
    catalogue.IS_LOCKED: st.builds(lambda yes: {"value": yes}, st.booleans()),
    catalogue.SPEED: st.builds(lambda n: {"value": n, "unit": "km/h"}, st.integers(0, 200)),
    catalogue.PRECISE_LOCATION: st.builds(
        lambda lat, lon: {"latitude": lat, "longitude": lon}, st.floats(-80, 80), st.floats(-180, 180)
    ),
}
any_reading = st.sampled_from(list(BODIES)).flatmap(
    lambda signal: st.tuples(st.just(signal), BODIES[signal], st.integers(0, 30))
)


def received(vehicle: Vehicle, signal: Signal, body: dict[str, Any], minute: int = 0) -> ReceivedReading:
    at = NOON + timedelta(minutes=minute)
    observation = SignalReading(
        code=signal.code, status=SignalStatus.SUCCESS, body=body, oem_updated_at=at, retrieved_at=at
    )
    return ReceivedReading(vehicle.pk, observation, received_at=at)


def latest(vehicle: Vehicle, signal: Signal) -> LatestSignal | None:
    return LatestSignal.objects.filter(vehicle=vehicle, code=signal.code).first()


@pytest.mark.django_db
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(readings=st.lists(any_reading, min_size=1, max_size=20), turn=st.randoms())
def test_snapshot_follows_the_latest_signals(
    vehicle: Vehicle, readings: list[Any], turn: random.Random
) -> None:
    LatestSignal.objects.all().delete()
    VehicleSnapshot.objects.all().delete()
    turn.shuffle(readings)
    for signal, body, minute in readings:
        ingest_readings(batch=[received(vehicle, signal, body, minute)])
    snapshot = VehicleSnapshot.objects.get(vehicle=vehicle)
    for signal, value, at in (
        (catalogue.STATE_OF_CHARGE, snapshot.charge, snapshot.charge_at),
        (catalogue.IS_CHARGING, snapshot.charging, snapshot.charging_at),
        (catalogue.IS_LOCKED, snapshot.locked, snapshot.locked_at),
        (catalogue.SPEED, snapshot.speed, snapshot.speed_at),
    ):
        row = latest(vehicle, signal)
        assert (value, at) == ((row.value, row.observed_at) if row else (None, None))
    location = latest(vehicle, catalogue.PRECISE_LOCATION)
    expected = (
        (location.body["latitude"], location.body["longitude"])
        if location and location.body
        else (None, None)
    )
    assert (snapshot.latitude, snapshot.longitude) == expected


@pytest.mark.django_db
def test_erased_location_is_removed_from_the_snapshot_and_the_rest_retained(vehicle: Vehicle) -> None:
    ingest_readings(
        batch=[
            received(vehicle, catalogue.PRECISE_LOCATION, {"latitude": 37.5, "longitude": -122.1}),
            received(vehicle, catalogue.IS_LOCKED, {"value": True}),
        ]
    )
    erase_latest_locations(vehicle_ids=[vehicle.pk])
    snapshot = VehicleSnapshot.objects.get(vehicle=vehicle)
    assert (snapshot.latitude, snapshot.longitude, snapshot.place_at, snapshot.locked) == (
        None,
        None,
        None,
        True,
    )
    erase_latest(vehicle_id=vehicle.pk, since=None, until=NOON, places_only=False, limit=100)
    assert VehicleSnapshot.objects.get(vehicle=vehicle).locked is None


@pytest.mark.django_db
def test_signal_that_no_list_shows_creates_no_snapshot(vehicle: Vehicle) -> None:
    ingest_readings(batch=[received(vehicle, catalogue.FIRMWARE, {"value": "2026.38"})])
    assert not VehicleSnapshot.objects.exists()

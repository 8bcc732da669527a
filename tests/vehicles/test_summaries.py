"""A car's summary says what its latest signals say, whatever order they come in and whatever is forgotten."""

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
sightings = st.sampled_from(list(BODIES)).flatmap(
    lambda signal: st.tuples(st.just(signal), BODIES[signal], st.integers(0, 30))
)


def seen(vehicle: Vehicle, signal: Signal, body: dict[str, Any], minute: int = 0) -> ReceivedReading:
    at = NOON + timedelta(minutes=minute)
    observation = SignalReading(
        code=signal.code, status=SignalStatus.SUCCESS, body=body, oem_updated_at=at, retrieved_at=at
    )
    return ReceivedReading(vehicle.pk, observation, received_at=at)


def latest(vehicle: Vehicle, signal: Signal) -> LatestSignal | None:
    return LatestSignal.objects.filter(vehicle=vehicle, code=signal.code).first()


@pytest.mark.django_db
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=st.lists(sightings, min_size=1, max_size=20), turn=st.randoms())
def test_the_summary_follows_the_latest_signals(
    vehicle: Vehicle, told: list[Any], turn: random.Random
) -> None:
    LatestSignal.objects.all().delete()
    VehicleSnapshot.objects.all().delete()
    turn.shuffle(told)
    for signal, body, minute in told:
        ingest_readings(batch=[seen(vehicle, signal, body, minute)])
    summary = VehicleSnapshot.objects.get(vehicle=vehicle)
    for signal, value, at in (
        (catalogue.STATE_OF_CHARGE, summary.charge, summary.charge_at),
        (catalogue.IS_CHARGING, summary.charging, summary.charging_at),
        (catalogue.IS_LOCKED, summary.locked, summary.locked_at),
        (catalogue.SPEED, summary.speed, summary.speed_at),
    ):
        row = latest(vehicle, signal)
        assert (value, at) == ((row.value, row.observed_at) if row else (None, None))
    place = latest(vehicle, catalogue.PRECISE_LOCATION)
    known = (place.body["latitude"], place.body["longitude"]) if place and place.body else (None, None)
    assert (summary.latitude, summary.longitude) == known


@pytest.mark.django_db
def test_a_place_that_is_forgotten_leaves_the_summary_and_the_rest_stays(vehicle: Vehicle) -> None:
    ingest_readings(
        batch=[
            seen(vehicle, catalogue.PRECISE_LOCATION, {"latitude": 37.5, "longitude": -122.1}),
            seen(vehicle, catalogue.IS_LOCKED, {"value": True}),
        ]
    )
    erase_latest_locations(vehicle_ids=[vehicle.pk])
    summary = VehicleSnapshot.objects.get(vehicle=vehicle)
    assert (summary.latitude, summary.longitude, summary.place_at, summary.locked) == (None, None, None, True)
    erase_latest(vehicle_id=vehicle.pk, since=None, until=NOON, places_only=False, limit=100)
    assert VehicleSnapshot.objects.get(vehicle=vehicle).locked is None


@pytest.mark.django_db
def test_a_signal_that_no_list_shows_makes_no_summary(vehicle: Vehicle) -> None:
    ingest_readings(batch=[seen(vehicle, catalogue.FIRMWARE, {"value": "2026.38"})])
    assert not VehicleSnapshot.objects.exists()

"""Ingesting readings: the newest value wins, history stores changes, an error retains the last valid value."""

import random
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from accounts.models import Fleet, User
from vehicles import catalogue, details
from vehicles.models import LatestSignal, Reading, Vehicle
from vehicles.observations import SignalError, SignalReading, SignalStatus, VehicleFacts
from vehicles.services import ReceivedReading, ingest_readings, upsert_vehicle

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
CODE = catalogue.STATE_OF_CHARGE.code


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def charge_reading(
    vehicle: Vehicle, value: float, *, at: datetime | None, sequence: int | None = None, **fields: Any
) -> ReceivedReading:
    observation = SignalReading(
        code=CODE,
        status=SignalStatus.SUCCESS,
        body={"value": value, "unit": "percent"},
        oem_updated_at=at,
        retrieved_at=fields.get("retrieved", at),
    )
    received = fields.get("received", observation.retrieved_at or NOON)
    return ReceivedReading(vehicle.pk, observation, received_at=received, sequence=sequence)


def error_reading(vehicle: Vehicle, *, at: datetime) -> ReceivedReading:
    error = SignalError(type="COMPATIBILITY", code="VEHICLE_NOT_CAPABLE")
    return ReceivedReading(
        vehicle.pk,
        SignalReading(code=CODE, status=SignalStatus.ERROR, error=error, retrieved_at=at),
        received_at=at,
    )


def latest(vehicle: Vehicle) -> LatestSignal:
    return LatestSignal.objects.get(vehicle=vehicle, code=CODE)


def test_newer_value_replaces_an_older_one(vehicle: Vehicle) -> None:
    ingest_readings(batch=[charge_reading(vehicle, 50, at=NOON)])
    ingest_readings(batch=[charge_reading(vehicle, 48, at=NOON + minutes(5))])
    assert latest(vehicle).value == 48


def test_late_value_does_not_replace_a_newer_one_but_is_stored_in_history(vehicle: Vehicle) -> None:
    ingest_readings(batch=[charge_reading(vehicle, 48, at=NOON + minutes(5))])
    assert ingest_readings(batch=[charge_reading(vehicle, 50, at=NOON)]).updates == []
    assert latest(vehicle).value == 48
    assert Reading.objects.filter(vehicle=vehicle).count() == 2


def test_higher_sequence_wins_for_values_with_the_same_time(vehicle: Vehicle) -> None:
    ingest_readings(batch=[charge_reading(vehicle, 50, at=NOON, sequence=8)])
    ingest_readings(batch=[charge_reading(vehicle, 49, at=NOON, sequence=7)])
    assert latest(vehicle).value == 50


def test_repeated_value_with_the_same_time_adds_no_history(vehicle: Vehicle) -> None:
    for received in (NOON, NOON + minutes(1), NOON + minutes(2)):
        ingest_readings(batch=[charge_reading(vehicle, 50, at=NOON, received=received)])
    assert Reading.objects.filter(vehicle=vehicle).count() == 1


def test_value_without_the_manufacturers_time_is_stored_in_history_only_on_change(vehicle: Vehicle) -> None:
    for step, value in enumerate((50, 50, 49)):
        ingest_readings(batch=[charge_reading(vehicle, value, at=None, retrieved=NOON + minutes(step))])
    assert [row.body["value"] for row in Reading.objects.filter(vehicle=vehicle).order_by("observed_at")] == [
        50,
        49,
    ]


def test_error_is_stored_with_the_last_valid_value(vehicle: Vehicle) -> None:
    ingest_readings(batch=[charge_reading(vehicle, 50, at=NOON)])
    ingest_readings(batch=[error_reading(vehicle, at=NOON + minutes(5))])
    row = latest(vehicle)
    assert (row.value, row.status, row.error_type) == (50, SignalStatus.ERROR, "COMPATIBILITY")


def test_valid_value_clears_an_error(vehicle: Vehicle) -> None:
    ingest_readings(batch=[error_reading(vehicle, at=NOON)])
    ingest_readings(batch=[charge_reading(vehicle, 50, at=NOON + minutes(1), retrieved=NOON + minutes(1))])
    assert (latest(vehicle).status, latest(vehicle).error_type) == (SignalStatus.SUCCESS, "")


def test_signal_that_was_never_available_is_stored_as_unavailable(vehicle: Vehicle) -> None:
    nothing = SignalReading(code=CODE, status=SignalStatus.UNAVAILABLE, retrieved_at=NOON)
    ingest_readings(batch=[ReceivedReading(vehicle.pk, nothing, received_at=NOON)])
    assert (latest(vehicle).body, latest(vehicle).status) == (None, SignalStatus.UNAVAILABLE)


def test_last_update_only_moves_forward(vehicle: Vehicle) -> None:
    ingest_readings(batch=[charge_reading(vehicle, 50, at=NOON, received=NOON + minutes(9))])
    ingest_readings(batch=[charge_reading(vehicle, 51, at=NOON + minutes(1), received=NOON + minutes(3))])
    vehicle.refresh_from_db()
    assert vehicle.last_seen_at == NOON + minutes(9)


def test_time_of_receipt_is_that_of_the_last_report(vehicle: Vehicle) -> None:
    ingest_readings(batch=[charge_reading(vehicle, 50, at=NOON, received=NOON + minutes(9))])
    assert latest(vehicle).received_at == NOON + minutes(9)
    again = charge_reading(vehicle, 50, at=NOON, retrieved=NOON + minutes(10), received=NOON + minutes(12))
    ingest_readings(batch=[again])
    late = charge_reading(vehicle, 50, at=NOON, retrieved=NOON + minutes(5), received=NOON + minutes(14))
    ingest_readings(batch=[late])
    twice = charge_reading(vehicle, 50, at=NOON, retrieved=NOON + minutes(10), received=NOON + minutes(13))
    ingest_readings(batch=[twice])
    assert (latest(vehicle).reported_at, latest(vehicle).received_at) == (
        NOON + minutes(10),
        NOON + minutes(12),
    )


@pytest.mark.parametrize("count", [1, 20])
def test_number_of_queries_does_not_grow_with_the_vehicles_of_a_batch(
    fleet: Fleet, django_assert_num_queries: DjangoAssertNumQueries, count: int
) -> None:
    vehicles = [Vehicle.objects.create(fleet=fleet, smartcar_id=str(number)) for number in range(count)]
    # Two of them are the savepoint of history; one more bypasses Django's cursor.
    with django_assert_num_queries(7):
        ingest_readings(batch=[charge_reading(vehicle, 50, at=NOON) for vehicle in vehicles])
    identified = [
        text_reading(vehicle, signal, "1" * 17)
        for vehicle in vehicles
        for signal in (catalogue.VIN, catalogue.NICKNAME)
    ]
    with django_assert_num_queries(7):
        ingest_readings(batch=identified)


def test_other_vehicles_are_unchanged(fleet: Fleet, vehicle: Vehicle) -> None:
    other = Vehicle.objects.create(fleet=fleet, smartcar_id="other")
    ingest_readings(batch=[charge_reading(vehicle, 50, at=NOON)])
    assert not LatestSignal.objects.filter(vehicle=other).exists()


def test_updates_contain_the_new_values_oldest_first(vehicle: Vehicle) -> None:
    recorded = ingest_readings(
        batch=[charge_reading(vehicle, 48, at=NOON + minutes(5)), charge_reading(vehicle, 50, at=NOON)]
    )
    assert [update.body["value"] for update in recorded.updates] == [50, 48]


def text_reading(
    vehicle: Vehicle, signal: catalogue.Signal, value: str, *, at: datetime = NOON
) -> ReceivedReading:
    observation = SignalReading(
        code=signal.code, status=SignalStatus.SUCCESS, body={"value": value}, oem_updated_at=at
    )
    return ReceivedReading(vehicle.pk, observation, received_at=at)


def test_vin_signal_sets_the_vin(vehicle: Vehicle) -> None:
    ingest_readings(batch=[text_reading(vehicle, catalogue.VIN, "5YJ3E1EA7KF317000")])
    vehicle.refresh_from_db()
    assert vehicle.vin == "5YJ3E1EA7KF317000"


@pytest.mark.parametrize(("name", "expected"), [("", "Blue lightning"), ("Van 7", "Van 7")])
def test_nickname_sets_the_name_of_an_unnamed_vehicle(vehicle: Vehicle, name: str, expected: str) -> None:
    Vehicle.objects.update(name=name, vin="5YJ3E1EA7KF317000")
    older = text_reading(vehicle, catalogue.NICKNAME, "Rust bucket", at=NOON - minutes(1))
    ingest_readings(batch=[text_reading(vehicle, catalogue.NICKNAME, "Blue lightning"), older])
    vehicle.refresh_from_db()
    assert (vehicle.name, vehicle.vin) == (expected, "5YJ3E1EA7KF317000")


@pytest.mark.parametrize("entered", ["", "Van 8"])
def test_a_name_that_a_member_entered_or_cleared_stays(vehicle: Vehicle, owner: User, entered: str) -> None:
    ingest_readings(batch=[text_reading(vehicle, catalogue.NICKNAME, "Blue lightning")])
    vehicle.refresh_from_db()
    values = {name: getattr(vehicle, name) for name in details.FIELDS} | {"name": entered}
    details.update_details(vehicle=vehicle, values=values, actor=owner)
    later = text_reading(vehicle, catalogue.NICKNAME, "Rust bucket", at=NOON + minutes(1))
    ingest_readings(batch=[later, text_reading(vehicle, catalogue.VIN, "5YJ3E1EA7KF317000", at=NOON)])
    vehicle.refresh_from_db()
    assert (vehicle.name, vehicle.vin) == (entered, "5YJ3E1EA7KF317000")


def test_upsert_updates_details_and_never_clears_them(fleet: Fleet) -> None:
    first = upsert_vehicle(
        fleet=fleet, facts=VehicleFacts(smartcar_id="car", make="KIA", model="EV6", year=2023)
    )
    second = upsert_vehicle(fleet=fleet, facts=VehicleFacts(smartcar_id="car", make="KIA", powertrain="BEV"))
    assert second.pk == first.pk
    assert (second.model, second.year, second.powertrain) == ("EV6", 2023, "BEV")


moments = st.integers(min_value=0, max_value=6).map(lambda step: NOON + minutes(step))
arrivals = st.lists(
    st.tuples(moments, st.integers(0, 100)), min_size=1, max_size=8, unique_by=lambda each: each[0]
)


@given(arrivals=arrivals, order=st.randoms())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_order_of_arrival_does_not_matter(
    fleet: Fleet, arrivals: list[tuple[datetime, int]], order: random.Random
) -> None:
    """For any order and any batches, state and history equal those of an in-order run."""
    vehicle = Vehicle.objects.create(fleet=fleet, smartcar_id=str(uuid.uuid4()))
    shuffled = list(arrivals)
    order.shuffle(shuffled)
    for at, value in shuffled:
        ingest_readings(batch=[charge_reading(vehicle, value, at=at)])
    newest = max(arrivals)
    assert (latest(vehicle).observed_at, latest(vehicle).value) == newest
    assert Reading.objects.filter(vehicle=vehicle).count() == len(arrivals)

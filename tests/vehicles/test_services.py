"""Recording observations: newest wins, history on change, an error keeps the last good value."""

import random
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from accounts.models import Fleet
from vehicles import catalogue
from vehicles.models import LatestSignal, Reading, Vehicle
from vehicles.observations import SignalError, SignalReading, SignalStatus, VehicleFacts
from vehicles.services import ReceivedReading, ingest_readings, upsert_vehicle

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
CODE = catalogue.STATE_OF_CHARGE.code


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def seen(
    vehicle: Vehicle, value: float, *, at: datetime | None, sequence: int | None = None, **fields: Any
) -> ReceivedReading:
    observation = SignalReading(
        code=CODE,
        status=SignalStatus.SUCCESS,
        body={"value": value, "unit": "percent"},
        oem_updated_at=at,
        retrieved_at=fields.get("retrieved", NOON),
    )
    return ReceivedReading(
        vehicle.pk, observation, received_at=fields.get("received", NOON), sequence=sequence
    )


def failed(vehicle: Vehicle, *, at: datetime) -> ReceivedReading:
    error = SignalError(type="COMPATIBILITY", code="VEHICLE_NOT_CAPABLE")
    return ReceivedReading(
        vehicle.pk,
        SignalReading(code=CODE, status=SignalStatus.ERROR, error=error, retrieved_at=at),
        received_at=at,
    )


def latest(vehicle: Vehicle) -> LatestSignal:
    return LatestSignal.objects.get(vehicle=vehicle, code=CODE)


def test_a_newer_value_replaces_an_older_one(vehicle: Vehicle) -> None:
    ingest_readings(batch=[seen(vehicle, 50, at=NOON)])
    ingest_readings(batch=[seen(vehicle, 48, at=NOON + minutes(5))])
    assert latest(vehicle).value == 48


def test_a_value_that_arrives_late_does_not_replace_a_newer_one_but_enters_history(vehicle: Vehicle) -> None:
    ingest_readings(batch=[seen(vehicle, 48, at=NOON + minutes(5))])
    assert ingest_readings(batch=[seen(vehicle, 50, at=NOON)]).updates == []
    assert latest(vehicle).value == 48
    assert Reading.objects.filter(vehicle=vehicle).count() == 2


def test_of_two_values_of_the_same_time_the_higher_sequence_wins(vehicle: Vehicle) -> None:
    ingest_readings(batch=[seen(vehicle, 50, at=NOON, sequence=8)])
    ingest_readings(batch=[seen(vehicle, 49, at=NOON, sequence=7)])
    assert latest(vehicle).value == 50


def test_a_repeated_value_of_the_same_time_adds_no_history(vehicle: Vehicle) -> None:
    for received in (NOON, NOON + minutes(1), NOON + minutes(2)):
        ingest_readings(batch=[seen(vehicle, 50, at=NOON, received=received)])
    assert Reading.objects.filter(vehicle=vehicle).count() == 1


def test_a_value_without_the_makers_time_enters_history_only_when_it_changes(vehicle: Vehicle) -> None:
    for step, value in enumerate((50, 50, 49)):
        ingest_readings(batch=[seen(vehicle, value, at=None, retrieved=NOON + minutes(step))])
    assert [row.body["value"] for row in Reading.objects.filter(vehicle=vehicle).order_by("observed_at")] == [
        50,
        49,
    ]


def test_under_an_error_the_last_good_value_stays_with_the_error_beside_it(vehicle: Vehicle) -> None:
    ingest_readings(batch=[seen(vehicle, 50, at=NOON)])
    ingest_readings(batch=[failed(vehicle, at=NOON + minutes(5))])
    row = latest(vehicle)
    assert (row.value, row.status, row.error_type) == (50, SignalStatus.ERROR, "COMPATIBILITY")


def test_a_good_value_after_an_error_clears_it(vehicle: Vehicle) -> None:
    ingest_readings(batch=[failed(vehicle, at=NOON)])
    ingest_readings(batch=[seen(vehicle, 50, at=NOON + minutes(1), retrieved=NOON + minutes(1))])
    assert (latest(vehicle).status, latest(vehicle).error_type) == (SignalStatus.SUCCESS, "")


def test_a_signal_that_was_never_available_is_known_as_such(vehicle: Vehicle) -> None:
    nothing = SignalReading(code=CODE, status=SignalStatus.UNAVAILABLE, retrieved_at=NOON)
    ingest_readings(batch=[ReceivedReading(vehicle.pk, nothing, received_at=NOON)])
    assert (latest(vehicle).body, latest(vehicle).status) == (None, SignalStatus.UNAVAILABLE)


def test_last_heard_moves_forward_only(vehicle: Vehicle) -> None:
    ingest_readings(batch=[seen(vehicle, 50, at=NOON, received=NOON + minutes(9))])
    ingest_readings(batch=[seen(vehicle, 51, at=NOON + minutes(1), received=NOON + minutes(3))])
    vehicle.refresh_from_db()
    assert vehicle.last_seen_at == NOON + minutes(9)


@pytest.mark.parametrize("cars", [1, 20])
def test_the_number_of_queries_does_not_grow_with_the_cars_of_a_batch(
    fleet: Fleet, django_assert_num_queries: DjangoAssertNumQueries, cars: int
) -> None:
    made = [Vehicle.objects.create(fleet=fleet, smartcar_id=str(number)) for number in range(cars)]
    with django_assert_num_queries(5):  # and one that bypasses Django's cursor
        ingest_readings(batch=[seen(car, 50, at=NOON) for car in made])
    identified = [
        told(car, signal, "1" * 17) for car in made for signal in (catalogue.VIN, catalogue.NICKNAME)
    ]
    with django_assert_num_queries(5):
        ingest_readings(batch=identified)


def test_recording_one_car_leaves_the_other_alone(fleet: Fleet, vehicle: Vehicle) -> None:
    other = Vehicle.objects.create(fleet=fleet, smartcar_id="other")
    ingest_readings(batch=[seen(vehicle, 50, at=NOON)])
    assert not LatestSignal.objects.filter(vehicle=other).exists()


def test_updates_tell_what_became_newer_oldest_first(vehicle: Vehicle) -> None:
    recorded = ingest_readings(batch=[seen(vehicle, 48, at=NOON + minutes(5)), seen(vehicle, 50, at=NOON)])
    assert [update.body["value"] for update in recorded.updates] == [50, 48]


def told(vehicle: Vehicle, signal: catalogue.Signal, value: str, *, at: datetime = NOON) -> ReceivedReading:
    observation = SignalReading(
        code=signal.code, status=SignalStatus.SUCCESS, body={"value": value}, oem_updated_at=at
    )
    return ReceivedReading(vehicle.pk, observation, received_at=at)


def test_the_vin_signal_fills_the_cars_vin(vehicle: Vehicle) -> None:
    ingest_readings(batch=[told(vehicle, catalogue.VIN, "5YJ3E1EA7KF317000")])
    vehicle.refresh_from_db()
    assert vehicle.vin == "5YJ3E1EA7KF317000"


@pytest.mark.parametrize(("named", "after"), [("", "Blue lightning"), ("Van 7", "Van 7")])
def test_the_nickname_names_a_car_that_nobody_has_named(vehicle: Vehicle, named: str, after: str) -> None:
    Vehicle.objects.update(name=named, vin="5YJ3E1EA7KF317000")
    older = told(vehicle, catalogue.NICKNAME, "Rust bucket", at=NOON - minutes(1))
    ingest_readings(batch=[told(vehicle, catalogue.NICKNAME, "Blue lightning"), older])
    vehicle.refresh_from_db()
    assert (vehicle.name, vehicle.vin) == (after, "5YJ3E1EA7KF317000")


def test_registering_again_updates_facts_and_never_blanks_them(fleet: Fleet) -> None:
    first = upsert_vehicle(
        fleet=fleet, facts=VehicleFacts(smartcar_id="car", make="KIA", model="EV6", year=2023)
    )
    again = upsert_vehicle(fleet=fleet, facts=VehicleFacts(smartcar_id="car", make="KIA", powertrain="BEV"))
    assert again.pk == first.pk
    assert (again.model, again.year, again.powertrain) == ("EV6", 2023, "BEV")


moments = st.integers(min_value=0, max_value=6).map(lambda step: NOON + minutes(step))
arrivals = st.lists(
    st.tuples(moments, st.integers(0, 100)), min_size=1, max_size=8, unique_by=lambda each: each[0]
)


@given(arrivals=arrivals, order=st.randoms())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_order_of_arrival_does_not_matter(
    fleet: Fleet, arrivals: list[tuple[datetime, int]], order: random.Random
) -> None:
    """Whatever the order and however the batches fall, state and history are those of an in-order run."""
    vehicle = Vehicle.objects.create(fleet=fleet, smartcar_id=str(uuid.uuid4()))
    shuffled = list(arrivals)
    order.shuffle(shuffled)
    for at, value in shuffled:
        ingest_readings(batch=[seen(vehicle, value, at=at)])
    newest = max(arrivals)
    assert (latest(vehicle).observed_at, latest(vehicle).value) == newest
    assert Reading.objects.filter(vehicle=vehicle).count() == len(arrivals)

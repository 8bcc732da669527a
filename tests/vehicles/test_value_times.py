"""The time of a value: what is believed of vehicles' clocks, and which of two values is newer."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from vehicles import catalogue
from vehicles.correction_notes import CorrectionNote
from vehicles.models import LatestSignal, Reading, Vehicle
from vehicles.observations import SignalReading, SignalStatus
from vehicles.services import IngestResult, ReceivedReading, ingest_readings

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
CODE = catalogue.STATE_OF_CHARGE.code
AGES_AGO = timedelta(weeks=1024)


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def ingest(
    vehicle: Vehicle,
    value: float,
    *,
    oem: datetime | None = None,
    retrieved: datetime | None = None,
    received: datetime | None = None,
    **fields: Any,
) -> IngestResult:
    reading = SignalReading(
        CODE,
        SignalStatus.SUCCESS,
        {"value": value, "unit": "percent"},
        oem_updated_at=oem,
        retrieved_at=retrieved,
    )
    received = received or retrieved or NOON
    return ingest_readings(batch=[ReceivedReading(vehicle.pk, reading, received, **fields)])


def latest(vehicle: Vehicle) -> LatestSignal:
    return LatestSignal.objects.get(vehicle=vehicle, code=CODE)


def history(vehicle: Vehicle) -> list[tuple[datetime, float]]:
    rows = Reading.objects.filter(vehicle=vehicle).order_by("observed_at")
    return [(row.observed_at, row.body["value"]) for row in rows]


def test_value_is_never_newer_than_its_retrieval(vehicle: Vehicle) -> None:
    ingest(vehicle, 50, oem=NOON + minutes(4), retrieved=NOON)
    assert latest(vehicle).observed_at == NOON
    ingest(vehicle, 49, oem=NOON + minutes(2), retrieved=NOON + minutes(2))
    assert latest(vehicle).value == 49


def test_repetition_of_a_value_from_a_fast_clock_adds_no_history(vehicle: Vehicle) -> None:
    for step in range(3):
        ingest(vehicle, 50, oem=NOON + minutes(4), retrieved=NOON + minutes(step))
    assert history(vehicle) == [(NOON, 50)]


def test_retrieval_is_never_after_the_receipt(vehicle: Vehicle) -> None:
    ingest(vehicle, 50, retrieved=NOON + minutes(3), received=NOON)
    assert (latest(vehicle).observed_at, latest(vehicle).reported_at) == (NOON, NOON)


def test_values_from_a_clock_far_behind_are_used_after_some_newer_retrievals(vehicle: Vehicle) -> None:
    ingest(vehicle, 80, oem=NOON, retrieved=NOON)
    for step in (10, 20):
        at = NOON + minutes(step)
        ingest(vehicle, 70, oem=at - AGES_AGO, retrieved=at)
    assert (latest(vehicle).value, latest(vehicle).notes) == (80, [])
    for step in (40, 50):
        ingest(vehicle, 60 - step, oem=NOON + minutes(step) - AGES_AGO, retrieved=NOON + minutes(step))
    row = latest(vehicle)
    assert (row.value, row.observed_at) == (10, NOON + minutes(50))
    assert row.notes == [CorrectionNote.CLOCK_BEHIND.value]


def test_repetitions_from_a_clock_far_behind_add_no_history(vehicle: Vehicle) -> None:
    ingest(vehicle, 80, oem=NOON, retrieved=NOON)
    measured = NOON + minutes(10) - AGES_AGO
    for step in (10, 40, 50, 60):
        ingest(vehicle, 70, oem=measured, retrieved=NOON + minutes(step))
    assert history(vehicle)[1:] == [(NOON, 80), (NOON + minutes(50), 70)]
    assert latest(vehicle).notes == [CorrectionNote.CLOCK_BEHIND.value]


def test_corrected_clock_is_believed_again(vehicle: Vehicle) -> None:
    ingest(vehicle, 80, oem=NOON, retrieved=NOON)
    for step in (10, 40, 50):
        ingest(vehicle, step, oem=NOON + minutes(step) - AGES_AGO, retrieved=NOON + minutes(step))
    ingest(vehicle, 33, oem=NOON + minutes(58), retrieved=NOON + minutes(60))
    row = latest(vehicle)
    assert (row.value, row.observed_at, row.notes) == (33, NOON + minutes(58), [])


def test_late_value_is_not_mistaken_for_a_clock_behind(vehicle: Vehicle) -> None:
    ingest(vehicle, 80, oem=NOON, retrieved=NOON)
    ingest(vehicle, 80, oem=NOON, retrieved=NOON + minutes(300))
    ingest(vehicle, 90, oem=NOON - minutes(60), retrieved=NOON - minutes(59), received=NOON + minutes(301))
    assert (latest(vehicle).value, latest(vehicle).observed_at) == (80, NOON)


def test_only_new_reports_of_the_vehicle_are_contact(vehicle: Vehicle) -> None:
    """A value without the manufacturer's time changed after the previous retrieval, at an unknown time."""
    (first,) = ingest(vehicle, 50, retrieved=NOON).updates
    (same,) = ingest(vehicle, 50, retrieved=NOON + minutes(5)).updates
    (changed,) = ingest(vehicle, 49, retrieved=NOON + minutes(9)).updates
    (timed,) = ingest(vehicle, 48, oem=NOON + minutes(10), retrieved=NOON + minutes(11)).updates
    contacts = [update.contact_at for update in (first, same, changed, timed)]
    assert contacts == [None, None, NOON + minutes(5), NOON + minutes(10)]


def test_all_values_are_stored_while_the_manufacturers_time_stands_still(vehicle: Vehicle) -> None:
    for step, value in ((1, 60), (11, 55), (12, 55), (21, 50)):
        ingest(vehicle, value, oem=NOON, retrieved=NOON + minutes(step))
    assert history(vehicle) == [(NOON, 60), (NOON + minutes(11), 55), (NOON + minutes(21), 50)]
    assert (latest(vehicle).value, latest(vehicle).observed_at) == (50, NOON + minutes(21))


def test_replaying_values_whose_time_stood_still_changes_nothing(vehicle: Vehicle) -> None:
    for replayed in (False, True):
        for step, value in ((1, 60), (11, 55), (21, 50)):
            ingest(vehicle, value, oem=NOON, retrieved=NOON + minutes(step), replayed=replayed)
    assert len(history(vehicle)) == 3
    assert latest(vehicle).value == 50


def test_late_value_with_the_same_time_is_stored_but_not_newer(vehicle: Vehicle) -> None:
    ingest(vehicle, 55, oem=NOON, retrieved=NOON + minutes(11))
    ingest(vehicle, 60, oem=NOON, retrieved=NOON + minutes(1))
    assert latest(vehicle).value == 55
    assert 60 in [value for _, value in history(vehicle)]


def test_values_without_times_are_ordered_by_delivery(vehicle: Vehicle) -> None:
    ingest(vehicle, 50, delivered_at=NOON + minutes(2), received=NOON + minutes(9))
    ingest(vehicle, 60, delivered_at=NOON + minutes(1), received=NOON + minutes(10))
    assert (latest(vehicle).value, latest(vehicle).observed_at) == (50, NOON + minutes(2))


def test_delivery_is_never_after_its_receipt(vehicle: Vehicle) -> None:
    ingest(vehicle, 50, delivered_at=NOON + minutes(90), received=NOON)
    assert latest(vehicle).observed_at == NOON


def test_pulled_value_with_the_same_time_and_a_later_retrieval_is_newer(vehicle: Vehicle) -> None:
    ingest(vehicle, 50, oem=NOON, retrieved=NOON + minutes(1), sequence=8)
    ingest(vehicle, 49, oem=NOON, retrieved=NOON + minutes(2))
    assert latest(vehicle).value == 49


def test_of_values_with_the_same_times_the_one_that_arrived_last_is_newer(vehicle: Vehicle) -> None:
    for value in (50, 49):
        ingest(vehicle, value, oem=NOON, retrieved=NOON + minutes(1))
    assert latest(vehicle).value == 49
    ingest(vehicle, 50, oem=NOON, retrieved=NOON + minutes(1), replayed=True)
    assert latest(vehicle).value == 49

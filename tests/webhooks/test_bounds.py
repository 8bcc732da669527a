"""What one sender or one vehicle can use up: a share of the queue, of memory, of the caches, and of stored errors."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Fleet
from connect.applications import registry, services
from connect.applications.models import SmartcarApplication
from connect.applications.services import Secrets
from connect.models import Connection
from tests.webhooks.helpers import state_of
from vehicles import catalogue
from vehicles.models import LatestSignal, Vehicle
from webhooks import processing, retention, vehicle_errors, writer
from webhooks.models import EntryState, InboxEntry, VehicleError
from webhooks.parsing import signals
from webhooks.parsing.errors import read_errors
from webhooks.parsing.types import ReportedError
from webhooks.receiver import VerifiedDelivery
from webhooks.vehicle_errors import ErrorOccurrence
from webhooks.writer import StorageUnavailableError, Writer

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def flooding() -> SmartcarApplication:
    """An application whose operator has the token, and so can sign any delivery."""
    row = SmartcarApplication(name="Second", application_id="app-2", client_id="client_2", webhook_id="wh-2")
    saved = services.save_application(row=row, secrets=Secrets(management_tokens=("token-of-the-second",)))
    registry.clear_key_cache()
    return saved


def queue(body: bytes, *, application: SmartcarApplication | None = None, count: int = 1) -> None:
    InboxEntry.objects.bulk_create(
        InboxEntry(body=body, application=application, key_fingerprint="key", received_at=timezone.now())
        for _ in range(count)
    )


@pytest.mark.django_db
def test_deliveries_of_one_application_do_not_delay_those_of_others(
    vehicle: Vehicle, connection: Connection, flooding: SmartcarApplication
) -> None:
    queue(b"{}", application=flooding, count=3 * processing.BATCH)
    queue(state_of(vehicle.smartcar_id, locked=True, at=int(timezone.now().timestamp() * 1000)))
    assert processing._process_batch() == processing.BATCH
    assert LatestSignal.objects.get(vehicle=vehicle, code=catalogue.IS_LOCKED.code).value is True
    assert InboxEntry.objects.filter(state=EntryState.WAITING).count() == 2 * processing.BATCH + 1
    processing.process_waiting()
    assert not InboxEntry.objects.filter(state=EntryState.WAITING).exists()


@pytest.mark.django_db
def test_failing_deliveries_of_one_application_do_not_delay_those_of_others(
    vehicle: Vehicle,
    connection: Connection,
    flooding: SmartcarApplication,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    handle = processing._handle

    def fail(entries: Any) -> None:
        if any(entry.application_id for entry in entries):
            raise ValueError("cannot be processed")
        handle(entries)

    monkeypatch.setattr(processing, "_handle", fail)
    queue(b"{}", application=flooding, count=processing.BATCH + 1)
    queue(state_of(vehicle.smartcar_id, locked=True, at=int(timezone.now().timestamp() * 1000)))
    processing._process_batch()
    assert LatestSignal.objects.filter(vehicle=vehicle, code=catalogue.IS_LOCKED.code).exists()


@pytest.mark.django_db
def test_unrecorded_deliveries_of_one_application_have_a_limited_size(
    flooding: SmartcarApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "UNRECORDED_BYTES", 1000)
    monkeypatch.setattr(retention, "BATCH", 3)
    queue(b"x" * 100, count=5)
    queue(b"x" * 100, application=flooding, count=20)
    InboxEntry.objects.update(state=EntryState.QUARANTINED)
    queue(b"x" * 100, application=flooding, count=5)
    InboxEntry.objects.filter(state=EntryState.WAITING).update(state=EntryState.PROCESSED)
    newest = list(
        InboxEntry.objects.filter(application=flooding, state=EntryState.QUARANTINED)
        .order_by("-id")
        .values_list("pk", flat=True)[:10]
    )
    assert retention.trim_unrecorded() == 10
    left = InboxEntry.objects.filter(state=EntryState.QUARANTINED)
    assert sorted(left.filter(application=flooding).values_list("pk", flat=True)) == sorted(newest)
    assert left.filter(application=None).count() == 5
    assert InboxEntry.objects.filter(state=EntryState.PROCESSED).count() == 5


@pytest.mark.django_db(transaction=True)
def test_deliveries_of_one_application_leave_memory_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "WAITING_BYTES", 200)
    monkeypatch.setattr(writer, "APPLICATION_BYTES", 100)
    SmartcarApplication.objects.create(pk=7, name="Second", application_id="app-2", client_id="client_2")

    def delivery(application: int | None) -> VerifiedDelivery:
        return VerifiedDelivery(
            body=b"x" * 40, application_id=application, key_fingerprint="key", received_at=NOON
        )

    async def store() -> list[Any]:
        inbox = Writer(stored=lambda: None)
        stored = [inbox.store(delivery(application)) for application in (7, 7, 7, 7, None, None)]
        answers: list[Any] = await asyncio.gather(*stored, return_exceptions=True)
        answers += await asyncio.gather(inbox.store(delivery(7)))  # once the others are stored
        await inbox.close()
        return answers

    refused = [isinstance(answer, StorageUnavailableError) for answer in asyncio.run(store())]
    assert refused == [False, False, True, True, False, False, False]


@pytest.mark.django_db
def test_vehicle_has_a_limited_number_of_stored_errors(
    vehicle: Vehicle, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vehicle_errors, "MAX_ERRORS", 5)
    other = Vehicle.objects.create(fleet=fleet, smartcar_id="other")

    def occurrence(car: Vehicle, number: int) -> ErrorOccurrence:
        error = ReportedError(type=f"TYPE_{number}", state="ERROR")
        return ErrorOccurrence(car.pk, "user-1", error, f"event-{number}", NOON + timedelta(hours=number))

    vehicle_errors.record_new([occurrence(other, 0)])
    new = vehicle_errors.record_new([occurrence(vehicle, number) for number in range(8)])
    assert len(new) == 8
    stored = VehicleError.objects.filter(vehicle=vehicle).values_list("type", flat=True)
    assert sorted(stored) == [f"TYPE_{number}" for number in range(3, 8)]
    assert VehicleError.objects.filter(vehicle=other).count() == 1


def test_event_has_a_limited_number_of_errors_and_signals() -> None:
    errors, skipped = read_errors(
        [
            {"type": f"TYPE_{number}", "signals": [f"code-{each}" for each in range(300)]}
            for number in range(60)
        ]
    )
    assert (len(errors), skipped) == (50, ("errors: 10 too many",))
    assert {len(error.signals) for error in errors} == {200}


def test_long_bodies_and_times_are_not_cached() -> None:
    """The caches have many thousand entries, so each must be small."""
    for cache in (signals._normalize_cached, signals._moments):
        cache.cache_clear()
    for body in ({"value": "x" * 200_000}, {"value": 61, "unit": "percent", "other": ["x"] * 1000}):
        signals.observe(catalogue.STATE_OF_CHARGE.code, body)
    for time in ("x" * 200_000, ["x" * 200_000], {"at": 1}):
        signals.read_times({"oemUpdatedAt": time, "retrievedAt": 1_760_000_000_000}, latest=NOON)
    assert signals._normalize_cached.cache_info().currsize == 0
    assert signals._moments.cache_info().currsize == 0
    signals.observe(catalogue.STATE_OF_CHARGE.code, {"value": 61, "unit": "percent"})
    signals.read_times({"oemUpdatedAt": 1_760_000_000_000}, latest=NOON)
    assert signals._normalize_cached.cache_info().currsize == 1
    assert signals._moments.cache_info().currsize == 1

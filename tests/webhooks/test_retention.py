"""Retention of the inbox."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from webhooks import retention
from webhooks.models import EntryState, InboxEntry

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)


def create_delivery(state: EntryState, *, days: float) -> InboxEntry:
    return InboxEntry.objects.create(
        state=state, received_at=timezone.now() - timedelta(days=days), body=b"{}", event_id=f"{state}-{days}"
    )


def remaining() -> list[tuple[str, bytes]]:
    return [(each.event_id, bytes(each.body)) for each in InboxEntry.objects.order_by("id")]


@pytest.mark.parametrize("state", [EntryState.PROCESSED, EntryState.DUPLICATE, EntryState.TEST])
def test_processed_deliveries_are_deleted_after_the_retention_period(state: EntryState) -> None:
    for days in (40, 31, 29, 1):
        create_delivery(state, days=days)
    assert retention.purge(now=timezone.now()) == 2
    assert remaining() == [(f"{state}-29", b"{}"), (f"{state}-1", b"{}")]


def test_event_ids_are_retained_for_a_week_even_if_bodies_are_deleted_after_a_day(settings: Settings) -> None:
    settings.WEBHOOK_RETENTION_DAYS = 1
    for days in (8, 6, 2, 0.5):
        create_delivery(EntryState.PROCESSED, days=days)
    retention.purge(now=timezone.now())
    assert remaining() == [("processed-6", b""), ("processed-2", b""), ("processed-0.5", b"{}")]


@pytest.mark.parametrize("state", [EntryState.QUARANTINED, EntryState.DEAD])
def test_quarantined_and_undeliverable_deliveries_are_retained_longer(state: EntryState) -> None:
    for days in (200, 40, 31):
        create_delivery(state, days=days)
    create_delivery(EntryState.PROCESSED, days=35)
    retention.purge(now=timezone.now())
    assert remaining() == [(f"{state}-40", b"{}"), (f"{state}-31", b"{}")]


def test_waiting_deliveries_are_never_deleted() -> None:
    create_delivery(EntryState.WAITING, days=400)
    assert retention.purge(now=timezone.now()) == 0


def test_recent_deliveries_are_not_even_queried(django_assert_max_num_queries: object) -> None:
    now: datetime = timezone.now()
    for _ in range(10):
        create_delivery(EntryState.DEAD, days=1)
    with django_assert_max_num_queries(1):  # type: ignore[operator]
        retention.purge(now=now)

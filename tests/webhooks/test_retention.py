"""The inbox keeps what it has to, and not more."""

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


def entry(state: EntryState, *, days: float) -> InboxEntry:
    return InboxEntry.objects.create(
        state=state, received_at=timezone.now() - timedelta(days=days), body=b"{}", event_id=f"{state}-{days}"
    )


def kept() -> list[tuple[str, bytes]]:
    return [(each.event_id, bytes(each.body)) for each in InboxEntry.objects.order_by("id")]


@pytest.mark.parametrize("state", [EntryState.PROCESSED, EntryState.DUPLICATE, EntryState.TEST])
def test_what_was_done_goes_after_its_days(state: EntryState) -> None:
    for days in (40, 31, 29, 1):
        entry(state, days=days)
    assert retention.purge(now=timezone.now()) == 2
    assert kept() == [(f"{state}-29", b"{}"), (f"{state}-1", b"{}")]


def test_an_id_stays_a_week_even_where_bodies_go_after_a_day(settings: Settings) -> None:
    settings.WEBHOOK_RETENTION_DAYS = 1
    for days in (8, 6, 2, 0.5):
        entry(EntryState.PROCESSED, days=days)
    retention.purge(now=timezone.now())
    assert kept() == [("processed-6", b""), ("processed-2", b""), ("processed-0.5", b"{}")]


@pytest.mark.parametrize("state", [EntryState.QUARANTINED, EntryState.DEAD])
def test_what_was_set_aside_stays_longer(state: EntryState) -> None:
    for days in (200, 40, 31):
        entry(state, days=days)
    entry(EntryState.PROCESSED, days=35)
    retention.purge(now=timezone.now())
    assert kept() == [(f"{state}-40", b"{}"), (f"{state}-31", b"{}")]


def test_what_waits_is_never_dropped() -> None:
    entry(EntryState.WAITING, days=400)
    assert retention.purge(now=timezone.now()) == 0


def test_young_messages_are_not_even_looked_at(django_assert_max_num_queries: object) -> None:
    now: datetime = timezone.now()
    for _ in range(10):
        entry(EntryState.DEAD, days=1)
    with django_assert_max_num_queries(1):  # type: ignore[operator]
        retention.purge(now=now)

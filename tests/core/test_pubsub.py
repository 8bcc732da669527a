"""Change events: published on commit, read from an offset, harmless without Redis."""

from collections.abc import Iterator

import pytest
from django.db import transaction
from pytest_django import Settings
from redis import Redis

from core import pubsub
from core.pubsub import ChangeEvent, Channel, current_offset, publish_on_commit
from tests.live import read_events

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def empty_streams(settings: Settings) -> Iterator[None]:
    with Redis.from_url(settings.REDIS_URL) as redis:
        for key in redis.keys("live:*"):
            redis.delete(key)
        yield


def test_events_are_read_from_the_reader_s_offset() -> None:
    here = current_offset(fleet_id=1)
    publish_on_commit(channel=Channel.SIGNALS, vehicles={1: [7, 8], 2: [9]})
    publish_on_commit(channel=Channel.COMMANDS, vehicles={1: [8]})
    batch = read_events(fleet_id=1, since=here)
    assert batch.events == (
        ChangeEvent("signals", frozenset({7, 8})),
        ChangeEvent("commands", frozenset({8})),
    )
    assert batch.complete
    assert read_events(fleet_id=1, since=batch.offset).events == ()


def test_events_reach_only_their_own_fleet() -> None:
    here = current_offset(fleet_id=2)
    publish_on_commit(channel=Channel.SIGNALS, vehicles={1: [7]})
    assert read_events(fleet_id=2, since=here).events == ()


def test_a_rolled_back_change_is_not_published() -> None:
    here = current_offset(fleet_id=1)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        publish_on_commit(channel=Channel.SIGNALS, vehicles={1: [7]})
        raise ZeroDivisionError
    assert read_events(fleet_id=1, since=here).events == ()


def test_a_batch_is_incomplete_after_the_stream_was_trimmed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pubsub, "MAX_EVENTS", 100)
    here = current_offset(fleet_id=1)
    for _ in range(500):
        publish_on_commit(channel=Channel.SIGNALS, vehicles={1: [7]})
    assert not read_events(fleet_id=1, since=here).complete
    assert read_events(fleet_id=1, since=current_offset(fleet_id=1)).complete


def test_a_batch_is_incomplete_after_the_stream_was_deleted(settings: Settings) -> None:
    here = current_offset(fleet_id=1)
    with Redis.from_url(settings.REDIS_URL) as redis:
        redis.delete("live:1")
    assert not read_events(fleet_id=1, since=here).complete


def test_without_redis_publishing_is_skipped_for_a_while(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(pubsub, "_backoff_until", 0.0)
    settings.REDIS_URL = "unix:///nowhere/redis.sock"
    pubsub._redis.cache_clear()
    publish_on_commit(channel=Channel.SIGNALS, vehicles={1: [7]})
    publish_on_commit(channel=Channel.SIGNALS, vehicles={1: [7]})
    assert current_offset(fleet_id=1) == ""
    pubsub._redis.cache_clear()
    assert len(caplog.records) == 1


def test_without_redis_there_is_no_current_offset(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pubsub, "_backoff_until", 0.0)
    settings.REDIS_URL = "unix:///nowhere/redis.sock"
    pubsub._redis.cache_clear()
    assert current_offset(fleet_id=1) == ""
    pubsub._redis.cache_clear()
    monkeypatch.setattr(pubsub, "_backoff_until", 0.0)

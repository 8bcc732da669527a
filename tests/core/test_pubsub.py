"""Live notices: announced on commit, read on from a place, harmless without Redis."""

from collections.abc import Iterator

import pytest
from django.db import transaction
from pytest_django import Settings
from redis import Redis

from core import pubsub
from core.pubsub import Notice, Topic, announce, place
from tests.live import news

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def empty_streams(settings: Settings) -> Iterator[None]:
    with Redis.from_url(settings.REDIS_URL) as redis:
        for key in redis.keys("live:*"):
            redis.delete(key)
        yield


def test_what_is_announced_is_read_from_where_the_reader_was() -> None:
    here = place(fleet_id=1)
    announce(topic=Topic.SIGNALS, vehicles={1: [7, 8], 2: [9]})
    announce(topic=Topic.COMMANDS, vehicles={1: [8]})
    heard = news(fleet_id=1, since=here)
    assert heard.notices == (Notice("signals", frozenset({7, 8})), Notice("commands", frozenset({8})))
    assert heard.complete
    assert news(fleet_id=1, since=heard.place).notices == ()


def test_another_fleet_hears_nothing_of_it() -> None:
    here = place(fleet_id=2)
    announce(topic=Topic.SIGNALS, vehicles={1: [7]})
    assert news(fleet_id=2, since=here).notices == ()


def test_what_is_rolled_back_is_not_announced() -> None:
    here = place(fleet_id=1)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        announce(topic=Topic.SIGNALS, vehicles={1: [7]})
        raise ZeroDivisionError
    assert news(fleet_id=1, since=here).notices == ()


def test_a_reader_learns_that_it_was_away_for_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pubsub, "KEPT_NOTICES", 100)
    here = place(fleet_id=1)
    for _ in range(500):
        announce(topic=Topic.SIGNALS, vehicles={1: [7]})
    assert not news(fleet_id=1, since=here).complete
    assert news(fleet_id=1, since=place(fleet_id=1)).complete


def test_a_reader_whose_stream_is_gone_learns_it(settings: Settings) -> None:
    here = place(fleet_id=1)
    with Redis.from_url(settings.REDIS_URL) as redis:
        redis.delete("live:1")
    assert not news(fleet_id=1, since=here).complete


def test_without_redis_nothing_breaks_and_nothing_is_tried_for_a_while(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(pubsub, "_silent_until", 0.0)
    settings.REDIS_URL = "unix:///nowhere/redis.sock"
    pubsub._redis.cache_clear()
    announce(topic=Topic.SIGNALS, vehicles={1: [7]})
    announce(topic=Topic.SIGNALS, vehicles={1: [7]})
    assert place(fleet_id=1) == ""
    pubsub._redis.cache_clear()
    assert len(caplog.records) == 1


def test_without_redis_there_is_no_place_to_go_on_from(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pubsub, "_silent_until", 0.0)
    settings.REDIS_URL = "unix:///nowhere/redis.sock"
    pubsub._redis.cache_clear()
    assert place(fleet_id=1) == ""
    pubsub._redis.cache_clear()
    monkeypatch.setattr(pubsub, "_silent_until", 0.0)

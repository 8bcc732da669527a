"""Change events for open pages, published over Redis Streams.

Each fleet has one short-lived stream. An event names a channel and ids of our vehicles, never a value, a place or a
VIN: readers query the database, which applies their permissions. The database is the source of truth. While Redis is
unavailable nothing is published, nothing fails, and pages fall back to polling.
"""

import logging
import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import cast

from django.conf import settings
from django.db import transaction
from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

Entries = list[tuple[str, dict[str, str]]]
logger = logging.getLogger(__name__)

# A page that was disconnected for longer reloads.
MAX_EVENTS = 1000
MAX_AGE_SECONDS = 3600
# After a failure, Redis is not tried again for this long: a hanging server must not slow the caller down.
BACKOFF_SECONDS = 5.0
_COMMAND_TIMEOUT_SECONDS = 1.0
_READ_TIMEOUT_SECONDS = 20.0
_MARK = {"topic": "", "vehicles": ""}
_backoff_until = 0.0


class Channel(StrEnum):
    """What an event is about."""

    SIGNALS = "signals"
    COMMANDS = "commands"
    CONNECTIONS = "connections"


@dataclass(frozen=True, slots=True)
class ChangeEvent:
    """A change to these vehicles (ids of our rows)."""

    channel: str
    vehicle_ids: frozenset[int]


@dataclass(frozen=True, slots=True)
class EventBatch:
    """The events after an offset in the stream. `offset` is where the next read starts.

    `complete` is False when older events may be lost: everything on the page may then be outdated.
    """

    offset: str
    events: tuple[ChangeEvent, ...] = ()
    complete: bool = True


def publish_on_commit(*, channel: Channel, vehicles: Mapping[int, Collection[int]]) -> None:
    """Publishes a change to vehicles once the transaction is committed. Never raises.

    `vehicles` maps the id of a fleet to ids of its vehicles.
    """
    changed = {fleet_id: frozenset(ids) for fleet_id, ids in vehicles.items() if ids}
    if changed:
        transaction.on_commit(lambda: _publish(channel, changed))


def _publish(channel: Channel, changed: Mapping[int, Iterable[int]]) -> None:
    if _is_backing_off():
        return
    try:
        pipeline = _redis().pipeline(transaction=False)
        for fleet_id, ids in changed.items():
            fields = {"topic": channel.value, "vehicles": ",".join(map(str, sorted(ids)))}
            pipeline.xadd(_stream(fleet_id), fields, maxlen=MAX_EVENTS, approximate=True)  # type: ignore[arg-type]
            pipeline.expire(_stream(fleet_id), MAX_AGE_SECONDS)
        pipeline.execute()
    except (RedisError, OSError) as error:
        _back_off(error)


def current_offset(*, fleet_id: int) -> str:
    """The current end of the fleet's stream. Take the offset before querying what a page shows.

    "" without Redis: there is no stream to resume from.
    """
    if _is_backing_off():
        return ""
    stream = _stream(fleet_id)
    try:
        newest = cast(Entries, _redis().xrevrange(stream, count=1))
        if newest:
            return newest[0][0]
        # An empty stream gets a marker entry: while the marker exists, no later event was lost.
        mark = _redis().xadd(stream, _MARK)  # type: ignore[arg-type]
        _redis().expire(stream, MAX_AGE_SECONDS)
    except (RedisError, OSError) as error:
        _back_off(error)
        return ""
    return str(mark)


def _is_backing_off() -> bool:
    return time.monotonic() < _backoff_until


def _back_off(error: Exception) -> None:
    global _backoff_until
    _backoff_until = time.monotonic() + BACKOFF_SECONDS
    logger.warning("Live updates are paused (%s).", type(error).__name__)


class Subscriber:
    """Reads streams, for one event loop."""

    def __init__(self) -> None:
        self._redis = AsyncRedis.from_url(
            settings.REDIS_URL,
            decode_responses=True,
            socket_connect_timeout=1,
            socket_timeout=_READ_TIMEOUT_SECONDS,
        )

    async def read(self, *, fleet_id: int, since: str, wait: float = 0.0) -> EventBatch:
        """The events after an offset; when there are none yet, waits up to `wait` seconds (at most 15) for the first.

        Raises redis.exceptions.RedisError, also for an invalid offset.
        """
        stream = _stream(fleet_id)
        if wait:
            await self._redis.xread({stream: since}, count=1, block=round(min(wait, 15) * 1000))
        oldest = cast(Entries, await self._redis.xrange(stream, count=1))
        entries = cast(Entries, await self._redis.xrange(stream, min=f"({since}"))
        return EventBatch(
            offset=entries[-1][0] if entries else since,
            events=tuple(_event(fields) for _, fields in entries if fields["topic"]),
            complete=bool(oldest) and _order(oldest[0][0]) <= _order(since),
        )

    async def close(self) -> None:
        """Closes the connections."""
        await self._redis.aclose()


def _event(fields: Mapping[str, str]) -> ChangeEvent:
    return ChangeEvent(fields["topic"], frozenset(int(number) for number in fields["vehicles"].split(",")))


def _order(entry_id: str) -> tuple[int, int]:
    milliseconds, _, number = entry_id.partition("-")
    return int(milliseconds), int(number or 0)


def _stream(fleet_id: int) -> str:
    return f"live:{fleet_id}"


@cache
def _redis() -> Redis:
    return Redis.from_url(
        settings.REDIS_URL,
        decode_responses=True,
        socket_connect_timeout=1,
        socket_timeout=_COMMAND_TIMEOUT_SECONDS,
        retry=Retry(NoBackoff(), 1),  # an idle connection may date from before a restart of Redis
    )

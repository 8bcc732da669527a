"""Live notices: that something is new about which cars of a fleet, for pages that show it at once.

One stream per fleet in Redis, short and passing: a notice holds a topic and ids of our rows, never a value, a place or
a VIN, so whoever reads asks the database, which knows what they may see. The database stays the truth: with Redis gone
nothing is announced, nothing breaks, and pages fall back to polling.
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

# A page that was away for longer loads itself again.
KEPT_NOTICES = 1000
KEPT_SECONDS = 3600
# After a failure nothing is tried for so long: a broker that hangs must not slow the work down.
PAUSE_SECONDS = 5.0
_ASKING_SECONDS = 1.0
_READING_SECONDS = 20.0
_MARK = {"topic": "", "vehicles": ""}
_silent_until = 0.0


class Topic(StrEnum):
    """What is new."""

    SIGNALS = "signals"
    COMMANDS = "commands"
    CONNECTIONS = "connections"


@dataclass(frozen=True, slots=True)
class Notice:
    """Something is new about these cars (ids of our vehicles)."""

    topic: str
    vehicle_ids: frozenset[int]


@dataclass(frozen=True, slots=True)
class News:
    """What was announced since a place in the stream. `place` is where to go on from.

    `complete` is False where older notices may be lost: then everything on the page may be old.
    """

    place: str
    notices: tuple[Notice, ...] = ()
    complete: bool = True


def announce(*, topic: Topic, vehicles: Mapping[int, Collection[int]]) -> None:
    """Tells, once the transaction is in, that something is new about cars: ids of vehicles by id of their fleet.

    Never raises.
    """
    told = {fleet_id: frozenset(ids) for fleet_id, ids in vehicles.items() if ids}
    if told:
        transaction.on_commit(lambda: _publish(topic, told))


def _publish(topic: Topic, told: Mapping[int, Iterable[int]]) -> None:
    if _silent():
        return
    try:
        pipeline = _redis().pipeline(transaction=False)
        for fleet_id, ids in told.items():
            fields = {"topic": topic.value, "vehicles": ",".join(map(str, sorted(ids)))}
            pipeline.xadd(_stream(fleet_id), fields, maxlen=KEPT_NOTICES, approximate=True)  # type: ignore[arg-type]
            pipeline.expire(_stream(fleet_id), KEPT_SECONDS)
        pipeline.execute()
    except (RedisError, OSError) as error:
        _fall_silent(error)


def place(*, fleet_id: int) -> str:
    """Where the fleet's stream is now. Take it before reading from the database what a page shows.

    "" without Redis: then there is no stream to go on from.
    """
    if _silent():
        return ""
    stream = _stream(fleet_id)
    try:
        newest = cast(Entries, _redis().xrevrange(stream, count=1))
        if newest:
            return newest[0][0]
        # An empty stream gets an entry to stand on: as long as it is there, nothing after it is lost.
        mark = _redis().xadd(stream, _MARK)  # type: ignore[arg-type]
        _redis().expire(stream, KEPT_SECONDS)
    except (RedisError, OSError) as error:
        _fall_silent(error)
        return ""
    return str(mark)


def _silent() -> bool:
    return time.monotonic() < _silent_until


def _fall_silent(error: Exception) -> None:
    global _silent_until
    _silent_until = time.monotonic() + PAUSE_SECONDS
    logger.warning("Pages are not kept live for now (%s).", type(error).__name__)


class Listener:
    """Hears what is announced, for one event loop."""

    def __init__(self) -> None:
        self._redis = AsyncRedis.from_url(
            settings.REDIS_URL,
            decode_responses=True,
            socket_connect_timeout=1,
            socket_timeout=_READING_SECONDS,
        )

    async def news(self, *, fleet_id: int, since: str, wait: float = 0.0) -> News:
        """What was announced since a place; where that is nothing yet, the first within `wait` seconds (at most 15).

        Raises redis.exceptions.RedisError, also for a place that nobody gave out.
        """
        stream = _stream(fleet_id)
        if wait:
            await self._redis.xread({stream: since}, count=1, block=round(min(wait, 15) * 1000))
        oldest = cast(Entries, await self._redis.xrange(stream, count=1))
        entries = cast(Entries, await self._redis.xrange(stream, min=f"({since}"))
        return News(
            place=entries[-1][0] if entries else since,
            notices=tuple(_notice(fields) for _, fields in entries if fields["topic"]),
            complete=bool(oldest) and _order(oldest[0][0]) <= _order(since),
        )

    async def close(self) -> None:
        """Gives the connections back."""
        await self._redis.aclose()


def _notice(fields: Mapping[str, str]) -> Notice:
    return Notice(fields["topic"], frozenset(int(number) for number in fields["vehicles"].split(",")))


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
        socket_timeout=_ASKING_SECONDS,
        retry=Retry(NoBackoff(), 1),  # a connection that was idle while Redis was restarted
    )

"""Cooldowns: waits that Smartcar requested (Retry-After), shared by all processes.

A cooldown applies to one vehicle or to a whole application. One with `for_reads` defers background requests only, the
others defer all requests.
"""

import math
import time
from dataclasses import dataclass

from redis import Redis

from smartcar_api.ratelimit import redis_fallback

_MAX_LOCAL = 10_000

_local: dict[str, float] = {}


@dataclass(frozen=True, slots=True)
class CooldownScope:
    """The vehicle or application that a cooldown applies to, by Smartcar's ID. `kind` is "car" or "application"."""

    kind: str
    name: str

    def key(self, *, for_reads: bool) -> str:
        """The key in Redis."""
        return f"{redis_fallback.PREFIX}:wait:{'reads' if for_reads else 'all'}:{self.kind}:{self.name}"


def start(scope: CooldownScope, *, seconds: float, for_reads: bool = False) -> None:
    """Starts a cooldown, or replaces the current one."""
    key = scope.key(for_reads=for_reads)
    milliseconds = max(1, math.ceil(seconds * 1000))
    if len(_local) >= _MAX_LOCAL:
        _drop_expired()
    _local[key] = time.monotonic() + seconds
    redis_fallback.run(lambda redis: redis.set(key, 1, px=milliseconds), fallback=lambda: None)


def remaining(scopes: list[CooldownScope], *, for_reads: bool) -> float:
    """Returns the seconds until none of these has a cooldown. `for_reads` includes cooldowns for reads only."""
    keys = [
        scope.key(for_reads=kind) for scope in scopes for kind in ((False, True) if for_reads else (False,))
    ]
    if not keys:
        return 0.0

    def read_shared(redis: Redis) -> float:
        with redis.pipeline(transaction=False) as pipe:
            for key in keys:
                pipe.pttl(key)
            longest: int = max(0, *pipe.execute())
            return longest / 1000

    return redis_fallback.run(read_shared, fallback=lambda: max(_remaining_locally(key) for key in keys))


def clear_local() -> None:
    """Clears this process's own copy of the cooldowns."""
    _local.clear()


def _remaining_locally(key: str) -> float:
    return max(0.0, _local.get(key, 0.0) - time.monotonic())


def _drop_expired() -> None:
    now = time.monotonic()
    for key in [key for key, until in _local.items() if until <= now]:
        del _local[key]

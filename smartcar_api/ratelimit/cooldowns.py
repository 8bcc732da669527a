"""What Smartcar told us to wait (Retry-After): known to all processes, and obeyed by all of them until it is over.

A wait stands for one car, or for a whole application. One `for_reads` holds back what nobody waits for; the others
hold back everything.
"""

import math
import time
from dataclasses import dataclass

from redis import Redis

from smartcar_api.ratelimit import redis_fallback

_KEPT_MOST = 10_000

_local: dict[str, float] = {}


@dataclass(frozen=True, slots=True)
class CooldownScope:
    """What a wait stands for: `kind` is "car" or "application", `name` Smartcar's id of it."""

    kind: str
    name: str

    def key(self, *, for_reads: bool) -> str:
        """Its place in Redis."""
        return f"{redis_fallback.PREFIX}:wait:{'reads' if for_reads else 'all'}:{self.kind}:{self.name}"


def remember(scope: CooldownScope, *, seconds: float, for_reads: bool = False) -> None:
    """Nothing goes there for so many seconds. The newest word counts."""
    key = scope.key(for_reads=for_reads)
    milliseconds = max(1, math.ceil(seconds * 1000))
    if len(_local) >= _KEPT_MOST:
        _forget_what_is_over()
    _local[key] = time.monotonic() + seconds
    redis_fallback.run(lambda redis: redis.set(key, 1, px=milliseconds), alone=lambda: None)


def remaining(scopes: list[CooldownScope], *, for_reads: bool) -> float:
    """The seconds until all of these may be asked again; 0 for now. `for_reads` adds the waits for reads only."""
    keys = [
        scope.key(for_reads=kind) for scope in scopes for kind in ((False, True) if for_reads else (False,))
    ]
    if not keys:
        return 0.0

    def together(redis: Redis) -> float:
        with redis.pipeline(transaction=False) as pipe:
            for key in keys:
                pipe.pttl(key)
            longest: int = max(0, *pipe.execute())
            return longest / 1000

    return redis_fallback.run(together, alone=lambda: max(_remaining_locally(key) for key in keys))


def forget() -> None:
    """Forgets what this process remembers by itself."""
    _local.clear()


def _remaining_locally(key: str) -> float:
    return max(0.0, _local.get(key, 0.0) - time.monotonic())


def _forget_what_is_over() -> None:
    now = time.monotonic()
    for key in [key for key, until in _local.items() if until <= now]:
        del _local[key]

"""The application's bucket of requests: 120, refilled by 2 a minute (Smartcar's "Operational Rate Limits").

All processes and both API versions share one bucket. Each purpose may use up a share of the bucket
(smartcar_api.ratelimit.priority), so that commands can be sent when reads have used up their share. The algorithm is
GCRA: one number in Redis per application, by Redis's own clock. Limits of different sizes on the same number are
therefore shares of the same bucket.
"""

import math
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache

from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry
from throttled import BaseStore, MemoryStore, RateLimiterType, RedisStore, Throttled, rate_limiter

from smartcar_api.ratelimit import redis_fallback

# The share of the limit that one process uses while Redis is unavailable.
FALLBACK_SHARE = 0.25
_NAMESPACE = f"{redis_fallback.PREFIX}:bucket"


@dataclass(frozen=True, slots=True)
class Size:
    """A bucket of `most` requests, refilled by `per_minute`. 0 for `most` means no limit."""

    most: int
    per_minute: float

    @classmethod
    def from_settings(cls) -> "Size":
        """Returns the size that Smartcar grants our applications."""
        return cls(settings.SMARTCAR_REQUEST_BUCKET, settings.SMARTCAR_REQUEST_REFILL)

    def share_of(self, share: float) -> int:
        """Returns a share of the bucket in requests, at least 1."""
        return max(1, math.floor(self.most * share))


def take(application: str, *, share: float) -> float:
    """Takes one request out of this application's bucket, of which the caller may use up `share`.

    Returns 0 on success, or else the seconds until a request will be available.
    """
    size = Size.from_settings()
    if size.most <= 0:
        return 0.0

    def take_from(limiter: Throttled) -> float:
        answer = limiter.limit(application)
        return answer.state.retry_after if answer.limited else 0.0

    return redis_fallback.run(
        lambda _: take_from(
            _limiter(_shared_store(settings.REDIS_URL), size.share_of(share), size.per_minute)
        ),
        fallback=lambda: take_from(
            _limiter(_local_store(), size.share_of(share * FALLBACK_SHARE), size.per_minute * FALLBACK_SHARE)
        ),
    )


def left(application: str) -> int | None:
    """Returns the number of available requests; None without a limit or without Redis."""
    size = Size.from_settings()
    if size.most <= 0:
        return None
    return redis_fallback.run(
        lambda _: (
            _limiter(_shared_store(settings.REDIS_URL), size.most, size.per_minute)
            .peek(application)
            .remaining
        ),
        fallback=lambda: None,
    )


@lru_cache(maxsize=32)
def _limiter(store: BaseStore, most: int, per_minute: float) -> Throttled:
    per_day = max(1, round(per_minute * timedelta(days=1) / timedelta(minutes=1)))
    quota = rate_limiter.per_duration(timedelta(days=1), per_day, burst=most)
    return Throttled(using=RateLimiterType.GCRA.value, quota=quota, store=store, key_prefix=_NAMESPACE)


@lru_cache(maxsize=4)
def _shared_store(url: str) -> RedisStore:
    pool_options = {
        "socket_timeout": redis_fallback.TIMEOUT_SECONDS,
        "socket_connect_timeout": redis_fallback.TIMEOUT_SECONDS,
        "retry": Retry(NoBackoff(), 1),
    }
    return RedisStore(server=url, options={"CONNECTION_POOL_KWARGS": pool_options})


@lru_cache(maxsize=1)
def _local_store() -> MemoryStore:
    return MemoryStore()

"""The application's bucket of requests, as Smartcar describes it ("Operational Rate Limits"): 120, and 2 more a minute.

One bucket for all processes and both API versions. How full a request finds it decides whether the request is sent:
each purpose may use its share of the bucket (smartcar_api.ratelimit.priority), so that commands have room when reads
have used theirs up. The algorithm is GCRA: one number in Redis for each application, by Redis's own clock, so that
limits of different size on the same number are shares of the same bucket.
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

# What one process allows itself while it cannot ask the others.
ALONE = 0.25
_NAMESPACE = f"{redis_fallback.PREFIX}:bucket"


@dataclass(frozen=True, slots=True)
class Size:
    """`most` requests at once, `per_minute` regained; 0 for `most` is no limit."""

    most: int
    per_minute: float

    @classmethod
    def of_settings(cls) -> "Size":
        """What Smartcar grants our applications."""
        return cls(settings.SMARTCAR_REQUEST_BUCKET, settings.SMARTCAR_REQUEST_REFILL)

    def part(self, share: float) -> int:
        """How many requests a share of it is; never none at all."""
        return max(1, math.floor(self.most * share))


def take(application: str, *, share: float) -> float:
    """Takes one request out of this application's bucket, down to what the share leaves for others.

    Returns 0 when it was there, else the seconds until it will be.
    """
    size = Size.of_settings()
    if size.most <= 0:
        return 0.0

    def ask(limiter: Throttled) -> float:
        answer = limiter.limit(application)
        return answer.state.retry_after if answer.limited else 0.0

    return redis_fallback.run(
        lambda _: ask(_limiter(_together(settings.REDIS_URL), size.part(share), size.per_minute)),
        alone=lambda: ask(_limiter(_alone(), size.part(share * ALONE), size.per_minute * ALONE)),
    )


def left(application: str) -> int | None:
    """How many requests are in the bucket; None without a limit, or when nobody can tell."""
    size = Size.of_settings()
    if size.most <= 0:
        return None
    return redis_fallback.run(
        lambda _: (
            _limiter(_together(settings.REDIS_URL), size.most, size.per_minute).peek(application).remaining
        ),
        alone=lambda: None,
    )


@lru_cache(maxsize=32)
def _limiter(store: BaseStore, most: int, per_minute: float) -> Throttled:
    a_day = max(1, round(per_minute * timedelta(days=1) / timedelta(minutes=1)))
    quota = rate_limiter.per_duration(timedelta(days=1), a_day, burst=most)
    return Throttled(using=RateLimiterType.GCRA.value, quota=quota, store=store, key_prefix=_NAMESPACE)


@lru_cache(maxsize=4)
def _together(url: str) -> RedisStore:
    waits = {
        "socket_timeout": redis_fallback.TIMEOUT_SECONDS,
        "socket_connect_timeout": redis_fallback.TIMEOUT_SECONDS,
        "retry": Retry(NoBackoff(), 1),
    }
    return RedisStore(server=url, options={"CONNECTION_POOL_KWARGS": waits})


@lru_cache(maxsize=1)
def _alone() -> MemoryStore:
    return MemoryStore()

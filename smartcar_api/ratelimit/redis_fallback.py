"""Access to the state shared in Redis. Without Redis, each process falls back to its own state and retries later."""

import logging
import os
import time
from collections.abc import Callable
from typing import TypeVar

from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from throttled.exceptions import StoreUnavailableError

logger = logging.getLogger(__name__)

T = TypeVar("T")

PREFIX = "smartcar"
RETRY_SECONDS = 5.0
# Redis normally responds in a fraction of a millisecond.
TIMEOUT_SECONDS = 0.5

_clients: dict[tuple[int, str], Redis] = {}
_down_until: dict[str, float] = {}


def client() -> Redis:
    """Returns this process's client of the Redis in the settings."""
    key = (os.getpid(), settings.REDIS_URL)
    if key not in _clients:
        _clients[key] = Redis.from_url(
            settings.REDIS_URL,
            socket_timeout=TIMEOUT_SECONDS,
            socket_connect_timeout=TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), 1),  # For connections that were idle while Redis restarted.
        )
    return _clients[key]


def run(with_redis: Callable[[Redis], T], *, fallback: Callable[[], T]) -> T:
    """Returns the result of `with_redis`, or of `fallback` while Redis doesn't respond."""
    url = settings.REDIS_URL
    if time.monotonic() < _down_until.get(url, 0.0):
        return fallback()
    try:
        return with_redis(client())
    except (RedisError, StoreUnavailableError) as error:
        _down_until[url] = time.monotonic() + RETRY_SECONDS
        logger.warning(
            "Redis is unavailable (%s): this process applies the rate limit on its own.",
            type(error).__name__,
        )
        return fallback()


def retry_redis() -> None:
    """Makes the next call try Redis again immediately."""
    _down_until.clear()

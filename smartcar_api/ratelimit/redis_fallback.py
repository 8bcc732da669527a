"""What all processes share, in Redis. Without it each process goes on alone, and looks for it again after a while."""

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
# Redis answers in a fraction of a millisecond; whoever waits longer has lost it.
TIMEOUT_SECONDS = 0.5

_clients: dict[tuple[int, str], Redis] = {}
_down_until: dict[str, float] = {}


def client() -> Redis:
    """This process's client of the Redis of the settings."""
    mine = (os.getpid(), settings.REDIS_URL)
    if mine not in _clients:
        _clients[mine] = Redis.from_url(
            settings.REDIS_URL,
            socket_timeout=TIMEOUT_SECONDS,
            socket_connect_timeout=TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), 1),  # A connection that was idle while Redis was restarted.
        )
    return _clients[mine]


def run(together: Callable[[Redis], T], *, alone: Callable[[], T]) -> T:
    """What `together` returns, or `alone` while Redis does not answer."""
    url = settings.REDIS_URL
    if time.monotonic() < _down_until.get(url, 0.0):
        return alone()
    try:
        return together(client())
    except (RedisError, StoreUnavailableError) as error:
        _down_until[url] = time.monotonic() + RETRY_SECONDS
        logger.warning(
            "Redis does not answer (%s): this process keeps the request budget by itself.",
            type(error).__name__,
        )
        return alone()


def retry_redis() -> None:
    """Forgets that Redis was gone."""
    _down_until.clear()

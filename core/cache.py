"""Django's cache in Redis with a local fallback. Limits of sign-in attempts and API calls are counted in it."""

import logging
import time
from typing import Any, ClassVar

from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

_RETRY_SECONDS = 5.0


class FallbackRedisCache(RedisCache):
    """The Redis cache. While Redis doesn't respond, each process uses a cache of its own, which is empty at first.

    Limits are then less strict, but no user is locked out and nothing is unlimited. Redis is tried again after five
    seconds.
    """

    _down_until: ClassVar[dict[str, float]] = {}

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._server = server
        self._local = LocMemCache(f"instead of {server}", {**params, "OPTIONS": {}})

    def add(self, *args: Any, **kwargs: Any) -> Any:
        return self._call("add", *args, **kwargs)

    def get(self, *args: Any, **kwargs: Any) -> Any:
        return self._call("get", *args, **kwargs)

    def set(self, *args: Any, **kwargs: Any) -> Any:
        return self._call("set", *args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        return self._call("delete", *args, **kwargs)

    def _call(self, method: str, *args: Any, **kwargs: Any) -> Any:
        if time.monotonic() >= self._down_until.get(self._server, 0.0):
            try:
                return getattr(super(), method)(*args, **kwargs)
            except (RedisError, OSError) as error:
                self._down_until[self._server] = time.monotonic() + _RETRY_SECONDS
                logger.warning(
                    "Each process counts for itself: no answer of Redis (%s).", type(error).__name__
                )
        return getattr(self._local, method)(*args, **kwargs)

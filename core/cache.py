"""Redis as Django's cache, and what a process does without it: signing in and the API count tries there."""

import logging
import time
from typing import Any, ClassVar

from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

_AWAY_SECONDS = 5.0


class FallbackRedisCache(RedisCache):
    """Redis's cache; while Redis does not answer, each process keeps one of its own, which starts empty.

    So limits hold less strictly then, but nobody is kept out, and nothing is unlimited. Redis is asked again after
    five seconds.
    """

    _away_until: ClassVar[dict[str, float]] = {}

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._server = server
        self._local = LocMemCache(f"instead of {server}", {**params, "OPTIONS": {}})

    def add(self, *args: Any, **kwargs: Any) -> Any:
        return self._ask("add", *args, **kwargs)

    def get(self, *args: Any, **kwargs: Any) -> Any:
        return self._ask("get", *args, **kwargs)

    def set(self, *args: Any, **kwargs: Any) -> Any:
        return self._ask("set", *args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        return self._ask("delete", *args, **kwargs)

    def _ask(self, deed: str, *args: Any, **kwargs: Any) -> Any:
        if time.monotonic() >= self._away_until.get(self._server, 0.0):
            try:
                return getattr(super(), deed)(*args, **kwargs)
            except (RedisError, OSError) as error:
                self._away_until[self._server] = time.monotonic() + _AWAY_SECONDS
                logger.warning(
                    "Each process counts for itself: no answer of Redis (%s).", type(error).__name__
                )
        return getattr(self._local, deed)(*args, **kwargs)

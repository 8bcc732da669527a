"""A circuit breaker for each of Smartcar's hosts, shared by all processes.

The breaker opens when a host failed several times in a row. Requests are then deferred immediately instead of timing
out. After half a minute one request is sent as a probe, and its result closes the breaker or opens it again.

The states and their storage are pybreaker's. Its `call` is only used to record outcomes afterwards, because it
distinguishes just success and failure, while a command that timed out is neither.
"""

import logging
import os
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NoReturn

import pybreaker
from django.conf import settings

from smartcar_api.errors import GATEWAY, NO_ANSWER, SmartcarError
from smartcar_api.ratelimit import redis_fallback

logger = logging.getLogger(__name__)

FAILURES = 5
OPEN_SECONDS = 30.0
# If a probe has no result after this time, another may be sent.
PROBE_SECONDS = 15.0
STATES = (pybreaker.STATE_CLOSED, pybreaker.STATE_HALF_OPEN, pybreaker.STATE_OPEN)

Storage = pybreaker.CircuitRedisStorage | pybreaker.CircuitMemoryStorage


class _HostDownError(Exception):
    """Reports a failure to pybreaker."""


class _Log(pybreaker.CircuitBreakerListener):
    def state_change(
        self,
        cb: pybreaker.CircuitBreaker,
        old_state: pybreaker.CircuitBreakerState | None,
        new_state: pybreaker.CircuitBreakerState,
    ) -> None:
        logger.warning("The breaker of %s is %s now.", cb.name, new_state.name)


@dataclass(frozen=True, slots=True)
class Breaker:
    """The circuit breaker of one host."""

    circuit: pybreaker.CircuitBreaker
    storage: Storage
    name: str

    def wait(self) -> float:
        """Returns 0 if a request may be sent, regularly or as the probe, or else the seconds until the next attempt."""
        if self.circuit.current_state == pybreaker.STATE_CLOSED:
            return 0.0
        opened_at = self.storage.opened_at
        if opened_at is not None and self.circuit.current_state == pybreaker.STATE_OPEN:
            remaining = (
                opened_at + timedelta(seconds=self.circuit.reset_timeout) - datetime.now(UTC)
            ).total_seconds()
            if remaining > 0:
                return remaining
        return 0.0 if self._start_probe() else PROBE_SECONDS

    def _start_probe(self) -> bool:
        milliseconds = round(PROBE_SECONDS * 1000)
        return redis_fallback.run(
            lambda redis: bool(redis.set(self._probe, 1, nx=True, px=milliseconds)), fallback=lambda: True
        )

    @property
    def _probe(self) -> str:
        return f"{redis_fallback.PREFIX}:probe:{self.name}"

    def record(self, *, up: bool) -> None:
        """Records whether a request found the host up."""
        closed = self.circuit.current_state == pybreaker.STATE_CLOSED
        # _HostDownError has been counted. CircuitBreakerError: the breaker opened meanwhile, so the result is ignored.
        with suppress(_HostDownError, pybreaker.CircuitBreakerError):
            self.circuit.call(_nothing if up else _fail)
        if not closed:
            redis_fallback.run(lambda redis: redis.delete(self._probe), fallback=lambda: 0)


def for_host(origin: str) -> Breaker:
    """Returns the breaker of the host at this origin; without Redis, a breaker of this process only."""
    name = origin.partition("://")[2]
    return redis_fallback.run(
        lambda _: _shared(os.getpid(), settings.REDIS_URL, name),
        fallback=lambda: _breaker(name, _local_storage(name)),
    )


def shows_down(error: SmartcarError, *, slow: bool) -> bool | None:
    """Whether the error means that the host is down; None if it is inconclusive.

    A rejection is a response, and so is a failure of a vehicle or its manufacturer (UPSTREAM), which Smartcar reports.
    A `slow` request waits for a vehicle, up to minutes ("Commands"), so its timeout is inconclusive.
    """
    if error.code == "CONNECT_FAILED":
        return True
    if error.type == NO_ANSWER or error.status == 504:
        return None if slow else True
    return error.status >= 500 and error.type in {"SERVER", GATEWAY}


def _nothing() -> None:
    pass


def _fail() -> NoReturn:
    raise _HostDownError


@lru_cache(maxsize=64)
def _shared(pid: int, url: str, name: str) -> Breaker:
    storage = pybreaker.CircuitRedisStorage(
        pybreaker.STATE_CLOSED, redis_fallback.client(), namespace=f"{redis_fallback.PREFIX}:breaker:{name}"
    )
    return _breaker(name, storage)


@lru_cache(maxsize=64)
def _local_storage(name: str) -> pybreaker.CircuitMemoryStorage:
    return pybreaker.CircuitMemoryStorage(pybreaker.STATE_CLOSED)


def _breaker(name: str, storage: Storage) -> Breaker:
    circuit = pybreaker.CircuitBreaker(
        fail_max=FAILURES,
        reset_timeout=OPEN_SECONDS,
        state_storage=storage,
        listeners=[_Log()],
        name=name,
        throw_new_error_on_trip=False,
    )
    return Breaker(circuit, storage, name)

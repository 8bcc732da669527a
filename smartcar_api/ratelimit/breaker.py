"""A breaker for each of Smartcar's hosts, common to all processes: a host that is down is left alone for a while.

It opens when a host failed several times in a row, with no answer in between. Then requests are refused at once,
with nothing sent, rather than left to hang; after half a minute one request goes through as a probe, and its answer
closes the breaker or opens it again.

The states and their storage are pybreaker's. Its `call` is told outcomes only, after the fact: it knows success and
failure, while a command that took too long says nothing of the host.
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
# A probe that says nothing for so long gives way to the next.
PROBE_SECONDS = 15.0
STATES = (pybreaker.STATE_CLOSED, pybreaker.STATE_HALF_OPEN, pybreaker.STATE_OPEN)

Storage = pybreaker.CircuitRedisStorage | pybreaker.CircuitMemoryStorage


class _HostDownError(Exception):
    """What pybreaker is told of a failure."""


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
    """The breaker of one host."""

    circuit: pybreaker.CircuitBreaker
    storage: Storage
    name: str

    def wait(self) -> float:
        """0 when a request may go, as one of many or as the probe; else the seconds until it is worth another try."""
        if self.circuit.current_state == pybreaker.STATE_CLOSED:
            return 0.0
        opened_at = self.storage.opened_at
        if opened_at is not None and self.circuit.current_state == pybreaker.STATE_OPEN:
            left = (
                opened_at + timedelta(seconds=self.circuit.reset_timeout) - datetime.now(UTC)
            ).total_seconds()
            if left > 0:
                return left
        return 0.0 if self._probes() else PROBE_SECONDS

    def _probes(self) -> bool:
        milliseconds = round(PROBE_SECONDS * 1000)
        return redis_fallback.run(
            lambda redis: bool(redis.set(self._probe, 1, nx=True, px=milliseconds)), alone=lambda: True
        )

    @property
    def _probe(self) -> str:
        return f"{redis_fallback.PREFIX}:probe:{self.name}"

    def tell(self, *, up: bool) -> None:
        """What a request has shown of the host."""
        closed = self.circuit.current_state == pybreaker.STATE_CLOSED
        # What is raised has been counted; or the breaker opened meanwhile, and what is late does not count.
        with suppress(_HostDownError, pybreaker.CircuitBreakerError):
            self.circuit.call(_nothing if up else _fail)
        if not closed:
            redis_fallback.run(lambda redis: redis.delete(self._probe), alone=lambda: 0)


def of_host(origin: str) -> Breaker:
    """The breaker of the host at this origin; of this process alone while Redis is gone."""
    name = origin.partition("://")[2]
    return redis_fallback.run(
        lambda _: _together(os.getpid(), settings.REDIS_URL, name),
        alone=lambda: _breaker(name, _memory(name)),
    )


def shows_down(error: SmartcarError, *, slow: bool) -> bool | None:
    """Whether the error says that the host is down; None where it says nothing of that.

    A refusal is an answer, and so is a failure of a car or its maker (UPSTREAM), which Smartcar writes itself. A `slow`
    request waits for a car, for minutes if need be ("Commands"): running out of time there tells nothing.
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
def _together(pid: int, url: str, name: str) -> Breaker:
    storage = pybreaker.CircuitRedisStorage(
        pybreaker.STATE_CLOSED, redis_fallback.client(), namespace=f"{redis_fallback.PREFIX}:breaker:{name}"
    )
    return _breaker(name, storage)


@lru_cache(maxsize=64)
def _memory(name: str) -> pybreaker.CircuitMemoryStorage:
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

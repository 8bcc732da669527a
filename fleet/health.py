"""Health checks: whether the process is alive, and whether it can take deliveries."""

import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotDoneError
from functools import cache
from threading import Lock, Thread

import redis
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection, connections, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone

from connect.key_check import keys_fit
from webhooks.models import InboxEntry

State = dict[str, str]

# For all checks together, so that the response takes less than 2 s.
_SECONDS = 1.5
_NO_ANSWER = "doesn't respond"
_UNREACHABLE = {"database": _NO_ANSWER, "migrations": "unknown", "encryption": "unknown"}
# Ends a check that waits for a lock. The response is sent before.
_STATEMENT_TIMEOUT = "SET LOCAL statement_timeout = '5s'"


def healthz(request: HttpRequest) -> HttpResponse:
    """Liveness: 200 whenever the process can respond."""
    return _uncached(HttpResponse("ok\n", content_type="text/plain"))


def readyz(request: HttpRequest) -> HttpResponse:
    """Readiness: 200 if the site can take deliveries, otherwise 503, within 2 s.

    The JSON object has the `status` (ready, degraded, not ready) and one entry per check: "ok" or a short problem,
    never an address or a secret. Without Redis the site is degraded: it still takes deliveries.
    """
    deadline = time.monotonic() + _SECONDS
    database, broker = _DATABASE.start(), _REDIS.start()
    state = _result(database, deadline, _UNREACHABLE)
    takes_deliveries = not any(state.values())
    state |= _result(broker, deadline, {"redis": _NO_ANSWER})
    status = "not ready" if not takes_deliveries else "degraded" if any(state.values()) else "ready"
    body = {"status": status} | {name: problem or "ok" for name, problem in state.items()}
    return _uncached(JsonResponse(body, status=200 if takes_deliveries else 503))


def _uncached(response: HttpResponse) -> HttpResponse:
    response.headers["Cache-Control"] = "no-store"
    return response


def _result(future: "Future[State]", deadline: float, otherwise: State) -> State:
    try:
        return future.result(max(0.0, deadline - time.monotonic()))
    except NotDoneError:
        return otherwise


class _Probe:
    """Runs a check in a thread, so that a server that hangs doesn't block the response.

    While a run hangs, later requests wait for the same run, so that only one thread hangs.
    """

    def __init__(self, check: Callable[[], State]) -> None:
        self._check = check
        self._lock = Lock()
        self._future: Future[State] = Future()
        self._thread: Thread | None = None

    def start(self) -> "Future[State]":
        """Returns the result of the current run, and starts one if there is none."""
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._future = Future()
                # A daemon, so that the process can end while the thread hangs.
                self._thread = Thread(target=self._run, args=(self._future,), name="readyz", daemon=True)
                self._thread.start()
            return self._future

    def _run(self, future: "Future[State]") -> None:
        try:
            result = self._check()
        finally:
            connections.close_all()
        future.set_result(result)


def _check_database() -> State:
    """Returns the problems of the database, its migrations and its secrets; "" for none."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        return {
            "database": _writes(),
            "migrations": _pending_migrations(),
            "encryption": _keys(),
        }
    except DatabaseError:
        return dict(_UNREACHABLE)


def _writes() -> str:
    """Inserts a delivery and rolls it back, which is what the receiver must be able to do."""
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(_STATEMENT_TIMEOUT)
            InboxEntry.objects.create(body=b"", received_at=timezone.now())
            transaction.set_rollback(True)
    except DatabaseError:
        return "refuses writes"
    return ""


def _pending_migrations() -> str:
    pending = _migrations_on_disk() - set(MigrationRecorder(connection).applied_migrations())
    return f"{len(pending)} not applied: run manage.py migrate" if pending else ""


@cache
def _migrations_on_disk() -> frozenset[tuple[str, str]]:
    return frozenset(MigrationLoader(None).disk_migrations)


def _keys() -> str:
    try:
        return "" if keys_fit() else "FIELD_ENCRYPTION_KEYS fits none of the stored secrets"
    except ImproperlyConfigured:
        return "FIELD_ENCRYPTION_KEYS contains no valid key"


def _check_redis() -> State:
    client = redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=1, socket_timeout=1)
    try:
        client.ping()
    except redis.RedisError:
        return {"redis": _NO_ANSWER}
    finally:
        client.close()
    return {"redis": ""}


_DATABASE, _REDIS = _Probe(_check_database), _Probe(_check_redis)

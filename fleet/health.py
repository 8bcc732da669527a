"""Health checks: whether the process is alive, and whether it is ready for requests."""

from collections.abc import Callable

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse


def healthz(request: HttpRequest) -> HttpResponse:
    """Liveness: 200 whenever the process can respond."""
    return HttpResponse("ok\n", content_type="text/plain")


def readyz(request: HttpRequest) -> JsonResponse:
    """Readiness: 200 if the database, its migrations and Redis are fine, otherwise 503.

    The JSON object has one entry per check: "ok" or a short problem, never an address or a secret.
    """
    problems = {name: problem for name, check in _CHECKS.items() if (problem := check())}
    state = {name: problems.get(name, "ok") for name in _CHECKS}
    return JsonResponse(state, status=503 if problems else 200)


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return "doesn't respond"
    return ""


def _migrations() -> str:
    try:
        executor = MigrationExecutor(connection)
        pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        return "unknown"
    return f"{len(pending)} not applied: run manage.py migrate" if pending else ""


def _redis() -> str:
    client = redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=2, socket_timeout=2)
    try:
        client.ping()
    except redis.RedisError:
        return "doesn't respond"
    finally:
        client.close()
    return ""


_CHECKS: dict[str, Callable[[], str]] = {"database": _database, "migrations": _migrations, "redis": _redis}

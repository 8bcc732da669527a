"""The health checks /healthz and /readyz."""

import asyncio
import logging
import socket
import time
from collections.abc import Iterator

import psycopg
import pytest
from cryptography.fernet import Fernet
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from pytest_django import Settings

from connect.models import ApplicationToken
from core import encryption
from fleet import checks
from fleet.asgi import application
from webhooks.models import InboxEntry

READY = {"status": "ready", "database": "ok", "migrations": "ok", "encryption": "ok", "redis": "ok"}
# More than the promised 2 s, because the machine may be busy. Without a limit, each of these hangs would take longer.
PATIENCE = 8
committed = pytest.mark.django_db(transaction=True)


@pytest.fixture
def stored_token(db: None) -> None:
    ApplicationToken.objects.create(client_id="client", token_ciphertext=encryption.encrypt("a token"))


@pytest.fixture
def new_pool() -> Iterator[None]:
    """Connections of the test's end use new settings, and later tests the old ones."""
    connection.close_pool()  # type: ignore[attr-defined]
    yield
    connection.close_pool()  # type: ignore[attr-defined]


def test_healthz_needs_no_database() -> None:
    assert Client().get("/healthz").status_code == 200


@pytest.mark.django_db
def test_readyz_is_200_when_all_checks_pass() -> None:
    answer = Client().get("/readyz")
    assert (answer.status_code, answer.json()) == (200, READY)
    assert not InboxEntry.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("host", ["10.0.0.7:8000", "[::1]:8000", "web", "not a host"])
def test_both_answer_on_any_host_and_without_https(settings: Settings, host: str) -> None:
    settings.ALLOWED_HOSTS, settings.SECURE_SSL_REDIRECT = ["fleet.example.com"], True
    for path in ("/healthz", "/readyz"):
        assert Client(headers={"Host": host}).get(path).status_code == 200


@pytest.mark.django_db
def test_without_redis_the_site_is_degraded_but_takes_deliveries(settings: Settings) -> None:
    settings.REDIS_URL = "redis://:secret@127.0.0.1:1/0"
    answer = Client().get("/readyz")
    assert (answer.status_code, answer.json()) == (
        200,
        READY | {"status": "degraded", "redis": "doesn't respond"},
    )


@committed
def test_readyz_reports_missing_migrations() -> None:
    applied = MigrationRecorder(connection)
    applied.record_unapplied("core", "0001_outgoing_email")
    try:
        answer = Client().get("/readyz")
    finally:
        applied.record_applied("core", "0001_outgoing_email")
    assert (answer.status_code, answer.json()["status"]) == (503, "not ready")
    assert "1 not applied" in answer.json()["migrations"]


@committed
def test_a_database_that_refuses_writes_is_not_ready(new_pool: None) -> None:
    name = connection.ops.quote_name(connection.settings_dict["NAME"])
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        # Sessions that began before keep their own default.
        connection.close_pool()  # type: ignore[attr-defined]
        try:
            answer = Client().get("/readyz")
        finally:
            cursor.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
    assert (answer.status_code, answer.json()) == (
        503,
        READY | {"status": "not ready", "database": "refuses writes"},
    )


@committed
def test_a_locked_inbox_is_not_ready_and_is_ready_again_afterwards() -> None:
    settings = connection.get_connection_params()
    names = ("dbname", "user", "password", "host", "port")
    with psycopg.connect(**{name: settings[name] for name in names if name in settings}) as other:
        other.execute("LOCK TABLE webhooks_inboxentry IN ACCESS EXCLUSIVE MODE")
        started = time.monotonic()
        answer = Client().get("/readyz")
        assert time.monotonic() - started < PATIENCE
        assert (answer.status_code, answer.json()["database"]) == (503, "doesn't respond")
        other.rollback()
    while Client().get("/readyz").status_code != 200:
        assert time.monotonic() - started < 60
        time.sleep(0.2)


@committed
def test_a_database_that_accepts_connections_and_never_answers_is_not_ready(
    new_pool: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setitem(connection.settings_dict, "HOST", "127.0.0.1")
        monkeypatch.setitem(connection.settings_dict, "PORT", silent.getsockname()[1])
        started = time.monotonic()
        answer = Client().get("/readyz")
        assert time.monotonic() - started < PATIENCE
    assert (answer.status_code, answer.json()["database"]) == (503, "doesn't respond")
    assert "127.0.0.1" not in answer.content.decode()


@committed
def test_a_wrong_encryption_key_is_not_ready(settings: Settings, stored_token: None) -> None:
    assert Client().get("/readyz").status_code == 200
    right = settings.FIELD_ENCRYPTION_KEYS
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    answer = Client().get("/readyz")
    assert (answer.status_code, "FIELD_ENCRYPTION_KEYS" in answer.json()["encryption"]) == (503, True)
    settings.FIELD_ENCRYPTION_KEYS = [*settings.FIELD_ENCRYPTION_KEYS, *right]
    assert Client().get("/readyz").status_code == 200


@committed
def test_a_wrong_encryption_key_is_logged_when_the_server_starts(
    settings: Settings, stored_token: None, caplog: pytest.LogCaptureFixture
) -> None:
    _start_and_stop()
    assert not caplog.records
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    _start_and_stop()
    (record,) = caplog.records
    assert (record.levelno, "FIELD_ENCRYPTION_KEYS fits none" in record.message) == (logging.CRITICAL, True)


def _start_and_stop() -> None:
    messages = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])
    sent: list[str] = []

    async def receive() -> dict[str, str]:
        return next(messages)

    async def send(message: dict[str, str]) -> None:
        sent.append(message["type"])

    asyncio.run(application({"type": "lifespan"}, receive, send))
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


@pytest.mark.django_db
def test_a_wrong_encryption_key_is_an_error_when_the_database_is_checked(
    settings: Settings, stored_token: None
) -> None:
    assert checks.encryption_keys_fit(databases=["default"]) == []
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    assert checks.encryption_keys_fit() == []
    assert [problem.id for problem in checks.encryption_keys_fit(databases=["default"])] == ["fleet.E004"]

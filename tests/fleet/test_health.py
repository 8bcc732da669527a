"""The health checks /healthz and /readyz."""

import pytest
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.test import Client
from pytest_django import Settings


def test_healthz_needs_no_database() -> None:
    assert Client().get("/healthz").status_code == 200


@pytest.mark.django_db
def test_readyz_is_200_when_all_checks_pass() -> None:
    answer = Client().get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"database": "ok", "migrations": "ok", "redis": "ok"})


@pytest.mark.django_db
def test_readyz_reports_an_unreachable_redis_without_its_address(settings: Settings) -> None:
    settings.REDIS_URL = "redis://:secret@127.0.0.1:1/0"
    answer = Client().get("/readyz")
    assert (answer.status_code, answer.json()["redis"]) == (503, "doesn't respond")
    assert "secret" not in answer.content.decode()


@pytest.mark.django_db
def test_readyz_reports_missing_migrations(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MigrationExecutor, "migration_plan", lambda *_: ["one", "two"])
    answer = Client().get("/readyz")
    assert answer.status_code == 503
    assert "2 not applied" in answer.json()["migrations"]


@pytest.mark.django_db
def test_readyz_reports_an_unreachable_database_without_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> object:
        raise DatabaseError("host=secret.example")

    monkeypatch.setattr(connection, "cursor", broken)
    answer = Client().get("/readyz")
    assert (answer.status_code, answer.json()["database"]) == (503, "doesn't respond")
    assert "secret" not in answer.content.decode()

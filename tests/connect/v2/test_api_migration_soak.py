"""A fleet of 1,000 vehicles migrates from v2 to v3 and back, while a worker subscribes, reads and processes deliveries.

To see the figures: pytest -m slow --log-cli-level=INFO tests/connect/v2/test_api_migration_soak.py
"""

import logging
import random
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from threading import Event

import httpx
import pytest
from django.db import connections
from pytest_django import Settings

from accounts.models import Fleet, SmartcarApiVersion, User
from connect import gateway
from connect.gateway import CallPurpose
from connect.models import Connection, UserToken
from connect.v2 import tasks, user_tokens
from connect.v2.api_migration import services
from connect.v2.api_migration.models import ApiMigration, ConnectionMigrationState, MigrationState
from tests.simulator.process import ENVIRONMENT, NO_LIMITS
from tests.simulator.process import simulator as started
from tests.smartcar import connect, register_webhook
from tests.worker import running_worker

logger = logging.getLogger(__name__)
pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
CARS = 1000
PREFIXES = {
    "connect": ("CONNECT_ORIGIN", "/connect"),
    "auth": ("AUTH_ORIGIN", "/auth/oauth/token"),
    "api": ("API_ORIGIN", "/api"),
    "management": ("MANAGEMENT_API_ORIGIN", "/management"),
    "vehicle": ("VEHICLE_API_V3_ORIGIN", "/vehicle"),
    "iam": ("IAM_ORIGIN", "/iam"),
    "management_v3": ("MANAGEMENT_API_V3_ORIGIN", "/management-v3"),
    "compatibility": ("COMPATIBILITY_ORIGIN", "/compatibility"),
}


def point_at(origin: str, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes this process and the worker use the simulator of the test."""
    settings.SMARTCAR_ORIGINS = {name: origin + path for name, (_, path) in PREFIXES.items()}
    for variable, path in PREFIXES.values():
        monkeypatch.setenv(f"SMARTCAR_{variable}", origin + path)
    for name, value in ENVIRONMENT.items():
        setting = [part.strip() for part in value.split(",")] if name.endswith("TOKENS") else value
        setattr(settings, name, setting)
        monkeypatch.setenv(name, value)


def connect_all(origin: str, fleet: Fleet, owner: User) -> None:
    vehicles = httpx.get(f"{origin}/control/vehicles", params={"limit": CARS}, timeout=60).json()["vehicles"]
    owned = sorted((vehicle for vehicle in vehicles if vehicle["account"]), key=itemgetter("account"))
    for _, of_account in groupby(owned, key=itemgetter("account")):
        connect(origin, fleet=fleet, user=owner, vehicleIds=[vehicle["id"] for vehicle in of_account])
    assert Connection.objects.count() == CARS


def use_vehicles(stop: Event, failures: list[str]) -> int:
    """Reads vehicles and refreshes token pairs during the migration, through the current API version of each."""
    pks = list(Connection.objects.values_list("pk", flat=True))
    pairs = list(UserToken.objects.all())
    done = 0
    try:
        while not stop.is_set():
            rows = Connection.objects.select_related("vehicle", "tokens", "application")
            connection = rows.get(pk=random.choice(pks))
            try:
                vehicle_id = connection.vehicle.smartcar_id
                gateway.call(
                    connection=connection,
                    purpose=CallPurpose.PERSON,
                    request=lambda api, access, vehicle_id=vehicle_id: api.attributes(
                        access, vehicle_id=vehicle_id
                    ),  # type: ignore[misc]
                )
                if done % 20 == 0:
                    user_tokens.refresh(tokens=random.choice(pairs).reread())
            except Exception as error:  # noqa: BLE001 - the test reports any error
                failures.append(repr(error))
            done += 1
            time.sleep(0.02)
    finally:
        connections.close_all()
    return done


def migrate(origin: str, fleet: Fleet, to: SmartcarApiVersion) -> tuple[float, Counter[str]]:
    """Migrates the fleet with the worker, with this loop in place of beat. Returns seconds, and requests by kind."""
    requests: Counter[str] = Counter()
    httpx.delete(f"{origin}/control/requests", timeout=30)
    started_at = time.monotonic()
    migration = services.start_migration(fleet=fleet, to=to, actor=None)
    while ApiMigration.objects.get(pk=migration.pk).state == MigrationState.RUNNING:
        assert time.monotonic() < started_at + 600, list(
            migration.steps.values_list("state", "reason_code")[:5]
        )
        tasks.sweep_migrations()
        time.sleep(1)
        new_requests = httpx.get(f"{origin}/control/requests", timeout=30).json()["requests"]
        httpx.delete(f"{origin}/control/requests", timeout=30)
        requests.update(request["path"].split("/")[1] for request in new_requests)
    steps = Counter(migration.steps.values_list("state", flat=True))
    assert steps == {ConnectionMigrationState.MOVED: CARS}, migration.steps.exclude(
        reason_code=""
    ).values_list("reason_code")[:5]
    return time.monotonic() - started_at, requests


def test_thousand_vehicles_migrate_to_v3_and_back_while_in_use(
    live_server: object,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    fleet: Fleet,
    owner: User,
    tmp_path: Path,
) -> None:
    fleet.api_version = SmartcarApiVersion.V2
    fleet.save()
    flags = (f"--vehicles={CARS}", "--driving-every=0", "--charging-every=0", *NO_LIMITS)
    with started(*flags) as simulator:
        point_at(simulator.origin, settings, monkeypatch)
        register_webhook(simulator.origin, f"{settings.SITE_URL}/webhooks/smartcar/")
        connect_all(simulator.origin, fleet, owner)
        failures: list[str] = []
        with running_worker(tmp_path / "worker.log"), ThreadPoolExecutor(1) as pool:
            deadline = time.monotonic() + 180
            while Connection.objects.filter(subscribed_at=None).exists():
                assert time.monotonic() < deadline
                time.sleep(0.5)
            stop = Event()
            using = pool.submit(use_vehicles, stop, failures)
            for to in (SmartcarApiVersion.V3, SmartcarApiVersion.V2):
                seconds, requests = migrate(simulator.origin, fleet, to)
                fleet.refresh_from_db()
                assert fleet.api_version == to
                assert "connect" not in requests
                total = sum(requests.values())
                logger.info(
                    "%d cars to %s: %.0f s, %.1f requests a car: %s",
                    CARS,
                    to,
                    seconds,
                    total / CARS,
                    dict(requests),
                )
            stop.set()
            logger.info("%d uses of cars meanwhile, %d failed", using.result(60), len(failures))
        subscribed = httpx.get(f"{simulator.origin}/control/webhooks", timeout=30).json()["webhooks"]
        assert [webhook["subscriptions"] for webhook in subscribed] == [CARS]
    assert failures == []

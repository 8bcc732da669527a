"""A fleet of 1,000 cars moves from v2 to v3 and back, while a worker subscribes, reads and takes deliveries in.

Its figures: pytest -m slow --log-cli-level=INFO tests/connect/v2/test_api_migration_soak.py
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
    """This process and the worker speak to the simulator of the test."""
    settings.SMARTCAR_ORIGINS = {name: origin + path for name, (_, path) in PREFIXES.items()}
    for variable, path in PREFIXES.values():
        monkeypatch.setenv(f"SMARTCAR_{variable}", origin + path)
    for name, value in ENVIRONMENT.items():
        held = [part.strip() for part in value.split(",")] if name.endswith("TOKENS") else value
        setattr(settings, name, held)
        monkeypatch.setenv(name, value)


def connect_all(origin: str, fleet: Fleet, owner: User) -> None:
    cars = httpx.get(f"{origin}/control/vehicles", params={"limit": CARS}, timeout=60).json()["vehicles"]
    owned = sorted((car for car in cars if car["account"]), key=itemgetter("account"))
    for _, of_one in groupby(owned, key=itemgetter("account")):
        connect(origin, fleet=fleet, user=owner, vehicleIds=[car["id"] for car in of_one])
    assert Connection.objects.count() == CARS


def use_cars(stop: Event, failures: list[str]) -> int:
    """What a fleet does meanwhile: reads of cars, and renewals of token pairs, through whichever API version is due."""
    pks = list(Connection.objects.values_list("pk", flat=True))
    pairs = list(UserToken.objects.all())
    done = 0
    try:
        while not stop.is_set():
            found = Connection.objects.select_related("vehicle", "tokens", "application")
            connection = found.get(pk=random.choice(pks))
            try:
                car = connection.vehicle.smartcar_id
                gateway.call(
                    connection=connection,
                    purpose=CallPurpose.PERSON,
                    request=lambda api, access, car=car: api.attributes(access, vehicle_id=car),  # type: ignore[misc]
                )
                if done % 20 == 0:
                    user_tokens.refresh(tokens=random.choice(pairs).reread())
            except Exception as error:  # noqa: BLE001  whatever it is, the test names it
                failures.append(repr(error))
            done += 1
            time.sleep(0.02)
    finally:
        connections.close_all()
    return done


def move(origin: str, fleet: Fleet, to: SmartcarApiVersion) -> tuple[float, Counter[str]]:
    """Moves the fleet by the worker; this loop stands in for beat. Seconds, and requests by kind."""
    asked: Counter[str] = Counter()
    httpx.delete(f"{origin}/control/requests", timeout=30)
    begun = time.monotonic()
    started_move = services.start_migration(fleet=fleet, to=to, actor=None)
    while ApiMigration.objects.get(pk=started_move.pk).state == MigrationState.RUNNING:
        assert time.monotonic() < begun + 600, list(
            started_move.steps.values_list("state", "reason_code")[:5]
        )
        tasks.sweep_migrations()
        time.sleep(1)
        seen = httpx.get(f"{origin}/control/requests", timeout=30).json()["requests"]
        httpx.delete(f"{origin}/control/requests", timeout=30)
        asked.update(request["path"].split("/")[1] for request in seen)
    steps = Counter(started_move.steps.values_list("state", flat=True))
    assert steps == {ConnectionMigrationState.MOVED: CARS}, started_move.steps.exclude(
        reason_code=""
    ).values_list("reason_code")[:5]
    return time.monotonic() - begun, asked


def test_a_thousand_cars_move_to_v3_and_back_while_they_are_in_use(
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
            using = pool.submit(use_cars, stop, failures)
            for to in (SmartcarApiVersion.V3, SmartcarApiVersion.V2):
                seconds, asked = move(simulator.origin, fleet, to)
                fleet.refresh_from_db()
                assert fleet.api_version == to
                assert "connect" not in asked
                total = sum(asked.values())
                logger.info(
                    "%d cars to %s: %.0f s, %.1f requests a car: %s",
                    CARS,
                    to,
                    seconds,
                    total / CARS,
                    dict(asked),
                )
            stop.set()
            logger.info("%d uses of cars meanwhile, %d failed", using.result(60), len(failures))
        subscribed = httpx.get(f"{simulator.origin}/control/webhooks", timeout=30).json()["webhooks"]
        assert [webhook["subscriptions"] for webhook in subscribed] == [CARS]
    assert failures == []

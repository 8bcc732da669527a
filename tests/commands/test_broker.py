"""The broker fails with commands queued: each is sent once afterwards, or expires; none is lost, late or sent twice."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from celery import current_app
from django.conf import settings
from django.db import connections
from django.utils import timezone
from redis import Redis

from accounts.models import Fleet, User
from commands import confirmation, services, tasks
from commands.models import Command, CommandState
from commands.types import CommandType
from connect.models import Connection, ConnectionState
from tests.commands.test_history import DONE, FakeVehicle
from tests.commands.test_history import fake_vehicle as fake_vehicle
from vehicles.models import Vehicle

pytestmark = pytest.mark.django_db(transaction=True)
RunEnqueued = Callable[[], list[str]]


@pytest.fixture
def vehicles(fleet: Fleet) -> list[Vehicle]:
    vehicles = [Vehicle.objects.create(fleet=fleet, smartcar_id=f"car-{number}") for number in range(5)]
    for vehicle in vehicles:
        Connection.objects.create(
            fleet=fleet,
            vehicle=vehicle,
            smartcar_user_id="user-1",
            api_version="v3",
            mode="live",
            state=ConnectionState.ACTIVE,
        )
    return vehicles


def test_commands_lost_by_the_broker_are_enqueued_again_and_sent_once(
    vehicles: list[Vehicle], owner: User, fake_vehicle: Callable[..., FakeVehicle], run_enqueued: RunEnqueued
) -> None:
    smartcar = fake_vehicle(DONE)
    for vehicle in vehicles:
        services.create_command(vehicle=vehicle, kind=CommandType.UNLOCK, user=owner)
    with Redis.from_url(settings.REDIS_URL) as redis:
        redis.flushall()
    assert run_enqueued() == []
    for _ in range(2):
        tasks.sweep()
    assert run_enqueued().count("commands.tasks.send") == 2 * len(vehicles)
    assert smartcar.received == ["unlock"] * len(vehicles)


def test_without_a_broker_a_command_is_still_stored(
    vehicles: list[Vehicle],
    owner: User,
    fake_vehicle: Callable[..., FakeVehicle],
    run_enqueued: RunEnqueued,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    smartcar = fake_vehicle(DONE)
    with monkeypatch.context() as patch:
        patch.setattr(current_app, "send_task", _refuse)
        command = services.create_command(vehicle=vehicles[0], kind=CommandType.LOCK, user=owner)
    assert (Command.objects.get().state, run_enqueued()) == (CommandState.REQUESTED, [])
    tasks.sweep()
    run_enqueued()
    command.refresh_from_db()
    assert (command.state, smartcar.received) == (CommandState.ACCEPTED, ["lock"])


def _refuse(*args: object, **kwargs: object) -> None:
    raise ConnectionError("no broker")


@pytest.mark.parametrize("seconds_left", [-1, 1], ids=["expired", "would arrive too late"])
def test_an_unlock_delayed_by_the_broker_expires(
    vehicles: list[Vehicle],
    owner: User,
    fake_vehicle: Callable[..., FakeVehicle],
    run_enqueued: RunEnqueued,
    seconds_left: int,
) -> None:
    smartcar = fake_vehicle(DONE)
    services.create_command(vehicle=vehicles[0], kind=CommandType.UNLOCK, user=owner)
    Command.objects.update(expires_at=timezone.now() + timedelta(seconds=seconds_left))
    run_enqueued()
    confirmation.sweep(now=timezone.now() + timedelta(seconds=2))
    assert (smartcar.received, Command.objects.get().state) == ([], CommandState.EXPIRED)


def test_of_concurrent_requests_only_one_creates_a_command(
    vehicles: list[Vehicle], owner: User, teammate: User
) -> None:
    def create(user: User) -> bool:
        try:
            services.create_command(vehicle=vehicles[0], kind=CommandType.UNLOCK, user=user)
        except services.CommandRejectedError:
            return False
        finally:
            connections.close_all()
        return True

    with ThreadPoolExecutor(8) as pool:
        created = list(pool.map(create, [owner, teammate] * 4))
    assert (sum(created), Command.objects.count()) == (1, 1)


def test_concurrent_requests_with_one_key_create_one_command(vehicles: list[Vehicle], owner: User) -> None:
    def create(_: int) -> int:
        try:
            command = services.create_command(
                vehicle=vehicles[0], kind=CommandType.LOCK, user=owner, idempotency_key="k-1"
            )
        finally:
            connections.close_all()
        return command.pk

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(create, range(8)))) == 1
    assert Command.objects.count() == 1

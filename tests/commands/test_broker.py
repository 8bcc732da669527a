"""The broker lost with commands queued: each is sent once it is back, or expires; none is lost, late or sent twice."""

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
from tests.commands.test_history import DONE, Car
from tests.commands.test_history import car as car
from vehicles.models import Vehicle

pytestmark = pytest.mark.django_db(transaction=True)
RunEnqueued = Callable[[], list[str]]


@pytest.fixture
def vehicles(fleet: Fleet) -> list[Vehicle]:
    made = [Vehicle.objects.create(fleet=fleet, smartcar_id=f"car-{number}") for number in range(5)]
    for vehicle in made:
        Connection.objects.create(
            fleet=fleet,
            vehicle=vehicle,
            smartcar_user_id="user-1",
            api_version="v3",
            mode="live",
            state=ConnectionState.ACTIVE,
        )
    return made


def test_what_the_broker_forgot_is_rung_for_again_and_sent_once(
    vehicles: list[Vehicle], owner: User, car: Callable[..., Car], run_enqueued: RunEnqueued
) -> None:
    smartcar = car(DONE)
    for vehicle in vehicles:
        services.create_command(vehicle=vehicle, kind=CommandType.UNLOCK, user=owner)
    with Redis.from_url(settings.REDIS_URL) as redis:
        redis.flushall()
    assert run_enqueued() == []
    for _ in range(2):
        tasks.sweep()
    assert run_enqueued().count("commands.tasks.send") == 2 * len(vehicles)
    assert smartcar.heard == ["unlock"] * len(vehicles)


def test_with_the_broker_gone_a_command_is_written_down_all_the_same(
    vehicles: list[Vehicle],
    owner: User,
    car: Callable[..., Car],
    run_enqueued: RunEnqueued,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    smartcar = car(DONE)
    with monkeypatch.context() as gone:
        gone.setattr(current_app, "send_task", _refuse)
        command = services.create_command(vehicle=vehicles[0], kind=CommandType.LOCK, user=owner)
    assert (Command.objects.get().state, run_enqueued()) == (CommandState.REQUESTED, [])
    tasks.sweep()
    run_enqueued()
    command.refresh_from_db()
    assert (command.state, smartcar.heard) == (CommandState.ACCEPTED, ["lock"])


def _refuse(*args: object, **kwargs: object) -> None:
    raise ConnectionError("no broker")


def test_an_unlock_that_the_broker_held_for_too_long_is_not_sent(
    vehicles: list[Vehicle], owner: User, car: Callable[..., Car], run_enqueued: RunEnqueued
) -> None:
    smartcar = car(DONE)
    services.create_command(vehicle=vehicles[0], kind=CommandType.UNLOCK, user=owner)
    Command.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    run_enqueued()
    confirmation.sweep(now=timezone.now())
    assert (smartcar.heard, Command.objects.get().state) == ([], CommandState.EXPIRED)


def test_of_managers_who_press_at_once_one_is_heard(
    vehicles: list[Vehicle], owner: User, teammate: User
) -> None:
    def press(user: User) -> bool:
        try:
            services.create_command(vehicle=vehicles[0], kind=CommandType.UNLOCK, user=user)
        except services.CommandRejectedError:
            return False
        finally:
            connections.close_all()
        return True

    with ThreadPoolExecutor(8) as pool:
        heard = list(pool.map(press, [owner, teammate] * 4))
    assert (sum(heard), Command.objects.count()) == (1, 1)


def test_one_key_pressed_many_times_at_once_is_one_row(vehicles: list[Vehicle], owner: User) -> None:
    def press(_: int) -> int:
        try:
            command = services.create_command(
                vehicle=vehicles[0], kind=CommandType.LOCK, user=owner, idempotency_key="k-1"
            )
        finally:
            connections.close_all()
        return command.pk

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(press, range(8)))) == 1
    assert Command.objects.count() == 1

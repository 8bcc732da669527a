"""Slow cars hold up nobody: not a web process, not another car's command, not the database."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from django.test import Client
from pytest_django import Settings

from accounts.models import Fleet, User
from commands import services
from commands.models import Command, CommandState
from commands.types import CommandType
from connect.models import Connection
from tests.commands.test_api import program_of, send
from tests.connect.v2.test_api_migration_soak import point_at
from tests.simulator.process import NO_LIMITS
from tests.simulator.process import simulator as started
from tests.smartcar import connect
from tests.worker import running_worker
from vehicles.models import Vehicle

pytestmark = pytest.mark.django_db(transaction=True)
CARS = 4


@pytest.fixture
def origin(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A simulator of its own, whose commands take no time."""
    flags = ("--command-latency=0", "--driving-every=0", "--charging-every=0", *NO_LIMITS)
    with started(*flags) as simulator:
        point_at(simulator.origin, settings, monkeypatch)
        yield simulator.origin


@pytest.fixture
def cars(origin: str, fleet: Fleet, owner: User) -> list[Vehicle]:
    connect(origin, fleet=fleet, user=owner, count=CARS)
    return [connection.vehicle for connection in Connection.objects.select_related("vehicle").order_by("pk")]


def wait_until(true: Callable[[], bool], otherwise: str) -> None:
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.05)


def heard(origin: str) -> int:
    """How many commands have reached the simulator."""
    seen = httpx.get(f"{origin}/control/requests", params={"path": "/security/"}, timeout=30).json()
    return len(seen["requests"])


def test_a_slow_car_holds_up_neither_another_car_nor_the_database(
    origin: str, cars: list[Vehicle], owner: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Fewer connections than slow cars: each must give its own back while it waits.
    monkeypatch.setenv("DATABASE_POOL_SIZE", "2")
    *slow, quick = cars
    with running_worker(tmp_path / "worker.log") as worker:
        httpx.post(f"{origin}/control/troubles", json={"slowCommands": 60}, timeout=30).raise_for_status()
        for car in slow:
            services.create_command(vehicle=car, kind=CommandType.LOCK, user=owner)
        wait_until(lambda: heard(origin) == len(slow), "the slow cars were not asked")
        httpx.delete(f"{origin}/control/troubles", timeout=30)
        command = services.create_command(vehicle=quick, kind=CommandType.LOCK, user=owner)
        ended = Command.objects.filter(pk=command.pk).exclude(
            state__in=(CommandState.REQUESTED, CommandState.SENDING)
        )
        wait_until(ended.exists, "the quick car's command waits")
        assert Command.objects.filter(vehicle__in=slow, state=CommandState.SENDING).count() == len(slow)
        worker.kill()


def test_no_car_is_called_while_a_page_or_a_program_waits_for_its_answer(
    origin: str,
    cars: list[Vehicle],
    owner: User,
    fleet: Fleet,
    browser_of: Callable[[User], Client],
    run_enqueued: Callable[[], list[str]],
) -> None:
    first, second, *_ = cars
    browser_of(owner).post(f"/fleets/blue/vehicles/{first.smartcar_id}/commands/lock/")
    assert (
        send(program_of(owner, fleet), f"/api/v1/vehicles/{second.smartcar_id}/commands/").status_code == 201
    )
    assert (Command.objects.filter(state=CommandState.REQUESTED).count(), heard(origin)) == (2, 0)
    assert run_enqueued().count("commands.tasks.send") == 2
    assert heard(origin) == 2

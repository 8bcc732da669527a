"""Slow vehicles don't block web processes, commands to other vehicles, or the database."""

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
from tests.commands.test_api import send, token_client
from tests.connect.v2.test_api_migration_soak import point_at
from tests.simulator.process import NO_LIMITS
from tests.simulator.process import simulator as started
from tests.smartcar import connect
from tests.worker import running_worker
from vehicles.models import Vehicle

pytestmark = pytest.mark.django_db(transaction=True)
VEHICLES = 4


@pytest.fixture
def origin(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A separate simulator that responds to commands immediately."""
    flags = ("--command-latency=0", "--driving-every=0", "--charging-every=0", *NO_LIMITS)
    with started(*flags) as simulator:
        point_at(simulator.origin, settings, monkeypatch)
        yield simulator.origin


@pytest.fixture
def vehicles(origin: str, fleet: Fleet, owner: User) -> list[Vehicle]:
    connect(origin, fleet=fleet, user=owner, count=VEHICLES)
    return [connection.vehicle for connection in Connection.objects.select_related("vehicle").order_by("pk")]


def wait_until(condition: Callable[[], bool], message: str) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, message
        time.sleep(0.05)


def received_count(origin: str) -> int:
    """Returns the number of commands that reached the simulator."""
    response = httpx.get(f"{origin}/control/requests", params={"path": "/security/"}, timeout=30).json()
    return len(response["requests"])


def test_a_slow_vehicle_blocks_neither_other_vehicles_nor_the_database(
    origin: str, vehicles: list[Vehicle], owner: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Fewer database connections than slow vehicles: each task must release its connection while it waits.
    monkeypatch.setenv("DATABASE_POOL_SIZE", "2")
    *slow, quick = vehicles
    with running_worker(tmp_path / "worker.log") as worker:
        httpx.post(f"{origin}/control/troubles", json={"slowCommands": 60}, timeout=30).raise_for_status()
        for vehicle in slow:
            services.create_command(vehicle=vehicle, kind=CommandType.LOCK, user=owner)
        wait_until(lambda: received_count(origin) == len(slow), "the slow cars were not asked")
        httpx.delete(f"{origin}/control/troubles", timeout=30)
        command = services.create_command(vehicle=quick, kind=CommandType.LOCK, user=owner)
        final = Command.objects.filter(pk=command.pk).exclude(
            state__in=(CommandState.REQUESTED, CommandState.SENDING)
        )
        wait_until(final.exists, "the quick car's command waits")
        assert Command.objects.filter(vehicle__in=slow, state=CommandState.SENDING).count() == len(slow)
        worker.kill()


def test_pages_and_api_respond_without_calling_the_vehicle(
    origin: str,
    vehicles: list[Vehicle],
    owner: User,
    fleet: Fleet,
    browser_of: Callable[[User], Client],
    run_enqueued: Callable[[], list[str]],
) -> None:
    first, second, *_ = vehicles
    browser_of(owner).post(f"/fleets/blue/vehicles/{first.smartcar_id}/commands/lock/")
    assert (
        send(token_client(owner, fleet), f"/api/v1/vehicles/{second.smartcar_id}/commands/").status_code
        == 201
    )
    assert (Command.objects.filter(state=CommandState.REQUESTED).count(), received_count(origin)) == (2, 0)
    assert run_enqueued().count("commands.tasks.send") == 2
    assert received_count(origin) == 2

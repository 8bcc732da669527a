"""Workers killed with SIGKILL during 200 unlocks: each is sent once or not at all, never late, and none stays unknown.

To see the figures: pytest -m slow --log-cli-level=INFO tests/commands/test_kill.py
"""

import logging
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path

import httpx
import pytest
from celery import current_app
from django.db.models import F
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Fleet, SmartcarApiVersion, User
from commands import confirmation, services
from commands.models import Command, CommandState
from commands.types import CommandType
from connect.models import Connection
from tests.connect.v2.test_api_migration_soak import point_at
from tests.simulator.process import NO_LIMITS
from tests.simulator.process import simulator as started
from tests.smartcar import connect, register_webhook
from tests.worker import running_worker
from webhooks import processing

logger = logging.getLogger(__name__)
pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
VEHICLES = 200
PARKED = {
    "speed": 0,
    "asleep": False,
    "reachable": True,
    "remote_access": True,
    "in_service": False,
    "doors": [],
}
UNLOCKS = {SmartcarApiVersion.V3: "/commands/security/unlock", SmartcarApiVersion.V2: "/security"}


@pytest.fixture(params=[SmartcarApiVersion.V3, SmartcarApiVersion.V2])
def api_version(request: pytest.FixtureRequest) -> SmartcarApiVersion:
    return SmartcarApiVersion(request.param)


@pytest.fixture
def origin(live_server: object, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A simulator with enough vehicles to unlock, and commands slow enough to be interrupted."""
    flags = ("--vehicles=400", "--driving-every=0", "--charging-every=0", *NO_LIMITS)
    with started(*flags) as simulator:
        point_at(simulator.origin, settings, monkeypatch)
        register_webhook(simulator.origin, f"{settings.SITE_URL}/webhooks/smartcar/")
        yield simulator.origin


@pytest.fixture
def connections(
    origin: str, fleet: Fleet, owner: User, api_version: SmartcarApiVersion, tmp_path: Path
) -> list[Connection]:
    """200 parked, locked and subscribed vehicles."""
    fleet.api_version = api_version
    fleet.save()
    listed = httpx.get(f"{origin}/control/vehicles", params={"limit": 400}, timeout=60).json()["vehicles"]
    by_account: dict[str, list[str]] = {}
    for vehicle in listed:
        response = httpx.patch(
            f"{origin}/control/vehicles/{vehicle['id']}", json=PARKED | {"is_locked": True}, timeout=30
        )
        if response.is_success and vehicle["account"] and sum(map(len, by_account.values())) < VEHICLES:
            by_account.setdefault(vehicle["account"], []).append(vehicle["id"])
    for ids in by_account.values():
        connect(origin, fleet=fleet, user=owner, vehicleIds=ids)
    with running_worker(tmp_path / "first-worker.log"):
        unsubscribed = Connection.objects.filter(subscribed_at=None)
        wait_until(lambda: not unsubscribed.exists(), "not all cars are subscribed", seconds=180)
    current_app.control.purge()
    connections = list(Connection.objects.select_related("vehicle"))
    assert len(connections) == VEHICLES
    return connections


@pytest.fixture
def logs(tmp_path: Path) -> Iterator[Path]:
    return (tmp_path / f"worker-{number}.log" for number in count())


def wait_until(condition: Callable[[], bool], message: str, *, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, message
        time.sleep(0.01)


def sent_count() -> int:
    return Command.objects.exclude(sent_at=None).count()


def in_progress() -> bool:
    """Whether a command will still be sent or answered. Commands claimed by a killed worker won't be."""
    now = timezone.now()
    to_be_sent = Command.objects.filter(state=CommandState.REQUESTED, expires_at__gt=now)
    sending = Command.objects.filter(state=CommandState.SENDING, claimed_at__gt=now - timedelta(seconds=10))
    return to_be_sent.exists() or sending.exists()


def received_unlocks(origin: str, api_version: SmartcarApiVersion) -> dict[str, list[datetime]]:
    """Returns the times at which each vehicle's unlocks reached the simulator."""
    response = httpx.get(
        f"{origin}/control/requests", params={"path": UNLOCKS[api_version]}, timeout=30
    ).json()
    received: dict[str, list[datetime]] = {}
    for request in response["requests"]:
        if request["method"] == "POST":
            received.setdefault(request["vehicleId"], []).append(datetime.fromisoformat(request["time"]))
    return received


def test_no_vehicle_is_unlocked_twice_or_late_and_no_command_stays_unknown(
    origin: str,
    connections: list[Connection],
    owner: User,
    api_version: SmartcarApiVersion,
    logs: Iterator[Path],
) -> None:
    httpx.post(f"{origin}/control/troubles", json={"slowCommands": 0.4}, timeout=30).raise_for_status()
    httpx.delete(f"{origin}/control/requests", timeout=30)
    killed_after = []
    rng = random.Random(3)
    # Workers are killed before anything is sent, twice in the middle, and when most commands have a response.
    for batch, target in enumerate((0, 10, 25, 45)):
        with running_worker(next(logs)) as worker:
            before = sent_count()
            for connection in connections[batch::4]:
                services.create_command(vehicle=connection.vehicle, kind=CommandType.UNLOCK, user=owner)
                if not target:
                    worker.kill()
            wait_until(lambda goal=before + target: sent_count() >= goal, "nothing is sent")  # type: ignore[misc]
            # Now some wait for the vehicle, some have a response, and some are between claim and sending.
            time.sleep(rng.random() * 0.4)
            worker.kill()
            worker.wait()
            killed_after.append(sent_count() - before)
    with running_worker(next(logs)):
        while in_progress():
            current_app.send_task("commands.tasks.sweep")
            time.sleep(1)
    httpx.delete(f"{origin}/control/troubles", timeout=30)
    _resolve_pending(origin)

    received = received_unlocks(origin, api_version)
    assert {vehicle_id: len(times) for vehicle_id, times in received.items() if len(times) > 1} == {}
    commands = {command.vehicle.smartcar_id: command for command in Command.objects.select_related("vehicle")}
    late = [vehicle_id for vehicle_id, (at,) in received.items() if at > commands[vehicle_id].expires_at]
    assert late == []
    states = Counter(command.state for command in commands.values())
    assert set(states) <= {
        CommandState.CONFIRMED,
        CommandState.FAILED,
        CommandState.REFUSED,
        CommandState.EXPIRED,
        # The vehicle was locked again, for example because its driver came back, before it reported the unlock.
        CommandState.SUPERSEDED,
    }
    # The history matches the vehicles: confirmed commands arrived, and expired ones never reached a vehicle.
    assert {
        vehicle_id for vehicle_id, command in commands.items() if command.state == CommandState.CONFIRMED
    } <= set(received)
    assert not [vehicle_id for vehicle_id in received if commands[vehicle_id].state == CommandState.EXPIRED]
    logger.info(
        "%s: killed after %s sent; %d reached a car, each once; %s",
        api_version,
        killed_after,
        len(received),
        dict(states),
    )


def _resolve_pending(origin: str) -> None:
    """Age the commands that killed workers left, and let the next signals arrive.

    A vehicle without changes sends no signals until its next scheduled delivery: one that wasn't unlocked, or one that
    was already unlocked because its driver had just got out. So a delivery is requested for each such vehicle.
    """
    confirmation.sweep(now=timezone.now() + confirmation.SENDING_TIMEOUT + timedelta(seconds=1))
    pending = Command.objects.filter(state__in=(CommandState.UNKNOWN, CommandState.ACCEPTED))
    age = confirmation.EXECUTION_TIMEOUT + timedelta(seconds=30)
    for command in pending.select_related("vehicle"):
        address = f"{origin}/control/vehicles/{command.vehicle.smartcar_id}"
        locked = httpx.get(address, timeout=30).json()["signals"]["closure-islocked"]["body"]["value"]
        pending.filter(pk=command.pk).update(sent_at=F("sent_at") - age, claimed_at=F("claimed_at") - age)
        httpx.patch(address, json=PARKED | {"is_locked": locked}, timeout=30).raise_for_status()
        body = {"vehicleId": command.vehicle.smartcar_id}
        httpx.post(f"{origin}/control/deliver", json=body, timeout=30).raise_for_status()

    def resolved() -> bool:
        processing.process_waiting()
        return not pending.exists()

    wait_until(resolved, "some commands stay in doubt", seconds=90)

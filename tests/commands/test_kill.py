"""Workers killed with SIGKILL while 200 unlocks are asked for: sent once or not at all, never late, none left in doubt.

Its figures: pytest -m slow --log-cli-level=INFO tests/commands/test_kill.py
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
CARS = 200
CALM = {
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
    """A simulator with enough cars that can be unlocked, its commands slow enough to be caught in the middle."""
    flags = ("--vehicles=400", "--driving-every=0", "--charging-every=0", *NO_LIMITS)
    with started(*flags) as simulator:
        point_at(simulator.origin, settings, monkeypatch)
        register_webhook(simulator.origin, f"{settings.SITE_URL}/webhooks/smartcar/")
        yield simulator.origin


@pytest.fixture
def connections(
    origin: str, fleet: Fleet, owner: User, api_version: SmartcarApiVersion, tmp_path: Path
) -> list[Connection]:
    """200 parked and locked cars, subscribed."""
    fleet.api_version = api_version
    fleet.save()
    listed = httpx.get(f"{origin}/control/vehicles", params={"limit": 400}, timeout=60).json()["vehicles"]
    by_account: dict[str, list[str]] = {}
    for car in listed:
        settled = httpx.patch(
            f"{origin}/control/vehicles/{car['id']}", json=CALM | {"is_locked": True}, timeout=30
        )
        if settled.is_success and car["account"] and sum(map(len, by_account.values())) < CARS:
            by_account.setdefault(car["account"], []).append(car["id"])
    for ids in by_account.values():
        connect(origin, fleet=fleet, user=owner, vehicleIds=ids)
    with running_worker(tmp_path / "first-worker.log"):
        unsubscribed = Connection.objects.filter(subscribed_at=None)
        wait_until(lambda: not unsubscribed.exists(), "not all cars are subscribed", seconds=180)
    current_app.control.purge()
    found = list(Connection.objects.select_related("vehicle"))
    assert len(found) == CARS
    return found


@pytest.fixture
def logs(tmp_path: Path) -> Iterator[Path]:
    return (tmp_path / f"worker-{number}.log" for number in count())


def wait_until(true: Callable[[], bool], otherwise: str, *, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.01)


def sent() -> int:
    return Command.objects.exclude(sent_at=None).count()


def moving() -> bool:
    """Whether something will still be sent or answered; what a dead worker has claimed will not."""
    now = timezone.now()
    to_be_sent = Command.objects.filter(state=CommandState.REQUESTED, expires_at__gt=now)
    sending = Command.objects.filter(state=CommandState.SENDING, claimed_at__gt=now - timedelta(seconds=10))
    return to_be_sent.exists() or sending.exists()


def unlocks_heard(origin: str, api_version: SmartcarApiVersion) -> dict[str, list[datetime]]:
    """When each car's unlock reached the simulator."""
    seen = httpx.get(f"{origin}/control/requests", params={"path": UNLOCKS[api_version]}, timeout=30).json()
    heard: dict[str, list[datetime]] = {}
    for request in seen["requests"]:
        if request["method"] == "POST":
            heard.setdefault(request["vehicleId"], []).append(datetime.fromisoformat(request["time"]))
    return heard


def test_no_car_is_unlocked_twice_or_late_and_none_is_left_in_doubt(
    origin: str,
    connections: list[Connection],
    owner: User,
    api_version: SmartcarApiVersion,
    logs: Iterator[Path],
) -> None:
    httpx.post(f"{origin}/control/troubles", json={"slowCommands": 0.4}, timeout=30).raise_for_status()
    httpx.delete(f"{origin}/control/requests", timeout=30)
    killed_after = []
    chance = random.Random(3)
    # Killed before anything is sent, in the middle twice, and when most have had their answers.
    for batch, target in enumerate((0, 10, 25, 45)):
        with running_worker(next(logs)) as worker:
            before = sent()
            for connection in connections[batch::4]:
                services.create_command(vehicle=connection.vehicle, kind=CommandType.UNLOCK, user=owner)
                if not target:
                    worker.kill()
            wait_until(lambda goal=before + target: sent() >= goal, "nothing is sent")  # type: ignore[misc]
            # Some wait for the car now, some have their answer, some are between claim and sending.
            time.sleep(chance.random() * 0.4)
            worker.kill()
            worker.wait()
            killed_after.append(sent() - before)
    with running_worker(next(logs)):
        while moving():
            current_app.send_task("commands.tasks.sweep")
            time.sleep(1)
    httpx.delete(f"{origin}/control/troubles", timeout=30)
    _settle(origin)

    heard = unlocks_heard(origin, api_version)
    assert {car: len(times) for car, times in heard.items() if len(times) > 1} == {}
    commands = {command.vehicle.smartcar_id: command for command in Command.objects.select_related("vehicle")}
    late = [car for car, (at,) in heard.items() if at > commands[car].expires_at]
    assert late == []
    states = Counter(command.state for command in commands.values())
    assert set(states) <= {
        CommandState.CONFIRMED,
        CommandState.FAILED,
        CommandState.REFUSED,
        CommandState.EXPIRED,
    }
    # The ledger's word is the car's: what is confirmed was heard, what has failed or expired left the car locked.
    assert {car for car, command in commands.items() if command.state == CommandState.CONFIRMED} <= set(heard)
    assert not [car for car in heard if commands[car].state == CommandState.EXPIRED]
    logger.info(
        "%s: killed after %s sent; %d reached a car, each once; %s",
        api_version,
        killed_after,
        len(heard),
        dict(states),
    )


def _settle(origin: str) -> None:
    """Lets time pass for what dead workers left, then the next signals come.

    A car of which nothing has changed tells nothing until its next turn: one that was not unlocked, and one that stood
    unlocked already because its driver had just got out. So each car in doubt is made to tell.
    """
    confirmation.sweep(now=timezone.now() + confirmation.SENDING_TIMEOUT + timedelta(seconds=1))
    doubtful = Command.objects.filter(state__in=(CommandState.UNKNOWN, CommandState.ACCEPTED))
    past = confirmation.EXECUTION_TIMEOUT + timedelta(seconds=30)
    for command in doubtful.select_related("vehicle"):
        address = f"{origin}/control/vehicles/{command.vehicle.smartcar_id}"
        locked = httpx.get(address, timeout=30).json()["signals"]["closure-islocked"]["body"]["value"]
        doubtful.filter(pk=command.pk).update(sent_at=F("sent_at") - past, claimed_at=F("claimed_at") - past)
        httpx.patch(address, json=CALM | {"is_locked": locked}, timeout=30).raise_for_status()
        told = {"vehicleId": command.vehicle.smartcar_id}
        httpx.post(f"{origin}/control/deliver", json=told, timeout=30).raise_for_status()

    def settled() -> bool:
        processing.process_waiting()
        return not doubtful.exists()

    wait_until(settled, "some commands stay in doubt", seconds=90)

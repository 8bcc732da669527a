"""Real worker processes, killed while they process deliveries: nothing is lost and nothing is duplicated."""

import random
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from celery import current_app
from django.conf import settings

from accounts.models import Fleet
from connect.models import Connection
from tests.webhooks.helpers import state_of
from tests.worker import running_worker
from vehicles import catalogue
from vehicles.models import LatestSignal, Reading, Vehicle
from webhooks import receiver
from webhooks.models import EntryState, InboxEntry
from webhooks.signature import sign

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
VEHICLES, EVENTS_EACH = 10, 200
START = 1_760_000_000_000


@pytest.fixture
def vehicles(fleet: Fleet) -> list[Vehicle]:
    vehicles = [
        Vehicle.objects.create(fleet=fleet, smartcar_id=f"car-{number}") for number in range(VEHICLES)
    ]
    for vehicle in vehicles:
        Connection.objects.create(
            fleet=fleet, vehicle=vehicle, smartcar_user_id="user-1", api_version="v3", mode="live"
        )
    return vehicles


def deliveries(vehicles: list[Vehicle]) -> list[bytes]:
    """Returns every event once and some of them twice, in random order."""
    rng = random.Random(7)
    bodies = [
        state_of(
            vehicle.smartcar_id,
            event_id=f"{vehicle.smartcar_id}-{step}",
            locked=step % 2 == 0,
            at=START + step * 60_000,
        )
        for vehicle in vehicles
        for step in range(EVENTS_EACH)
    ]
    bodies += rng.sample(bodies, len(bodies) // 4)
    rng.shuffle(bodies)
    return bodies


def receive_all(bodies: list[bytes]) -> None:
    token = settings.SMARTCAR_MANAGEMENT_TOKENS[0]
    for body in bodies:
        assert receiver.receive(raw=body, signed=sign(token=token, message=body)).status == 200


def count_waiting() -> int:
    return InboxEntry.objects.filter(state=EntryState.WAITING).count()


def process_until_done(seconds: float) -> None:
    """Sends tasks, as beat does, until all deliveries are processed."""
    deadline = time.monotonic() + seconds
    while count_waiting():
        assert time.monotonic() < deadline, f"{count_waiting()} messages still wait"
        current_app.send_task("webhooks.tasks.process_inbox")
        time.sleep(0.5)


@pytest.fixture
def logs(tmp_path: Path) -> Iterator[Path]:
    """Yields a new log path for each worker."""
    numbers = count()
    return (tmp_path / f"worker-{number}.log" for number in numbers)


def test_killed_workers_lose_and_duplicate_nothing(vehicles: list[Vehicle], logs: Iterator[Path]) -> None:
    receive_all(deliveries(vehicles))
    for _ in range(3):
        current_app.control.purge()
        with running_worker(next(logs)) as worker:
            before = count_waiting()
            current_app.send_task("webhooks.tasks.process_inbox")
            while count_waiting() == before:
                time.sleep(0.002)
            worker.kill()
            worker.wait()
        assert 0 < count_waiting() < before, "the worker was to be killed in the middle of its work"
    with running_worker(next(logs)):
        process_until_done(60)
    processed = InboxEntry.objects.filter(state=EntryState.PROCESSED)
    assert processed.count() == processed.values("event_id").distinct().count() == VEHICLES * EVENTS_EACH
    assert InboxEntry.objects.exclude(state__in=[EntryState.PROCESSED, EntryState.DUPLICATE]).count() == 0
    assert Reading.objects.count() == VEHICLES * EVENTS_EACH
    last_is_locked = (EVENTS_EACH - 1) % 2 == 0
    states = LatestSignal.objects.filter(code=catalogue.IS_LOCKED.code)
    assert [state.value for state in states] == [last_is_locked] * VEHICLES
    assert {int(state.observed_at.timestamp() * 1000) for state in states if state.observed_at} == {
        START + (EVENTS_EACH - 1) * 60_000
    }

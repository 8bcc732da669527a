"""Real processes, killed in the middle of the work: nothing is lost, nothing is doubled."""

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
CARS, EVENTS_EACH = 10, 200
START = 1_760_000_000_000


@pytest.fixture
def cars(fleet: Fleet) -> list[Vehicle]:
    made = [Vehicle.objects.create(fleet=fleet, smartcar_id=f"car-{number}") for number in range(CARS)]
    for car in made:
        Connection.objects.create(
            fleet=fleet, vehicle=car, smartcar_user_id="user-1", api_version="v3", mode="live"
        )
    return made


def deliveries(cars: list[Vehicle]) -> list[bytes]:
    """Every event once and some of them twice, in no order."""
    chance = random.Random(7)
    bodies = [
        state_of(
            car.smartcar_id,
            event_id=f"{car.smartcar_id}-{step}",
            locked=step % 2 == 0,
            at=START + step * 60_000,
        )
        for car in cars
        for step in range(EVENTS_EACH)
    ]
    bodies += chance.sample(bodies, len(bodies) // 4)
    chance.shuffle(bodies)
    return bodies


def receive(bodies: list[bytes]) -> None:
    token = settings.SMARTCAR_MANAGEMENT_TOKENS[0]
    for body in bodies:
        assert receiver.receive(raw=body, signed=sign(token=token, message=body)).status == 200


def waiting() -> int:
    return InboxEntry.objects.filter(state=EntryState.WAITING).count()


def ring_until_done(seconds: float) -> None:
    """Stands in for beat's sweep."""
    deadline = time.monotonic() + seconds
    while waiting():
        assert time.monotonic() < deadline, f"{waiting()} messages still wait"
        current_app.send_task("webhooks.tasks.process_inbox")
        time.sleep(0.5)


@pytest.fixture
def logs(tmp_path: Path) -> Iterator[Path]:
    """A new log for each worker."""
    numbers = count()
    return (tmp_path / f"worker-{number}.log" for number in numbers)


def test_workers_killed_while_they_process_lose_and_double_nothing(
    cars: list[Vehicle], logs: Iterator[Path]
) -> None:
    receive(deliveries(cars))
    for _ in range(3):
        current_app.control.purge()
        with running_worker(next(logs)) as worker:
            before = waiting()
            current_app.send_task("webhooks.tasks.process_inbox")
            while waiting() == before:
                time.sleep(0.002)
            worker.kill()
            worker.wait()
        assert 0 < waiting() < before, "the worker was to be killed in the middle of its work"
    with running_worker(next(logs)):
        ring_until_done(60)
    processed = InboxEntry.objects.filter(state=EntryState.PROCESSED)
    assert processed.count() == processed.values("event_id").distinct().count() == CARS * EVENTS_EACH
    assert InboxEntry.objects.exclude(state__in=[EntryState.PROCESSED, EntryState.DUPLICATE]).count() == 0
    assert Reading.objects.count() == CARS * EVENTS_EACH
    last_is_locked = (EVENTS_EACH - 1) % 2 == 0
    states = LatestSignal.objects.filter(code=catalogue.IS_LOCKED.code)
    assert [state.value for state in states] == [last_is_locked] * CARS
    assert {int(state.observed_at.timestamp() * 1000) for state in states if state.observed_at} == {
        START + (EVENTS_EACH - 1) * 60_000
    }

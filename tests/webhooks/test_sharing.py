"""Several processes share the queued deliveries: none waits forever or is processed twice; the newest value wins."""

import random
import threading
from collections.abc import Callable

import pytest
from django.conf import settings
from django.db import connections

from accounts.models import Fleet
from connect.models import Connection
from tests.webhooks.helpers import state_of
from vehicles.models import LatestSignal, Reading, Vehicle
from webhooks import processing, receiver, tasks
from webhooks.models import EntryState, InboxEntry
from webhooks.signature import sign

pytestmark = pytest.mark.django_db(transaction=True)
START = 1_760_000_000_000
VEHICLES, EVENTS_EACH, THREADS = 4, 40, 4


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


@pytest.fixture
def inbox(vehicles: list[Vehicle]) -> None:
    """The events of all vehicles, in random order."""
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
    random.Random(3).shuffle(bodies)
    token = settings.SMARTCAR_MANAGEMENT_TOKENS[0]
    for body in bodies:
        assert receiver.receive(raw=body, signed=sign(token=token, message=body)).status == 200


def run_concurrently(work: Callable[[], object]) -> None:
    """Runs the function in several threads, each with its own database connection."""
    errors: list[BaseException] = []
    barrier = threading.Barrier(THREADS)

    def run() -> None:
        try:
            barrier.wait(10)
            work()
        except BaseException as error:  # noqa: BLE001 - reported by the assertion below
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []


def test_concurrent_batches_for_the_same_vehicles_end_in_the_newest_state(
    inbox: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processing, "BATCH", 7)
    run_concurrently(processing.process_waiting)
    assert set(InboxEntry.objects.values_list("state", flat=True)) == {EntryState.PROCESSED}
    assert Reading.objects.count() == VEHICLES * EVENTS_EACH
    for state in LatestSignal.objects.all():
        assert state.observed_at is not None
        assert int(state.observed_at.timestamp() * 1000) == START + (EVENTS_EACH - 1) * 60_000
        assert state.value is ((EVENTS_EACH - 1) % 2 == 0)


def test_only_one_thread_of_a_process_works_and_no_task_is_lost(
    inbox: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_work = threading.Lock()
    original = processing.process_waiting

    def run_exclusively(**options: float) -> int:
        assert at_work.acquire(blocking=False), "two threads work"
        try:
            return original(**options)
        finally:
            at_work.release()

    monkeypatch.setattr(processing, "process_waiting", run_exclusively)
    run_concurrently(lambda: [tasks.process_inbox() for _ in range(5)])
    assert not InboxEntry.objects.filter(state=EntryState.WAITING).exists()


def test_long_run_is_ended_and_another_task_is_enqueued(
    inbox: None, monkeypatch: pytest.MonkeyPatch, run_enqueued: Callable[[], list[str]]
) -> None:
    monkeypatch.setattr(processing, "BATCH", 50)
    monkeypatch.setattr(tasks, "TURN_SECONDS", 0.0)
    tasks.process_inbox()
    assert InboxEntry.objects.filter(state=EntryState.WAITING).count() == VEHICLES * EVENTS_EACH - 50
    run_enqueued()
    assert not InboxEntry.objects.filter(state=EntryState.WAITING).exists()

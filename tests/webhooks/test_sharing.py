"""Several processes share what waits: nobody waits for ever, nothing is done twice, and the newest value wins."""

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
CARS, EVENTS_EACH, AT_ONCE = 4, 40, 4


@pytest.fixture
def cars(fleet: Fleet) -> list[Vehicle]:
    made = [Vehicle.objects.create(fleet=fleet, smartcar_id=f"car-{number}") for number in range(CARS)]
    for car in made:
        Connection.objects.create(
            fleet=fleet, vehicle=car, smartcar_user_id="user-1", api_version="v3", mode="live"
        )
    return made


@pytest.fixture
def inbox(cars: list[Vehicle]) -> None:
    """Each car's events in no order, those of all cars mixed."""
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
    random.Random(3).shuffle(bodies)
    token = settings.SMARTCAR_MANAGEMENT_TOKENS[0]
    for body in bodies:
        assert receiver.receive(raw=body, signed=sign(token=token, message=body)).status == 200


def at_once(work: Callable[[], object]) -> None:
    """The same work in several threads, each with a database connection of its own."""
    troubles: list[BaseException] = []
    together = threading.Barrier(AT_ONCE)

    def run() -> None:
        try:
            together.wait(10)
            work()
        except BaseException as trouble:  # noqa: BLE001  shown by the test
            troubles.append(trouble)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert troubles == []


def test_batches_about_the_same_cars_side_by_side_end_in_the_newest_state(
    inbox: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processing, "BATCH", 7)
    at_once(processing.process_waiting)
    assert set(InboxEntry.objects.values_list("state", flat=True)) == {EntryState.PROCESSED}
    assert Reading.objects.count() == CARS * EVENTS_EACH
    for state in LatestSignal.objects.all():
        assert state.observed_at is not None
        assert int(state.observed_at.timestamp() * 1000) == START + (EVENTS_EACH - 1) * 60_000
        assert state.value is ((EVENTS_EACH - 1) % 2 == 0)


def test_within_a_process_one_thread_works_and_no_ring_is_lost(
    inbox: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_work = threading.Lock()
    honest = processing.process_waiting

    def alone(**options: float) -> int:
        assert at_work.acquire(blocking=False), "two threads work"
        try:
            return honest(**options)
        finally:
            at_work.release()

    monkeypatch.setattr(processing, "process_waiting", alone)
    at_once(lambda: [tasks.process_inbox() for _ in range(5)])
    assert not InboxEntry.objects.filter(state=EntryState.WAITING).exists()


def test_a_turn_that_takes_long_is_ended_and_rung_for(
    inbox: None, monkeypatch: pytest.MonkeyPatch, run_enqueued: Callable[[], list[str]]
) -> None:
    monkeypatch.setattr(processing, "BATCH", 50)
    monkeypatch.setattr(tasks, "TURN_SECONDS", 0.0)
    tasks.process_inbox()
    assert InboxEntry.objects.filter(state=EntryState.WAITING).count() == CARS * EVENTS_EACH - 50
    run_enqueued()
    assert not InboxEntry.objects.filter(state=EntryState.WAITING).exists()

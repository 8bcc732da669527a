"""Commands without a clear response: what is retried, what is read, and which later signal settles them."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import User
from commands import confirmation, sender
from commands.models import Command, CommandState
from commands.types import IDEMPOTENT, CommandType
from connect.models import Connection
from smartcar_api import SmartcarError
from tests.commands.test_history import DONE, FakeVehicle, create, lock_update, state
from tests.commands.test_history import fake_vehicle as fake_vehicle
from vehicles.models import Vehicle

pytestmark = pytest.mark.django_db

LOST = SmartcarError(type="NO_ANSWER", code="TIMEOUT")


def make_due() -> None:
    Command.objects.update(next_try_at=timezone.now() - timedelta(seconds=1))


def test_a_lock_without_a_response_is_retried_after_a_pause(
    vehicle: Vehicle, connection: Connection, owner: User, fake_vehicle: Callable[..., FakeVehicle]
) -> None:
    command, fake = create(vehicle, owner), fake_vehicle(LOST)
    sender.send(command=command)
    assert state(command) == CommandState.RETRYING
    sender.send(command=command)
    assert fake.received == ["lock"]
    make_due()
    assert confirmation.sweep(now=timezone.now()) == [command.pk]
    fake.answer = DONE
    sender.send(command=command)
    assert (fake.received, state(command)) == (["lock", "lock"], CommandState.ACCEPTED)


def test_a_lock_is_tried_three_times_at_most(
    vehicle: Vehicle, connection: Connection, owner: User, fake_vehicle: Callable[..., FakeVehicle]
) -> None:
    command, fake = create(vehicle, owner), fake_vehicle(LOST)
    for _ in range(5):
        sender.send(command=command)
        make_due()
    assert (len(fake.received), state(command)) == (sender.MAX_ATTEMPTS, CommandState.UNKNOWN)


def test_a_lock_is_not_retried_after_its_signal_arrived(
    vehicle: Vehicle, connection: Connection, owner: User, fake_vehicle: Callable[..., FakeVehicle]
) -> None:
    command, fake = create(vehicle, owner), fake_vehicle(LOST)
    sender.send(command=command)
    later = timezone.now() + timedelta(seconds=1)
    assert (
        confirmation.confirm_from_signals(updates=[lock_update(command, locked=True, at=later)], now=later)
        == 1
    )
    make_due()
    sender.send(command=command)
    assert (fake.received, state(command)) == (["lock"], CommandState.CONFIRMED)


def test_a_lock_without_a_response_that_is_rejected_on_retry_is_unknown(
    vehicle: Vehicle, connection: Connection, owner: User, fake_vehicle: Callable[..., FakeVehicle]
) -> None:
    command, fake = create(vehicle, owner), fake_vehicle(LOST)
    sender.send(command=command)
    make_due()
    Command.objects.update(attempts=sender.MAX_ATTEMPTS - 1)
    fake.answer = SmartcarError(type="VEHICLE_STATE", code="DOOR_OPEN", status=409)
    sender.send(command=command)
    assert state(command) == CommandState.UNKNOWN
    assert "a door or the trunk is open" in command.message


@pytest.mark.parametrize("kind", [kind for kind in CommandType if kind not in (CommandType.LOCK,)])
def test_only_locks_are_retried(kind: CommandType) -> None:
    assert kind not in IDEMPOTENT


def test_a_vehicle_with_an_unknown_command_is_read_with_growing_pauses(
    vehicle: Vehicle,
    connection: Connection,
    owner: User,
    fake_vehicle: Callable[..., FakeVehicle],
) -> None:
    command = create(vehicle, owner, CommandType.UNLOCK)
    fake_vehicle(LOST)
    sender.send(command=command)
    now, reads = timezone.now(), []
    for minutes in (0.2, 1, 2, 8, 40, 80):
        confirmation.sweep(now=now + timedelta(minutes=minutes))
        reads.append(Connection.objects.filter(fetch_due_at__isnull=False).update(fetch_due_at=None))
    assert (reads, state(command)) == ([0, 1, 0, 1, 1, 0], CommandState.UNKNOWN)


def test_a_much_later_opposite_signal_supersedes_an_unknown_command(
    vehicle: Vehicle, connection: Connection, owner: User
) -> None:
    command = create(vehicle, owner, CommandType.UNLOCK)
    now = timezone.now()
    Command.objects.update(state=CommandState.UNKNOWN, claimed_at=now, sent_at=now)
    too_early = now + confirmation.EXECUTION_TIMEOUT - timedelta(seconds=1)
    confirmation.confirm_from_signals(
        updates=[lock_update(command, locked=True, at=too_early)], now=too_early
    )
    assert state(command) == CommandState.UNKNOWN
    later = now + confirmation.EXECUTION_TIMEOUT + timedelta(seconds=1)
    confirmation.confirm_from_signals(updates=[lock_update(command, locked=True, at=later)], now=later)
    assert state(command) == CommandState.SUPERSEDED
    assert "since reported a different state" in command.message


def test_a_signal_after_more_than_a_day_confirms_nothing(
    vehicle: Vehicle, connection: Connection, owner: User
) -> None:
    command = create(vehicle, owner, CommandType.UNLOCK)
    now = timezone.now()
    Command.objects.update(state=CommandState.UNKNOWN, claimed_at=now, sent_at=now)
    later = now + timedelta(hours=30)
    assert (
        confirmation.confirm_from_signals(updates=[lock_update(command, locked=False, at=later)], now=later)
        == 0
    )

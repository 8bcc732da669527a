"""The worker threads that one fleet's commands may occupy, however slowly its vehicles respond."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Fleet, User
from commands import confirmation, sender
from commands.models import Command, CommandState
from commands.types import CommandType
from connect.models import Connection
from tests.commands.test_history import DONE, FakeVehicle, create, state
from tests.commands.test_history import fake_vehicle as fake_vehicle
from vehicles.models import Vehicle

pytestmark = pytest.mark.django_db


def start_calls(fleet: Fleet, count: int) -> None:
    """Creates commands of other vehicles of the fleet that are being sent."""
    now = timezone.now()
    for number in range(count):
        Command.objects.create(
            fleet=fleet,
            vehicle=Vehicle.objects.create(fleet=fleet, smartcar_id=f"slow-{fleet.pk}-{number}"),
            kind=CommandType.LOCK,
            api_version="v3",
            state=CommandState.SENDING,
            requested_at=now,
            expires_at=now + timedelta(minutes=10),
            claimed_at=now,
            sent_at=now,
        )


def test_command_of_a_fleet_with_many_slow_calls_waits_briefly(
    vehicle: Vehicle,
    connection: Connection,
    owner: User,
    fake_vehicle: Callable[..., FakeVehicle],
    settings: Settings,
) -> None:
    settings.COMMAND_WORKER_THREADS = 4
    command, fake = create(vehicle, owner, CommandType.UNLOCK), fake_vehicle(DONE)
    start_calls(vehicle.fleet, 3)
    sender.send(command=command)
    assert (fake.received, state(command)) == ([], CommandState.REQUESTED)
    assert command.next_try_at is not None
    assert command.next_try_at < command.expires_at
    due = command.next_try_at + timedelta(seconds=1)
    assert confirmation.sweep(now=due) == [command.pk]
    Command.objects.filter(state=CommandState.SENDING).first().delete()  # type: ignore[union-attr]
    Command.objects.filter(pk=command.pk).update(next_try_at=timezone.now() - timedelta(seconds=1))
    sender.send(command=command)
    assert (fake.received, state(command)) == (["unlock"], CommandState.ACCEPTED)


def test_slow_calls_of_another_fleet_delay_nothing(
    vehicle: Vehicle,
    connection: Connection,
    owner: User,
    outsider: User,
    fake_vehicle: Callable[..., FakeVehicle],
    settings: Settings,
) -> None:
    settings.COMMAND_WORKER_THREADS = 4
    command, fake = create(vehicle, owner), fake_vehicle(DONE)
    start_calls(Fleet.objects.get(slug="red"), 3)
    sender.send(command=command)
    assert (fake.received, state(command)) == (["lock"], CommandState.ACCEPTED)

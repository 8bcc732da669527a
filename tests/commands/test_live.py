"""Changes to a vehicle's commands and connection are published to open pages."""

import pytest
from django.utils import timezone

from accounts.models import Fleet, User
from commands.services import create_idempotent_command
from commands.types import CommandType
from connect.models import ConnectionState
from core import pubsub
from tests.dashboard.vehicle_list.fixtures import connect
from tests.live import read_events
from vehicles.models import Vehicle

pytestmark = pytest.mark.django_db(transaction=True)


def channels(fleet: Fleet, since: str, vehicle: Vehicle) -> set[str]:
    events = read_events(fleet_id=fleet.pk, since=since).events
    assert all(event.vehicle_ids == {vehicle.pk} for event in events)
    return {event.channel for event in events}


def test_creating_a_command_is_published(fleet: Fleet, vehicle: Vehicle, owner: User) -> None:
    connect(vehicle)
    here = pubsub.current_offset(fleet_id=fleet.pk)
    create_idempotent_command(vehicle=vehicle, user=owner, kind=CommandType.LOCK)
    assert channels(fleet, here, vehicle) == {"commands"}


def test_a_connection_change_is_published(fleet: Fleet, vehicle: Vehicle) -> None:
    connection = connect(vehicle)
    here = pubsub.current_offset(fleet_id=fleet.pk)
    connection.move_to(ConnectionState.NEEDS_REAUTHENTICATION, now=timezone.now())
    assert channels(fleet, here, vehicle) == {"connections"}

"""Open pages hear that something is new about a car's commands and its connection."""

import pytest
from django.utils import timezone

from accounts.models import Fleet, User
from commands.services import create_idempotent_command
from commands.types import CommandType
from connect.models import ConnectionState
from core import pubsub
from tests.dashboard.vehicle_list.fixtures import connect
from tests.live import news
from vehicles.models import Vehicle

pytestmark = pytest.mark.django_db(transaction=True)


def topics(fleet: Fleet, since: str, vehicle: Vehicle) -> set[str]:
    notices = news(fleet_id=fleet.pk, since=since).notices
    assert all(notice.vehicle_ids == {vehicle.pk} for notice in notices)
    return {notice.topic for notice in notices}


def test_a_command_that_is_asked_for_is_told(fleet: Fleet, vehicle: Vehicle, owner: User) -> None:
    connect(vehicle)
    here = pubsub.place(fleet_id=fleet.pk)
    create_idempotent_command(vehicle=vehicle, user=owner, kind=CommandType.LOCK)
    assert topics(fleet, here, vehicle) == {"commands"}


def test_a_connection_that_changes_is_told(fleet: Fleet, vehicle: Vehicle) -> None:
    connection = connect(vehicle)
    here = pubsub.place(fleet_id=fleet.pk)
    connection.move_to(ConnectionState.NEEDS_REAUTHENTICATION, cause="He said so.", now=timezone.now())
    assert topics(fleet, here, vehicle) == {"connections"}

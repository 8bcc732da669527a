"""Times of deliveries, from the raw body to the vehicle's state and its commands."""

import json
import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from commands.models import Command, CommandState
from connect.models import Connection
from tests.webhooks.helpers import post
from vehicles import catalogue
from vehicles.models import LatestSignal, Vehicle
from webhooks import processing

pytestmark = pytest.mark.django_db
CODE = catalogue.IS_CHARGING.code


def milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def deliver(
    vehicle: Vehicle,
    value: bool | None,
    *,
    delivered: datetime | None = None,
    **times: datetime,
) -> None:
    """Posts and processes a delivery with the charging state, or with an error if `value` is None."""
    failed = {"value": "ERROR", "error": {"type": "VEHICLE_STATE", "code": "ASLEEP"}}
    signal: dict[str, Any] = {
        "code": CODE,
        "status": failed if value is None else {"value": "SUCCESS"},
        "meta": {name: milliseconds(moment) for name, moment in times.items()},
    }
    if value is not None:
        signal["body"] = {"value": value}
    meta = {"deliveredAt": milliseconds(delivered)} if delivered else {}
    message = {
        "eventId": str(uuid.uuid4()),
        "eventType": "VEHICLE_STATE",
        "data": {"vehicle": {"id": vehicle.smartcar_id}, "user": {"id": "user-1"}, "signals": [signal]},
        "meta": meta,
    }
    post(json.dumps(message).encode())
    processing.process_waiting()


def stop_charging(vehicle: Vehicle, *, sent_at: datetime, state: CommandState) -> Command:
    return Command.objects.create(
        fleet=vehicle.fleet,
        vehicle=vehicle,
        kind="stop_charge",
        api_version="v3",
        state=state,
        requested_at=sent_at,
        expires_at=sent_at + timedelta(minutes=10),
        claimed_at=sent_at,
        sent_at=sent_at,
    )


@pytest.mark.parametrize("value", [True, False])
@pytest.mark.parametrize("state", [CommandState.ACCEPTED, CommandState.UNKNOWN])
def test_value_retrieved_before_the_sending_proves_nothing(
    vehicle: Vehicle, connection: Connection, value: bool, state: CommandState
) -> None:
    sent = timezone.now() - timedelta(minutes=20)
    command = stop_charging(vehicle, sent_at=sent, state=state)
    deliver(
        vehicle,
        value,
        retrievedAt=sent - timedelta(minutes=30),
        oemUpdatedAt=sent + timedelta(minutes=10),
    )
    command.refresh_from_db()
    assert command.state == state


def test_true_value_after_one_from_a_clock_ahead_is_used(vehicle: Vehicle, connection: Connection) -> None:
    sent = timezone.now() - timedelta(minutes=20)
    ahead = sent + timedelta(minutes=20)
    deliver(vehicle, False, retrievedAt=sent - timedelta(minutes=30), oemUpdatedAt=ahead)
    measured = sent + timedelta(minutes=5)
    deliver(vehicle, True, retrievedAt=measured + timedelta(seconds=9), oemUpdatedAt=measured)
    row = LatestSignal.objects.get(vehicle=vehicle, code=CODE)
    assert (row.value, milliseconds(row.observed_at or sent)) == (True, milliseconds(measured))


def test_deliveries_without_signal_times_are_ordered_by_delivery(
    vehicle: Vehicle, connection: Connection
) -> None:
    now = timezone.now()
    deliver(vehicle, True, delivered=now - timedelta(minutes=1))
    deliver(vehicle, False, delivered=now - timedelta(minutes=2))
    assert LatestSignal.objects.get(vehicle=vehicle, code=CODE).value is True


def test_last_update_does_not_move_without_data(vehicle: Vehicle, connection: Connection) -> None:
    deliver(vehicle, None)
    error = {
        "type": "CONNECTED_SERVICES_ACCOUNT",
        "code": "ACCOUNT_ISSUE",
        "state": "RESOLVED",
        "signals": [{"code": CODE}],
    }
    body = {
        "eventId": "error",
        "eventType": "VEHICLE_ERROR",
        "data": {"vehicle": {"id": vehicle.smartcar_id}, "errors": [error]},
    }
    post(json.dumps(body).encode())
    assert processing.process_waiting() == 1
    vehicle.refresh_from_db()
    assert vehicle.last_seen_at is None
    deliver(vehicle, True)
    vehicle.refresh_from_db()
    assert vehicle.last_seen_at is not None

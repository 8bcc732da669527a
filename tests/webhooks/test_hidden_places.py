"""A location that its driver hides is neither stored nor shown, whatever its source."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from connect.driver_portal import privacy
from connect.models import Connection, ConnectionState
from tests.webhooks.helpers import post, state_of
from vehicles import catalogue
from vehicles.models import LatestSignal, Reading, Vehicle
from webhooks import processing
from webhooks.messages import DeliveryNote
from webhooks.models import EntryState, InboxEntry
from webhooks.replay import replay

pytestmark = pytest.mark.django_db
LOCATION, LOCK = catalogue.PRECISE_LOCATION.code, catalogue.IS_LOCKED.code


def deliver(vehicle: Vehicle, *, at: datetime, event_id: str = "event-1") -> None:
    """Processes a delivery with the lock status and the location."""
    stamp = int(at.timestamp() * 1000)
    body: dict[str, Any] = json.loads(state_of(vehicle.smartcar_id, event_id=event_id, locked=True, at=stamp))
    location = body["data"]["signals"][0] | {
        "code": LOCATION,
        "name": "PreciseLocation",
        "group": "Location",
        "body": {"latitude": 52.52, "longitude": 13.405},
    }
    body["data"]["signals"].append(location)
    post(json.dumps(body).encode())
    processing.process_waiting()


def stored_codes(vehicle: Vehicle) -> set[str]:
    latest = LatestSignal.objects.filter(vehicle=vehicle).values_list("code", flat=True)
    assert set(latest) >= set(Reading.objects.filter(vehicle=vehicle).values_list("signal__code", flat=True))
    return set(latest)


def test_location_is_stored_without_a_pause(vehicle: Vehicle, connection: Connection) -> None:
    deliver(vehicle, at=timezone.now())
    assert stored_codes(vehicle) == {LOCK, LOCATION}
    assert bytes(InboxEntry.objects.get().body) != b""


def test_paused_location_and_raw_message_are_not_stored_but_other_signals_are(
    vehicle: Vehicle, connection: Connection
) -> None:
    privacy.pause(connection=connection, duration=None, now=timezone.now() - timedelta(minutes=5))
    deliver(vehicle, at=timezone.now())
    assert stored_codes(vehicle) == {LOCK}
    entry = InboxEntry.objects.get()
    assert (entry.state, bytes(entry.body), entry.note_code) == (
        EntryState.PROCESSED,
        b"",
        DeliveryNote.LOCATION_HIDDEN,
    )


def test_message_that_was_not_stored_is_not_replayed(vehicle: Vehicle, connection: Connection) -> None:
    privacy.pause(connection=connection, duration=None, now=timezone.now())
    deliver(vehicle, at=timezone.now())
    assert replay(entries=InboxEntry.objects.all()) == 0


def test_location_measured_during_the_pause_but_received_later_is_not_stored(
    vehicle: Vehicle, connection: Connection
) -> None:
    now = timezone.now()
    privacy.pause(connection=connection, duration=None, now=now - timedelta(hours=2))
    privacy.resume(connection=connection, now=now - timedelta(hours=1))
    deliver(vehicle, at=now - timedelta(minutes=90))
    assert stored_codes(vehicle) == {LOCK}
    deliver(vehicle, at=now, event_id="event-2")
    assert stored_codes(vehicle) == {LOCK, LOCATION}


def test_late_location_from_before_the_pause_is_not_stored(vehicle: Vehicle, connection: Connection) -> None:
    now = timezone.now()
    privacy.pause(connection=connection, duration=timedelta(hours=1), now=now)
    deliver(vehicle, at=now - timedelta(hours=1))
    assert stored_codes(vehicle) == {LOCK}


def test_location_is_hidden_if_one_of_two_drivers_hides_it(vehicle: Vehicle, connection: Connection) -> None:
    other = Connection.objects.create(
        fleet=vehicle.fleet, vehicle=vehicle, smartcar_user_id="user-2", api_version="v3", mode="live"
    )
    privacy.pause(connection=other, duration=None, now=timezone.now())
    deliver(vehicle, at=timezone.now())
    assert stored_codes(vehicle) == {LOCK}
    privacy.resume(connection=other, now=timezone.now())
    other.move_to(ConnectionState.REMOVED, now=timezone.now())
    deliver(vehicle, at=timezone.now(), event_id="event-2")
    assert stored_codes(vehicle) == {LOCK, LOCATION}

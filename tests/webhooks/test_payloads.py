"""The displayed body of a delivery: formatted, without locations and VINs that the reader may not see."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Fleet, User
from connect.driver_portal.models import LocationPause
from connect.models import Connection
from tests.webhooks.helpers import payload
from vehicles import catalogue
from vehicles.models import Vehicle
from webhooks.models import EntryState, InboxEntry, Source
from webhooks.webhook_log.payloads import HIDDEN, TOO_DEEP, Reveal, mask, payload_for
from webhooks.webhook_log.visibility import LogScope

ALL, NOTHING = Reveal(place=True, vin=True), Reveal(place=False, vin=False)
VIN = "5YJ3E1EA7KF317000"
WITH_LOCATION = [
    "variants/legacy-2.0-schedule.json",
    "variants/b-4.0-object-triggers.json",
    "answers/v2-batch.json",
    "answers/v3-signals.json",
]
PLACES = ("37.4292", "37.7749", "latitude", VIN)


def create_delivery(body: Any, **fields: Any) -> InboxEntry:
    about = {
        "received_at": timezone.now(),
        "body": body if isinstance(body, bytes) else json.dumps(body).encode(),
        "state": EntryState.PROCESSED,
    }
    return InboxEntry.objects.create(**(about | fields))


def state(vehicle_id: str) -> dict[str, Any]:
    """Returns a message with a location, a VIN and a state of charge."""
    signals = [
        (catalogue.PRECISE_LOCATION, {"latitude": 37.77, "longitude": -122.41}),
        (catalogue.VIN, {"value": VIN}),
        (catalogue.STATE_OF_CHARGE, {"value": 61, "unit": "percent"}),
    ]
    return {
        "eventId": "e",
        "eventType": "VEHICLE_STATE",
        "data": {
            "vehicle": {"id": vehicle_id, "make": "TESLA"},
            "signals": [
                {"code": signal.code, "body": body, "status": {"value": "SUCCESS"}}
                for signal, body in signals
            ],
        },
        "meta": {"version": "4.0", "mode": "LIVE"},
    }


def test_manager_sees_the_location_and_vin_of_a_processed_delivery(connection: Connection) -> None:
    entry = create_delivery(
        state(connection.vehicle.smartcar_id), smartcar_vehicle_id=connection.vehicle.smartcar_id
    )
    body = payload_for(entry=entry, scope=LogScope(connection.fleet))
    assert "37.77" in body.text
    assert VIN not in body.text
    assert (body.hidden, body.vin_hidden) == (False, True)
    whole = payload_for(entry=entry, scope=LogScope(connection.fleet), with_vin=True)
    assert VIN in whole.text
    assert not whole.vin_hidden


@pytest.mark.parametrize("state_value", [s for s in EntryState if s != EntryState.PROCESSED])
def test_location_of_an_unprocessed_delivery_is_hidden(
    connection: Connection, state_value: EntryState
) -> None:
    smartcar_id = connection.vehicle.smartcar_id
    entry = create_delivery(state(smartcar_id), smartcar_vehicle_id=smartcar_id, state=state_value)
    body = payload_for(entry=entry, scope=LogScope(connection.fleet))
    assert body.hidden
    assert "37.77" not in body.text
    assert VIN not in body.text
    assert "61" in body.text


def test_location_currently_hidden_by_the_driver_is_hidden(connection: Connection) -> None:
    smartcar_id = connection.vehicle.smartcar_id
    entry = create_delivery(state(smartcar_id), smartcar_vehicle_id=smartcar_id)
    pause = LocationPause.objects.create(connection=connection, began_at=timezone.now())
    assert "37.77" not in payload_for(entry=entry, scope=LogScope(connection.fleet)).text
    pause.delete()
    assert "37.77" in payload_for(entry=entry, scope=LogScope(connection.fleet)).text


def test_location_hidden_by_a_driver_in_another_fleet_is_hidden_too(
    connection: Connection, outsider: User
) -> None:
    smartcar_id = connection.vehicle.smartcar_id
    other = Vehicle.objects.create(fleet=Fleet.objects.get(slug="red"), smartcar_id=smartcar_id)
    other_connection = Connection.objects.create(
        fleet=other.fleet, vehicle=other, smartcar_user_id="user-2", api_version="v3", mode="live"
    )
    LocationPause.objects.create(connection=other_connection, began_at=timezone.now())
    entry = create_delivery(state(smartcar_id), smartcar_vehicle_id=smartcar_id)
    assert "37.77" not in payload_for(entry=entry, scope=LogScope(connection.fleet)).text


def test_staff_see_neither_location_nor_vin(connection: Connection) -> None:
    smartcar_id = connection.vehicle.smartcar_id
    entry = create_delivery(state(smartcar_id), smartcar_vehicle_id=smartcar_id)
    text = payload_for(entry=entry, scope=LogScope(None)).text
    assert "37.77" not in text
    assert VIN not in text
    assert "61" in text


@pytest.mark.parametrize("name", WITH_LOCATION)
def test_location_and_vin_are_masked_in_every_variant(db: None, name: str) -> None:
    content = mask(payload(name), reveal=NOTHING)
    text = json.dumps(content)
    assert HIDDEN in text
    for key in ("latitude", "longitude"):
        assert f'"{key}": {HIDDEN!r}'.replace("'", '"') in text or key not in text
    assert not any(
        isinstance(number, float) and abs(number) in (37.4292, 122.1381) for number in leaves(content)
    )


def leaves(content: Any) -> list[Any]:
    if isinstance(content, dict):
        return [leaf for each in content.values() for leaf in leaves(each)]
    if isinstance(content, list):
        return [leaf for each in content for leaf in leaves(each)]
    return [content]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner) | st.dictionaries(st.sampled_from(["vin", "code", "path", "body", "x"]), inner)
        ),
    )
)
def test_masking_accepts_any_json_and_changes_nothing_if_everything_may_be_shown(content: Any) -> None:
    mask(content, reveal=NOTHING)
    assert mask(content, reveal=ALL) == content


def test_excessive_nesting_is_truncated(db: None) -> None:
    entry = create_delivery(b"[" * 1000 + b"]" * 1000)
    assert TOO_DEEP in payload_for(entry=entry, scope=LogScope(None)).text


def test_vin_is_recognized_by_its_format() -> None:
    masked = mask({"description": f"The car {VIN} is asleep."}, reveal=NOTHING)
    assert masked == {"description": f"The car {HIDDEN} is asleep."}


def test_body_that_mentions_a_vehicle_of_another_fleet_is_not_shown(connection: Connection) -> None:
    message = payload("variants/legacy-2.0-schedule.json")
    first = message["payload"]["vehicles"][0]["vehicleId"]
    Vehicle.objects.update(smartcar_id=first)
    body = payload_for(
        entry=create_delivery(message, smartcar_vehicle_id=first), scope=LogScope(connection.fleet)
    )
    assert body.text == ""
    assert "other fleets" in body.why
    for vehicle in message["payload"]["vehicles"][1:]:
        Vehicle.objects.create(fleet=connection.fleet, smartcar_id=vehicle["vehicleId"])
    assert payload_for(entry=InboxEntry.objects.get(), scope=LogScope(connection.fleet)).text


@pytest.mark.parametrize(("raw", "words"), [(b"", "t stored"), (b"\xff{garbage", "t JSON (9 bytes)")])
def test_body_that_cannot_be_displayed_is_explained(db: None, raw: bytes, words: str) -> None:
    body = payload_for(entry=create_delivery(raw), scope=LogScope(None))
    assert body.text == ""
    assert words in body.why


def test_body_is_escaped(owner: User, connection: Connection, browser_of: Callable[[User], Client]) -> None:
    smartcar_id = connection.vehicle.smartcar_id
    Connection.objects.update(created_at=timezone.now() - timedelta(minutes=1))
    entry = create_delivery(
        {"x": "<script>alert(1)</script>"}, smartcar_vehicle_id=smartcar_id, source=Source.PULL_V3
    )
    page = browser_of(owner).get(f"/fleets/blue/webhook-log/{entry.pk}/").content.decode()
    assert "&lt;script&gt;" in page
    assert "<script>alert" not in page

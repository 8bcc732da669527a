"""What is shown of a message's body: laid out, without the places and VINs that the reader may not know."""

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
PLACED = [
    "variants/legacy-2.0-schedule.json",
    "variants/b-4.0-object-triggers.json",
    "answers/v2-batch.json",
    "answers/v3-signals.json",
]
PLACES = ("37.4292", "37.7749", "latitude", VIN)


def entry_of(body: Any, **fields: Any) -> InboxEntry:
    about = {
        "received_at": timezone.now(),
        "body": body if isinstance(body, bytes) else json.dumps(body).encode(),
        "state": EntryState.PROCESSED,
    }
    return InboxEntry.objects.create(**(about | fields))


def state(vehicle_id: str) -> dict[str, Any]:
    """A message with a place, a VIN and a charge."""
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


def test_a_manager_sees_the_place_and_the_vin_of_what_was_recorded(connection: Connection) -> None:
    entry = entry_of(
        state(connection.vehicle.smartcar_id), smartcar_vehicle_id=connection.vehicle.smartcar_id
    )
    body = payload_for(entry=entry, scope=LogScope(connection.fleet))
    assert "37.77" in body.text
    assert VIN in body.text
    assert not body.hidden


@pytest.mark.parametrize("undone", [s for s in EntryState if s != EntryState.PROCESSED])
def test_the_place_in_what_was_not_recorded_is_hidden(connection: Connection, undone: EntryState) -> None:
    smartcar_id = connection.vehicle.smartcar_id
    entry = entry_of(state(smartcar_id), smartcar_vehicle_id=smartcar_id, state=undone)
    body = payload_for(entry=entry, scope=LogScope(connection.fleet))
    assert body.hidden
    assert "37.77" not in body.text
    assert VIN in body.text
    assert "61" in body.text


def test_a_place_that_a_driver_hides_now_is_hidden(connection: Connection) -> None:
    smartcar_id = connection.vehicle.smartcar_id
    entry = entry_of(state(smartcar_id), smartcar_vehicle_id=smartcar_id)
    pause = LocationPause.objects.create(connection=connection, began_at=timezone.now())
    assert "37.77" not in payload_for(entry=entry, scope=LogScope(connection.fleet)).text
    pause.delete()
    assert "37.77" in payload_for(entry=entry, scope=LogScope(connection.fleet)).text


def test_a_driver_in_another_fleet_hides_it_as_well(connection: Connection, outsider: User) -> None:
    smartcar_id = connection.vehicle.smartcar_id
    other = Vehicle.objects.create(fleet=Fleet.objects.get(slug="red"), smartcar_id=smartcar_id)
    shared = Connection.objects.create(
        fleet=other.fleet, vehicle=other, smartcar_user_id="user-2", api_version="v3", mode="live"
    )
    LocationPause.objects.create(connection=shared, began_at=timezone.now())
    entry = entry_of(state(smartcar_id), smartcar_vehicle_id=smartcar_id)
    assert "37.77" not in payload_for(entry=entry, scope=LogScope(connection.fleet)).text


def test_an_admin_of_the_site_sees_neither_place_nor_vin(connection: Connection) -> None:
    smartcar_id = connection.vehicle.smartcar_id
    entry = entry_of(state(smartcar_id), smartcar_vehicle_id=smartcar_id)
    text = payload_for(entry=entry, scope=LogScope(None)).text
    assert "37.77" not in text
    assert VIN not in text
    assert "61" in text


@pytest.mark.parametrize("name", PLACED)
def test_no_variant_lets_a_place_or_vin_through(db: None, name: str) -> None:
    content = mask(payload(name), reveal=NOTHING)
    told = json.dumps(content)
    assert HIDDEN in told
    for key in ("latitude", "longitude"):
        assert f'"{key}": {HIDDEN!r}'.replace("'", '"') in told or key not in told
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
def test_masking_takes_any_json_and_changes_nothing_where_all_may_be_known(content: Any) -> None:
    mask(content, reveal=NOTHING)
    assert mask(content, reveal=ALL) == content


def test_what_is_nested_beyond_reason_is_cut(db: None) -> None:
    entry = entry_of(b"[" * 1000 + b"]" * 1000)
    assert TOO_DEEP in payload_for(entry=entry, scope=LogScope(None)).text


def test_a_vin_is_known_by_its_look() -> None:
    told = mask({"description": f"The car {VIN} is asleep."}, reveal=NOTHING)
    assert told == {"description": f"The car {HIDDEN} is asleep."}


def test_a_body_that_tells_of_another_fleets_car_is_not_shown(connection: Connection) -> None:
    message = payload("variants/legacy-2.0-schedule.json")
    first = message["payload"]["vehicles"][0]["vehicleId"]
    Vehicle.objects.update(smartcar_id=first)
    body = payload_for(entry=entry_of(message, smartcar_vehicle_id=first), scope=LogScope(connection.fleet))
    assert body.text == ""
    assert "other fleets" in body.why
    for car in message["payload"]["vehicles"][1:]:
        Vehicle.objects.create(fleet=connection.fleet, smartcar_id=car["vehicleId"])
    assert payload_for(entry=InboxEntry.objects.get(), scope=LogScope(connection.fleet)).text


@pytest.mark.parametrize(("raw", "words"), [(b"", "t stored"), (b"\xff{garbage", "t JSON (9 bytes)")])
def test_what_cannot_be_laid_out_is_said_in_words(db: None, raw: bytes, words: str) -> None:
    body = payload_for(entry=entry_of(raw), scope=LogScope(None))
    assert body.text == ""
    assert words in body.why


def test_a_body_is_shown_as_text_and_never_as_markup(
    owner: User, connection: Connection, browser_of: Callable[[User], Client]
) -> None:
    smartcar_id = connection.vehicle.smartcar_id
    Connection.objects.update(created_at=timezone.now() - timedelta(minutes=1))
    entry = entry_of(
        {"x": "<script>alert(1)</script>"}, smartcar_vehicle_id=smartcar_id, source=Source.PULL_V3
    )
    page = browser_of(owner).get(f"/fleets/blue/webhook-log/{entry.pk}/").content.decode()
    assert "&lt;script&gt;" in page
    assert "<script>alert" not in page

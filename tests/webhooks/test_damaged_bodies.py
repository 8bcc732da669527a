"""Deliveries and API responses with damage: nothing is lost but the damaged part, and the delivery names it."""

import json
import uuid
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import User
from connect.models import Connection
from core.json_reading import JsonRepair
from tests.webhooks.helpers import post
from vehicles import catalogue
from vehicles.models import LatestSignal, Reading, Vehicle
from webhooks import processing
from webhooks.messages import DeliveryNote
from webhooks.models import EntryState, InboxEntry, Source

pytestmark = pytest.mark.django_db
AT = 1_760_000_000_000
CHARGE = catalogue.STATE_OF_CHARGE.code
_DAMAGED = "DAMAGED"
_DAMAGED_KEY = "DAMAGED-KEY"

# JSON texts, as bytes in the body.
DAMAGED_TEXTS = [
    b'"\\ud800"',
    b'"\\udfffx\\ud83d"',
    b'"K\xe4fer"',
    b'"\xed\xa0\x80"',
    b'"a\nb"',
    b'"\\u0000"',
    b'"C:\\x"',
]
DAMAGED_NUMBERS = [
    *(b"NaN", b"Infinity", b"-Infinity", b"1e400", b"-1e999", b"9" * 5000, b"undefined"),
    b"[" * 5000 + b"]" * 5000,
    b'{"a":' * 900 + b"1" + b"}" * 900,
]
damaged_values = st.sampled_from(DAMAGED_TEXTS + DAMAGED_NUMBERS)


def signal(code: str, body: Any) -> dict[str, Any]:
    return {
        "code": code,
        "body": body,
        "status": {"value": "SUCCESS"},
        "meta": {"oemUpdatedAt": AT, "retrievedAt": AT},
    }


def delivery(vehicle: Vehicle, others: list[dict[str, Any]]) -> dict[str, Any]:
    """Returns a delivery with one good signal, a charge of 61 percent, among others."""
    good = signal(CHARGE, {"value": 61, "unit": "percent"})
    return {
        "eventId": str(uuid.uuid4()),
        "eventType": "VEHICLE_STATE",
        "data": {
            "vehicle": {"id": vehicle.smartcar_id},
            "user": {"id": "user-1"},
            "signals": [*others, good],
        },
        "meta": {"deliveredAt": AT, "mode": "LIVE"},
    }


def with_damage(message: Any, *values: bytes) -> bytes:
    """Returns the message as JSON, with its markers replaced by these JSON texts, one after another."""
    raw = json.dumps(message).encode()
    for value in values:
        raw = raw.replace(f'"{_DAMAGED}"'.encode(), value, 1)
    return raw


def process(body: bytes) -> InboxEntry:
    """Posts and processes the delivery."""
    assert post(body).status_code == 200
    processing.process_waiting()
    return InboxEntry.objects.latest("id")


@pytest.mark.parametrize(
    ("value", "repair"),
    [
        (b'"\\ud800"', JsonRepair.CHARACTERS_REPLACED),
        (b'"K\xe4fer"', JsonRepair.BYTES_REPLACED),
        (b"NaN", JsonRepair.NUMBERS_LEFT_OUT),
        (b"Infinity", JsonRepair.NUMBERS_LEFT_OUT),
        (b"1e400", JsonRepair.NUMBERS_LEFT_OUT),
        (b"9" * 5000, JsonRepair.NUMBERS_LEFT_OUT),
        (b'"C:\\x"', JsonRepair.CHARACTERS_REPLACED),
        (b"undefined", JsonRepair.VALUES_LEFT_OUT),
        (b"[" * 5000 + b"]" * 5000, JsonRepair.LEVELS_LEFT_OUT),
    ],
)
@pytest.mark.parametrize("code", [catalogue.NICKNAME.code, catalogue.ODOMETER.code, "not-in-the-catalog"])
def test_delivery_is_recorded_and_names_the_repair(
    vehicle: Vehicle, connection: Connection, code: str, value: bytes, repair: JsonRepair
) -> None:
    entry = process(with_damage(delivery(vehicle, [signal(code, {"value": _DAMAGED})]), value))
    assert (entry.state, entry.note_code) == (EntryState.PROCESSED, DeliveryNote.DAMAGED)
    assert entry.note_params == {"repairs": [repair.message(count=1).as_param()]}
    assert LatestSignal.objects.get(vehicle=vehicle, code=CHARGE).value == 61
    assert Reading.objects.filter(vehicle=vehicle, signal__code=CHARGE).count() == 1


def test_byte_order_mark_is_ignored(vehicle: Vehicle, connection: Connection) -> None:
    entry = process(b"\xef\xbb\xbf" + with_damage(delivery(vehicle, [])))
    assert entry.note == (
        "The message was damaged, and was read as far as possible. A byte order mark was removed."
    )
    assert LatestSignal.objects.get(vehicle=vehicle, code=CHARGE).value == 61


def test_damaged_nickname_is_stored_with_replacement_characters(
    vehicle: Vehicle, connection: Connection
) -> None:
    Vehicle.objects.update(name="")
    process(
        with_damage(delivery(vehicle, [signal(catalogue.NICKNAME.code, {"value": _DAMAGED})]), b'"K\xe4fer"')
    )
    vehicle.refresh_from_db()
    assert vehicle.name == "K\ufffdfer"


@given(
    codes=st.lists(
        st.sampled_from(sorted(catalogue.CATALOGUE)) | st.just("not-in-the-catalog"), max_size=3, unique=True
    ),
    values=st.lists(damaged_values, min_size=9, max_size=9),
    keys=st.lists(st.sampled_from(DAMAGED_TEXTS), min_size=3, max_size=3),
    mark=st.sampled_from([b"", b"\xef\xbb\xbf"]),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damage_anywhere_loses_no_other_signal(
    vehicle: Vehicle,
    connection: Connection,
    codes: list[str],
    values: list[bytes],
    keys: list[bytes],
    mark: bytes,
) -> None:
    LatestSignal.objects.all().delete()
    damaged = [
        signal(code, {"value": _DAMAGED, _DAMAGED_KEY: [_DAMAGED]}) for code in codes if code != CHARGE
    ]
    for each in damaged:
        each["meta"]["ingestedAt"] = _DAMAGED
    message = delivery(vehicle, damaged) | {"triggers": [_DAMAGED]}
    message["data"]["vehicle"] |= {"make": _DAMAGED, "year": _DAMAGED}
    body = with_damage(message, *values)
    for key in keys:
        body = body.replace(f'"{_DAMAGED_KEY}"'.encode(), key, 1)
    entry = process(mark + body)
    assert entry.state == EntryState.PROCESSED, entry.traceback
    assert LatestSignal.objects.get(vehicle=vehicle, code=CHARGE).value == 61


V3_RESPONSE = {
    "data": [
        {"attributes": signal(catalogue.NICKNAME.code, {"value": _DAMAGED})},
        {"attributes": signal(CHARGE, {"value": 61, "unit": "percent"})},
    ]
}
V2_RESPONSE = {
    "responses": [
        {"path": "/tesla/attributes", "code": 200, "body": {"nickname": _DAMAGED}},
        {"path": "/battery", "code": 200, "body": {"percentRemaining": 0.61, "range": 300}},
    ]
}


@pytest.mark.parametrize("value", DAMAGED_TEXTS + DAMAGED_NUMBERS)
@pytest.mark.parametrize(
    ("source", "response"), [(Source.PULL_V3, V3_RESPONSE), (Source.PULL_V2, V2_RESPONSE)]
)
def test_damaged_api_response_is_recorded(
    vehicle: Vehicle, connection: Connection, source: Source, response: dict[str, Any], value: bytes
) -> None:
    entry = InboxEntry.objects.create(
        source=source,
        received_at=vehicle.created_at,
        body=with_damage(response, value),
        smartcar_vehicle_id=vehicle.smartcar_id,
    )
    processing.process_waiting()
    entry.refresh_from_db()
    assert entry.state == EntryState.PROCESSED, entry.traceback
    unnoted = (b'"\\u0000"', b'"a\nb"', DAMAGED_NUMBERS[-1])
    assert (entry.note_code == "") is (value in unnoted)
    assert LatestSignal.objects.get(vehicle=vehicle, code=CHARGE).value == 61


def test_webhook_log_shows_the_repaired_body(
    vehicle: Vehicle, connection: Connection, owner: User, browser_of: Callable[[User], Client]
) -> None:
    message = delivery(vehicle, [signal(catalogue.NICKNAME.code, {"value": _DAMAGED})])
    entry = process(with_damage(message, b'"K\xe4fer\\ud800"'))
    client = browser_of(owner)
    page = client.get(f"/fleets/{vehicle.fleet.slug}/webhook-log/{entry.pk}/").content.decode()
    assert "K\ufffdfer\ufffd" in page
    assert "Invalid bytes were replaced: 1." in page
    answer = client.get(f"/api/v1/deliveries/{entry.pk}/")
    assert answer.json()["note_code"] == "delivery.damaged"
    assert "K\ufffdfer\ufffd" in orjson.dumps(answer.json()["body"]).decode()

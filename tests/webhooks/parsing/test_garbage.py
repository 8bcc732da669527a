"""Any input is parsed into a delivery or raises Malformed, and contains nothing that the database can't store."""

import dataclasses
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import payloads
from vehicles.observations import SignalStatus
from webhooks.messages import DeliveryNote
from webhooks.parsing import (
    Delivery,
    Malformed,
    VehicleReport,
    parse_delivery,
    parse_v2_batch,
    parse_v3_signals,
)

MESSAGES = [orjson.loads(payloads.read(name)) for name in payloads.deliveries()]
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False)
    | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def parse_or_reject(raw: bytes) -> Delivery | None:
    try:
        return parse_delivery(raw)
    except Malformed as malformed:
        assert malformed.reason
        return None


def check(report: VehicleReport) -> None:
    """Checks what holds for every report, whatever its source."""
    assert b"\\u0000" not in orjson.dumps(dataclasses.asdict(report), default=tuple)
    for observation in report.observations:
        assert observation.code
        assert (observation.body is not None) == (observation.status is SignalStatus.SUCCESS)
        assert (observation.error is not None) or observation.status is not SignalStatus.ERROR


def paths(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Returns the path of every value inside a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else []
    return [path, *(found for key, item in inner for found in paths(item, (*path, key)))]


def replaced(value: Any, path: tuple[str | int, ...], new: Any) -> Any:
    """Returns a copy of a JSON value with the value at `path` replaced."""
    if not path:
        return new
    copy = value.copy()
    copy[path[0]] = replaced(value[path[0]], path[1:], new)
    return copy


@given(st.binary(max_size=200))
def test_any_bytes(raw: bytes) -> None:
    parse_or_reject(raw)


@given(JSON)
def test_any_json(message: Any) -> None:
    parse_or_reject(orjson.dumps(message))


@given(
    event=st.sampled_from(["VERIFY", "VEHICLE_STATE", "VEHICLE_ERROR"]),
    data=st.dictionaries(st.sampled_from(["vehicle", "user", "signals", "errors", "triggers", "meta"]), JSON),
)
def test_any_contents_of_an_event(event: str, data: Any) -> None:
    message = {"eventType": event, "vehicleId": "car", "data": data}
    delivery = parse_or_reject(orjson.dumps(message))
    for report in delivery.reports if delivery else ():
        check(report)


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=300)
@given(data=st.data(), message=st.sampled_from(MESSAGES), new=JSON)
def test_valid_payload_with_one_value_replaced(data: st.DataObject, message: Any, new: Any) -> None:
    path = data.draw(st.sampled_from(paths(message)))
    delivery = parse_or_reject(orjson.dumps(replaced(message, path, new)))
    for report in delivery.reports if delivery else ():
        check(report)


@given(JSON)
def test_any_answer_of_the_rest_apis(body: Any) -> None:
    for key in ("data", "signals", "responses"):
        for parse in (parse_v3_signals, parse_v2_batch):
            try:
                check(parse({key: body}, vehicle_id="car"))
            except Malformed:
                continue


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), new=JSON)
def test_valid_batch_with_one_value_replaced(data: st.DataObject, new: Any) -> None:
    batch = payloads.load("answers/v2-batch")["responses"]
    path = data.draw(st.sampled_from(paths(batch)))
    try:
        check(parse_v2_batch({"responses": replaced(batch, path, new)}, vehicle_id="car"))
    except Malformed:
        assert path == ()


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", DeliveryNote.NOT_JSON),
        (b"\xff\xfe", DeliveryNote.NOT_JSON),
        (b"{", DeliveryNote.NOT_JSON),
        (b"[" * 5000, DeliveryNote.NOT_JSON),
        (b"[]", DeliveryNote.NOT_AN_OBJECT),
        (b'"VERIFY"', DeliveryNote.NOT_AN_OBJECT),
        (b"{}", DeliveryNote.NO_EVENT_NAME),
        (b'{"eventType": ""}', DeliveryNote.NO_EVENT_TYPE),
        (b'{"eventType": 7}', DeliveryNote.NO_EVENT_TYPE),
        (b'{"eventName": null}', DeliveryNote.NO_EVENT_TYPE),
        (b'{"eventType": "VERIFY"}', DeliveryNote.NO_CHALLENGE),
        (b'{"eventType": "VERIFY", "data": {"challenge": 7}}', DeliveryNote.NO_CHALLENGE),
        (b'{"eventName": "verify", "payload": {}}', DeliveryNote.NO_CHALLENGE),
        (b'{"eventType": "VEHICLE_STATE"}', DeliveryNote.NO_VEHICLE),
        (b'{"eventName": "schedule"}', DeliveryNote.NO_VEHICLE),
        (b'{"eventName": "eventBased"}', DeliveryNote.NO_VEHICLE),
    ],
)
def test_problem_is_identified_by_a_code(raw: bytes, reason: DeliveryNote) -> None:
    with pytest.raises(Malformed) as malformed:
        parse_delivery(raw)
    assert malformed.value.reason == reason


def test_reason_never_repeats_the_message() -> None:
    with pytest.raises(Malformed) as malformed:
        parse_delivery(b'{"eventType": "VEHICLE_STATE", "data": {"vehicle": {"vin": "SECRET"}}')
    assert "SECRET" not in str(malformed.value)
    assert malformed.value.__cause__ is None
    assert malformed.value.__suppress_context__


def test_challenge_is_stored_unchanged() -> None:
    raw = orjson.dumps({"eventType": "VERIFY", "data": {"challenge": " a\x00b "}})
    assert parse_delivery(raw).challenge == " a\x00b "


def test_overlong_id_is_ignored() -> None:
    raw = orjson.dumps({"eventId": "x" * 129, "eventType": "PING", "meta": {"deliveryId": "y" * 128}})
    delivery = parse_delivery(raw)
    assert delivery.event_id.startswith("sha256:")
    assert delivery.delivery_id == "y" * 128


def test_url_that_is_not_https_is_ignored() -> None:
    error = {
        "type": "PERMISSION",
        "resolution": {"url": "javascript:alert(1)"},
        "docURL": "http://example.com",
    }
    raw = orjson.dumps({"eventType": "VEHICLE_ERROR", "vehicleId": "car", "data": {"errors": [error, {}, 7]}})
    (report,) = parse_delivery(raw).reports
    assert (report.errors[0].resolution_url, report.errors[0].doc_url) == ("", "")
    assert report.skipped == ("error 1: it has no type", "error 2: it has no type")

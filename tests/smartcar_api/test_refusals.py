"""Every error answer becomes a SmartcarError, and none contains a secret."""

import json
import string
import traceback
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartcar_api import SmartcarError
from smartcar_api.error_parsing import parse_error
from tests.smartcar_api.conftest import CAR, TOKEN

REQUEST_ID = "5dea93a1-3f79-4246-90c5-89610a20471b"
statuses = st.integers(min_value=100, max_value=599)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
FIELDS = (
    "type code description docURL statusCode requestId resolution suggestedUserMessage detail title status links "
    "meta errors error error_description message"
)
error_keys = st.sampled_from(FIELDS.split())
shaped = st.dictionaries(error_keys, json_values, max_size=10)
error_bodies = (
    shaped | st.builds(lambda entries: {"errors": entries}, st.lists(shaped, max_size=3)) | json_values
)
alphabet = string.ascii_letters + string.digits
issued = (
    st.uuids().map(str)
    | st.text("0123456789abcdef", min_size=32, max_size=64)
    | st.builds(
        "{}.{}.{}".format,
        *[st.text(alphabet + "-_", min_size=20, max_size=40).filter(lambda t: any(map(str.isdigit, t)))] * 3,
    )
)


def v2_error(**changes: Any) -> SmartcarError:
    body = {
        "type": "CONNECTED_SERVICES_ACCOUNT",
        "code": "AUTHENTICATION_FAILED",
        "description": "The maker refused the sign-in.",
        "docURL": "https://smartcar.com/docs/errors/api-errors/connected-services-account-errors",
        "statusCode": 400,
        "requestId": REQUEST_ID,
        "resolution": {
            "type": "REAUTHENTICATE",
            "url": f"https://connect.smartcar.com/oauth/reauthenticate?vehicle_id={CAR}",
        },
        "suggestedUserMessage": "Your car got disconnected.",
    } | changes
    return parse_error(status=400, headers={}, body=json.dumps(body).encode())


def v3_error(
    error: dict[str, Any], *, status: int = 400, headers: dict[str, str] | None = None
) -> SmartcarError:
    return parse_error(status=status, headers=headers or {}, body=json.dumps({"errors": [error]}).encode())


def all_texts(error: SmartcarError) -> str:
    shown = [
        str(error),
        repr(error),
        *map(str, error.args),
        *traceback.format_exception(error),
        error.user_message,
    ]
    return "\n".join(
        [*shown, error.type, error.code, error.description, error.doc_url, error.resolution_type]
    )


@given(status=statuses, body=st.binary(max_size=300))
def test_any_bytes_with_any_status_become_a_smartcar_error(status: int, body: bytes) -> None:
    error = parse_error(status=status, headers={}, body=body)
    assert isinstance(error, SmartcarError)
    assert all_texts(error)


@given(status=statuses, body=error_bodies, wait=st.text(max_size=30), request_id=st.text(max_size=70))
def test_any_json_and_any_headers_become_a_smartcar_error(
    status: int, body: Any, wait: str, request_id: str
) -> None:
    headers = {"retry-after": wait, "sc-request-id": request_id}
    error = parse_error(status=status, headers=headers, body=json.dumps(body).encode())
    assert error.type
    assert error.retry_after is None or error.retry_after >= 0
    assert len(str(error)) < 800
    assert "\n" not in str(error)


@given(token=issued, status=statuses, where=error_keys, form=st.sampled_from(["v2", "v3", "oauth", "text"]))
def test_token_in_the_body_is_never_shown(token: str, status: int, where: str, form: str) -> None:
    fields = {"type": "VALIDATION", "code": "PARAMETER", "description": "wrong"}
    if form == "oauth":
        fields = {"error": "invalid_grant", "error_description": f"{token} was used"}
    fields[where] = f"see {token}." if where in {"description", "detail", "message"} else token
    body = (
        f"<html>{token}</html>"
        if form == "text"
        else json.dumps({"errors": [fields]} if form == "v3" else fields)
    )
    error = parse_error(status=status, headers={}, body=body.encode(), secrets=[token])
    assert token not in all_texts(error)
    assert token not in error.request_id


@given(token=issued, form=st.sampled_from(["description", "suggestedUserMessage", "text"]))
def test_foreign_token_is_removed_by_its_format(token: str, form: str) -> None:
    body = token if form == "text" else json.dumps({"type": "VALIDATION", form: f"No such token: {token}"})
    error = parse_error(status=400, headers={}, body=body.encode())
    assert token not in all_texts(error)


@given(secret=st.text(alphabet, min_size=4, max_size=15))
def test_short_secret_that_was_sent_is_removed_everywhere(secret: str) -> None:
    body = json.dumps(
        {"type": secret, "description": f"'{secret}' is wrong", "docURL": f"https://x.example/{secret}"}
    )
    error = parse_error(status=400, headers={"sc-request-id": secret}, body=body.encode(), secrets=[secret])
    assert secret not in {error.type, error.request_id, error.description, error.doc_url}
    assert f"'{secret}'" not in str(error)


def test_v2_error_is_parsed_completely() -> None:
    error = v2_error()
    assert (error.type, error.code, error.status) == (
        "CONNECTED_SERVICES_ACCOUNT",
        "AUTHENTICATION_FAILED",
        400,
    )
    assert error.description == "The maker refused the sign-in."
    assert error.request_id == REQUEST_ID
    assert error.doc_url.endswith("connected-services-account-errors")
    assert (error.resolution_type, error.resolution_url[:8]) == ("REAUTHENTICATE", "https://")
    assert error.needs_reauth
    assert error.smartcar_message == "Your car got disconnected."


def test_vehicle_id_in_a_resolution_url_is_not_shown() -> None:
    assert CAR in v2_error().resolution_url
    assert CAR not in all_texts(v2_error())


@pytest.mark.parametrize(
    "resolution", ["REAUTHENTICATE", {"type": "REAUTHENTICATE"}, {"type": "REAUTHENTICATE", "url": None}]
)
def test_resolution_can_be_an_object_or_a_string(resolution: Any) -> None:
    error = v3_error(
        {
            "status": "409",
            "type": "VEHICLE_STATE",
            "code": "DEVICE_PAIRING_REQUIRED",
            "resolution": resolution,
        }
    )
    assert error.resolution_type == "REAUTHENTICATE"
    assert error.resolution_url == ""


def test_v3_error_is_parsed_completely() -> None:
    error = v3_error(
        {
            "status": "400",
            "type": "VALIDATION",
            "code": "BAD_REQUEST",
            "title": "Bad Request",
            "detail": "userId is missing",
            "links": {"about": "https://smartcar.com/docs/errors/api-errors/v3/validation-errors"},
            "resolution": {"type": "CONTACT_SUPPORT"},
            "suggestedUserMessage": "Try again.",
            "meta": {},
        },
        headers={"sc-request-id": REQUEST_ID},
    )
    assert (error.type, error.code, error.status) == ("VALIDATION", "BAD_REQUEST", 400)
    assert error.description == "userId is missing"
    assert error.request_id == REQUEST_ID
    assert error.doc_url == "https://smartcar.com/docs/errors/api-errors/v3/validation-errors"
    assert error.resolution_type == "CONTACT_SUPPORT"


def test_old_v3_error_without_a_type_gets_that_of_its_status() -> None:
    error = v3_error({"status": "404", "code": "not_found", "title": "Page not found"}, status=404)
    assert (error.type, error.code, error.description) == (
        "RESOURCE_NOT_FOUND",
        "NOT_FOUND",
        "Page not found",
    )


def test_status_in_the_body_takes_precedence_over_an_http_success() -> None:
    assert v3_error({"status": "409", "type": "VEHICLE_STATE", "code": "DOOR_OPEN"}, status=202).status == 409


def test_http_error_status_takes_precedence_over_a_success_in_the_body() -> None:
    assert v3_error({"status": "200", "type": "SERVER"}, status=502).status == 502


def test_oauth_error_becomes_the_type() -> None:
    body = b'{"error":"invalid_grant","error_description":"Invalid or expired refresh token."}'
    error = parse_error(status=400, headers={}, body=body)
    assert error.type == "invalid_grant"
    assert error.description == "Invalid or expired refresh token."
    assert error.needs_reauth
    assert error.permanent


def test_oauth_error_without_a_description_is_parsed() -> None:
    assert parse_error(status=401, headers={}, body=b'{"error":"invalid_client"}').type == "invalid_client"


def test_gateway_answer_yields_an_excerpt_and_the_request_id() -> None:
    page = f"<html>\n<title>502 Bad Gateway</title>{TOKEN}{'x ' * 500}</html>".encode()
    error = parse_error(status=502, headers={"sc-request-id": REQUEST_ID}, body=page)
    assert error.type == "GATEWAY"
    assert "502 Bad Gateway" in error.description
    assert len(error.description) <= 120
    assert TOKEN not in error.description
    assert error.request_id == REQUEST_ID


def test_deeply_nested_json_is_treated_as_text() -> None:
    assert parse_error(status=500, headers={}, body=b"[" * 100_000).type == "GATEWAY"


def test_retry_after_in_seconds_is_parsed() -> None:
    assert parse_error(status=429, headers={"retry-after": "17"}, body=b"").retry_after == 17


def test_retry_after_as_a_date_becomes_seconds() -> None:
    until = format_datetime(datetime.now(UTC) + timedelta(minutes=5), usegmt=True)
    wait = parse_error(status=429, headers={"retry-after": until}, body=b"").retry_after
    assert wait is not None
    assert 295 <= wait <= 300


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("VIN 5YJSA1CN5DFP00101 is wrong", "5YJSA1CN5DFP00101"),
        ("write to driver@example.org", "driver@example.org"),
        ("Bearer abc was refused", "abc"),
        ("code 9aKq71LmZZ02bTTx", "9aKq71LmZZ02bTTx"),
    ],
)
def test_vins_addresses_and_credentials_are_removed_from_a_description(text: str, secret: str) -> None:
    assert secret not in v2_error(description=text).description


def test_ordinary_words_are_not_removed_from_a_description() -> None:
    description = "Reauthentication needed: CHARGING_PLUG_NOT_CONNECTED, see internationalisation-errors."
    assert v2_error(description=description).description == description


def test_large_bodies_are_parsed_quickly() -> None:
    for body in (
        b"a" * 500_000,
        b"a@" * 250_000,
        b"bearer " * 70_000,
        b"A-" * 250_000 + b"1",
        b'"' * 500_000,
    ):
        started = datetime.now(UTC)
        parse_error(status=500, headers={}, body=body)
        assert datetime.now(UTC) - started < timedelta(seconds=2)

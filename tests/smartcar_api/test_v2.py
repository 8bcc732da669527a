"""v2 on the wire, through the SDK: requests, and the handling of unusual answers."""

import base64
import json
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from smartcar import config
from smartcar import smartcar as sdk_functions

from smartcar_api import (
    Access,
    CommandOutcome,
    ConnectRequest,
    Credentials,
    SmartcarError,
    V2Api,
    paths_granted,
)
from tests.smartcar_api.conftest import (
    CAR,
    OWNER,
    TOKEN,
    WEBHOOK,
    Host,
    ReceivedRequest,
    origins_at,
    respond,
    send_bytes,
)

REQUEST = ConnectRequest(
    redirect_uri="https://fleet.example/connect/back/",
    state="s t&te",
    external_id="driver-42",
    scopes=("read_battery", "required:read_location"),
    mode="simulated",
)
PAIR = {"access_token": "a-1", "refresh_token": "r-1", "token_type": "Bearer", "expires_in": 7200}


def parse_query(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def parse_form(request: ReceivedRequest) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(request.body.decode()).items()}


def listing(field: str, entries: list[str], *, count: int, offset: int = 0) -> Any:
    return respond(200, {field: entries, "paging": {"count": count, "offset": offset}})


def test_connect_url_contains_all_that_v2_supports(v2: V2Api, host: Host) -> None:
    url = v2.connect_url(REQUEST)
    assert url.startswith(f"{host.origin}/connect/oauth/authorize?")
    assert parse_query(url) == {
        "response_type": "code",
        "client_id": "8229df9f-91a0-4ff0-a1ae-a1f38ee24d07",
        "redirect_uri": REQUEST.redirect_uri,
        "state": "s t&te",
        "user": "driver-42",
        "scope": "read_battery required:read_location",
        "mode": "simulated",
        "approval_prompt": "auto",
    }


def test_connect_url_contains_the_options(v2: V2Api) -> None:
    request = ConnectRequest(
        redirect_uri="https://fleet.example/",
        state="s",
        external_id="",
        scopes=(),
        mode="live",
        make="TESLA",
        country="DE",
        single_select_vin="5YJSA1CN5DFP00101",
        force_prompt=True,
    )
    query = parse_query(v2.connect_url(request))
    assert query["make"] == "TESLA"
    assert query["flags"] == "country:DE"
    assert (query["single_select"], query["single_select_vin"]) == ("true", "5YJSA1CN5DFP00101")
    assert query["approval_prompt"] == "force"
    assert "scope" not in query
    assert "user" not in query


@pytest.mark.parametrize("missing", ["application_id", "application_secret"])
def test_missing_credentials_are_named_and_not_read_from_the_environment(
    missing: str, credentials: Credentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMARTCAR_CLIENT_ID", "from-the-environment")
    monkeypatch.setenv("SMARTCAR_CLIENT_SECRET", "from-the-environment")
    values = {name: getattr(credentials, name) for name in Credentials.__slots__} | {missing: ""}
    api = V2Api(origins=origins_at("http://127.0.0.1:9"), credentials=Credentials(**values))
    with pytest.raises(SmartcarError, match="application id or the application secret"):
        api.exchange_code(code="c", redirect_uri="https://fleet.example/")


def test_invalid_mode_is_rejected(v2: V2Api) -> None:
    with pytest.raises(SmartcarError, match="mode"):
        v2.connect_url(ConnectRequest(redirect_uri="", state="s", external_id="", scopes=(), mode="tset"))


def test_code_is_exchanged_for_a_pair_with_aware_expiry_times(v2: V2Api, host: Host) -> None:
    host.reply_with(respond(200, PAIR))
    before = datetime.now(UTC)
    pair = v2.exchange_code(code="c-1", redirect_uri="https://fleet.example/back")
    assert (pair.access_token, pair.refresh_token) == ("a-1", "r-1")
    assert before <= pair.access_expires_at - timedelta(hours=2) <= datetime.now(UTC)
    assert before <= pair.refresh_expires_at - timedelta(days=60) <= datetime.now(UTC)
    (request,) = host.requests
    assert (request.method, request.path) == ("POST", "/auth/oauth/token")
    assert parse_form(request) == {
        "grant_type": "authorization_code",
        "code": "c-1",
        "redirect_uri": "https://fleet.example/back",
    }
    basic = base64.b64encode(b"8229df9f-91a0-4ff0-a1ae-a1f38ee24d07:application-secret-1").decode()
    assert request.headers["Authorization"] == f"Basic {basic}"


def test_refresh_token_is_exchanged(v2: V2Api, host: Host) -> None:
    host.reply_with(respond(200, PAIR))
    assert v2.refresh(refresh_token="r-0").refresh_token == "r-1"
    assert parse_form(host.requests[0]) == {"grant_type": "refresh_token", "refresh_token": "r-0"}


def test_dead_refresh_token_is_distinguished(v2: V2Api, host: Host) -> None:
    host.reply_with(
        respond(400, {"error": "invalid_grant", "error_description": "Invalid or expired refresh token."})
    )
    with pytest.raises(SmartcarError) as caught:
        v2.refresh(refresh_token="r-0")
    assert caught.value.type == "invalid_grant"


@pytest.mark.parametrize(
    "body",
    [
        b"<html>",
        {},
        {"access_token": "a-1", "expires_in": 7200},
        PAIR | {"expires_in": "soon"},
        PAIR | {"expires_in": 1e300},
        PAIR | {"expires_in": None},
    ],
)
def test_answer_without_a_complete_pair_is_rejected_and_not_shown(v2: V2Api, host: Host, body: Any) -> None:
    host.reply_with(respond(200, body))
    with pytest.raises(SmartcarError) as caught:
        v2.refresh(refresh_token="r-0")
    assert caught.value.type == "UNREADABLE_ANSWER"
    assert "a-1" not in str(caught.value)


def test_tokens_are_not_in_a_repr(v2: V2Api, host: Host, access: Access, credentials: Credentials) -> None:
    host.reply_with(respond(200, PAIR))
    shown = repr([v2.refresh(refresh_token="r-0"), access, credentials])
    for secret in ("a-1", "r-1", TOKEN, "application-secret", "client-secret", "amt-new"):
        assert secret not in shown


def test_all_pages_of_vehicles_and_permissions_are_read(v2: V2Api, host: Host, access: Access) -> None:
    vehicle_ids = [f"car-{number}" for number in range(51)]
    many = [f"read_{number}" for number in range(26)]
    host.reply_with(
        listing("vehicles", vehicle_ids[:50], count=51),
        listing("vehicles", vehicle_ids[50:], count=51, offset=50),
        *[listing("permissions", ["read_odometer"], count=1)] * 50,
        listing("permissions", many[:25], count=26),
        listing("permissions", many[25:], count=26, offset=25),
    )
    shared = v2.shared_vehicles(access, mode="live")
    assert [each.vehicle_id for each in shared] == vehicle_ids
    assert shared[-1].permissions == frozenset(many)
    assert (host.requests[1].query, host.requests[-1].query) == (
        {"limit": ["50"], "offset": ["50"]},
        {"limit": ["25"], "offset": ["25"]},
    )


def test_shared_vehicle_has_its_attributes_if_they_were_granted(
    v2: V2Api, host: Host, access: Access
) -> None:
    host.reply_with(
        listing("vehicles", ["car-1", "car-2"], count=2),
        listing("permissions", ["read_vehicle_info"], count=1),
        respond(200, {"id": "car-1", "make": "TESLA", "model": "Model 3", "year": 2022}),
        listing("permissions", ["read_odometer"], count=1),
    )
    known, unknown = v2.shared_vehicles(access, mode="live")
    assert (known.make, known.model, known.year, known.mode, known.user_id) == (
        "TESLA",
        "Model 3",
        2022,
        "live",
        OWNER,
    )
    assert (unknown.make, unknown.year, unknown.permissions) == ("", None, frozenset({"read_odometer"}))


def test_owner_is_requested_if_the_access_has_none(v2: V2Api, host: Host) -> None:
    host.reply_with(
        respond(200, {"id": OWNER}),
        listing("vehicles", ["car-1"], count=1),
        listing("permissions", [], count=0),
    )
    (shared,) = v2.shared_vehicles(Access(token=TOKEN, user_id=""), mode="live")
    assert shared.user_id == OWNER


def test_endless_list_is_abandoned(v2: V2Api, host: Host, access: Access) -> None:
    host.reply_with(listing("vehicles", ["car-1"], count=10**9))
    with pytest.raises(SmartcarError, match="no end"):
        v2.shared_vehicles(access, mode="live")


@pytest.mark.parametrize(
    "body", [{"vehicles": None}, {"vehicles": [], "paging": {}}, {"vehicles": 3, "paging": {"count": 1}}]
)
def test_invalid_list_is_unreadable(v2: V2Api, host: Host, access: Access, body: Any) -> None:
    host.reply_with(respond(200, body))
    with pytest.raises(SmartcarError, match="UNREADABLE_ANSWER"):
        v2.shared_vehicles(access, mode="live")


def test_read_is_one_metric_batch_and_returned_unchanged(v2: V2Api, host: Host, access: Access) -> None:
    body = {
        "responses": [
            {"path": "/odometer", "code": 200, "body": {"distance": 104.32}, "headers": {"sc-data-age": "t"}}
        ]
    }
    host.reply_with(respond(200, body, {"SC-Request-Id": "r-1"}))
    answer = v2.read(access, vehicle_id=CAR, paths=("/odometer",))
    assert (answer.body, answer.request_id) == (body, "r-1")
    (request,) = host.requests
    assert (request.method, request.path) == ("POST", f"/api/v2.0/vehicles/{CAR}/batch")
    assert json.loads(request.body) == {"requests": [{"path": "/odometer"}]}
    assert request.headers["sc-unit-system"] == "metric"


def test_paths_to_read_depend_on_the_permissions() -> None:
    assert paths_granted(frozenset({"read_odometer", "read_battery", "control_security"})) == (
        "/battery",
        "/battery/nominal_capacity",
        "/odometer",
    )


def test_requests_for_each_owner_use_their_own_token(v2: V2Api, host: Host) -> None:
    host.reply_with(respond(200, {"responses": []}))
    for token in ("one-1", "two-2"):
        v2.read(Access(token=token, user_id=OWNER), vehicle_id=CAR)
    assert [request.headers["Authorization"] for request in host.requests] == ["Bearer one-1", "Bearer two-2"]


@pytest.mark.parametrize(("command", "action"), [("lock", "LOCK"), ("unlock", "UNLOCK")])
def test_command_is_sent_once_and_its_answer_parsed(
    v2: V2Api, host: Host, access: Access, command: str, action: str
) -> None:
    host.reply_with(
        respond(
            200,
            {"status": "success", "message": "Successfully sent request to vehicle"},
            {"SC-Request-Id": "r-1"},
        )
    )
    answer = getattr(v2, command)(access, vehicle_id=CAR)
    assert answer.outcome is CommandOutcome.SUCCESS
    assert (answer.request_id, answer.smartcar_message) == ("r-1", "Successfully sent request to vehicle")
    (request,) = host.requests
    assert (request.method, request.path) == ("POST", f"/api/v2.0/vehicles/{CAR}/security")
    assert json.loads(request.body) == {"action": action}


OTHER_COMMANDS: list[tuple[str, dict[str, Any], str, Any]] = [
    ("start_charge", {}, "charge", {"action": "START"}),
    ("stop_charge", {}, "charge", {"action": "STOP"}),
    ("set_charge_limit", {"percent": 57}, "charge/limit", {"limit": 0.57}),
    (
        "set_destination",
        {"latitude": 52.5, "longitude": -13.25},
        "navigation/destination",
        {"latitude": 52.5, "longitude": -13.25},
    ),
]


@pytest.mark.parametrize(("command", "parameters", "path", "body"), OTHER_COMMANDS)
def test_command_is_posted_once_with_its_parameters(
    v2: V2Api, host: Host, access: Access, command: str, parameters: dict[str, Any], path: str, body: Any
) -> None:
    host.reply_with(respond(200, {"status": "success", "message": ""}, {"SC-Request-Id": "r-1"}))
    answer = getattr(v2, command)(access, vehicle_id=CAR, **parameters)
    assert (answer.outcome, answer.request_id) == (CommandOutcome.SUCCESS, "r-1")
    (request,) = host.requests
    assert (request.method, request.path) == ("POST", f"/api/v2.0/vehicles/{CAR}/{path}")
    assert json.loads(request.body) == body


@pytest.mark.parametrize(("command", "parameters"), [case[:2] for case in OTHER_COMMANDS])
def test_broken_answer_leaves_the_outcome_of_any_command_unknown_without_a_retry(
    v2: V2Api, host: Host, access: Access, command: str, parameters: dict[str, Any]
) -> None:
    host.reply_with(send_bytes(b""))
    with pytest.raises(SmartcarError, match="NO_ANSWER") as caught:
        getattr(v2, command)(access, vehicle_id=CAR, **parameters)
    assert caught.value.outcome_unknown
    assert len(host.requests) == 1


@pytest.mark.parametrize("command", ["open_charge_port", "close_charge_port"])
def test_v2_does_not_support_the_charge_port(v2: V2Api, host: Host, access: Access, command: str) -> None:
    with pytest.raises(SmartcarError, match="NOT_SENT:UNSUPPORTED") as caught:
        getattr(v2, command)(access, vehicle_id=CAR)
    assert caught.value.permanent
    assert "older API" in caught.value.user_message
    assert host.requests == []


def test_command_timeout_is_longer_than_that_of_a_read(
    host: Host, credentials: Credentials, access: Access
) -> None:
    slow = V2Api(origins=origins_at(host.origin), credentials=credentials, timeout=0.1, command_timeout=2)

    def late(handler: Any) -> None:
        host.finished.wait(0.4)
        respond(200, {"status": "success", "message": ""})(handler)

    host.reply_with(late)
    assert slow.lock(access, vehicle_id=CAR).outcome is CommandOutcome.SUCCESS
    with pytest.raises(SmartcarError, match="TIMEOUT"):
        slow.read(access, vehicle_id=CAR)


def test_already_subscribed_vehicle_counts_as_success(v2: V2Api, host: Host, access: Access) -> None:
    host.reply_with(respond(409, {"type": "CONFLICT", "code": None, "description": "already subscribed"}))
    v2.subscribe(access, vehicle_id=CAR, webhook_id=WEBHOOK)
    (request,) = host.requests
    assert (request.method, request.path) == ("POST", f"/api/v2.0/vehicles/{CAR}/webhooks/{WEBHOOK}")
    assert request.headers["Authorization"] == f"Bearer {TOKEN}"


def test_unsubscribing_tries_every_management_token(v2: V2Api, host: Host, access: Access) -> None:
    host.reply_with(respond(401, {"type": "AUTHENTICATION"}), respond(200, {"status": "success"}))
    v2.unsubscribe(access, vehicle_id=CAR, webhook_id=WEBHOOK)
    assert [request.headers["Authorization"] for request in host.requests] == [
        "Bearer amt-new",
        "Bearer amt-old",
    ]


def test_unsubscribing_raises_the_error_of_the_last_management_token(
    v2: V2Api, host: Host, access: Access
) -> None:
    host.reply_with(respond(401, {"type": "AUTHENTICATION"}))
    with pytest.raises(SmartcarError) as caught:
        v2.unsubscribe(access, vehicle_id=CAR, webhook_id=WEBHOOK)
    assert caught.value.unauthorized


def test_missing_subscription_and_connection_count_as_ended(v2: V2Api, host: Host, access: Access) -> None:
    host.reply_with(respond(404, {"type": "RESOURCE_NOT_FOUND", "code": "PATH"}))
    v2.unsubscribe(access, vehicle_id=CAR, webhook_id=WEBHOOK)
    v2.disconnect(access, vehicle_id=CAR)
    assert [request.method for request in host.requests] == ["DELETE", "DELETE"]


def test_wrong_url_does_not_count_as_a_disconnected_vehicle(v2: V2Api, host: Host, access: Access) -> None:
    host.reply_with(respond(404, {"type": "RESOURCE_NOT_FOUND", "code": "VERSION"}))
    with pytest.raises(SmartcarError):
        v2.disconnect(access, vehicle_id=CAR)


def test_two_clients_with_different_origins_work_at_the_same_time(
    host: Host, other_host: Host, credentials: Credentials
) -> None:
    for each in (host, other_host):
        each.reply_with(respond(200, {"responses": []}))

    def reads(at: Host) -> None:
        api = V2Api(origins=origins_at(at.origin), credentials=credentials, timeout=2)
        for _ in range(20):
            api.read(Access(token=f"for-{at.origin}", user_id=OWNER), vehicle_id=CAR)

    threads = [Thread(target=reads, args=(each,)) for each in (host, other_host)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for each in (host, other_host):
        assert {request.headers["Authorization"] for request in each.requests} == {
            f"Bearer for-{each.origin}"
        }
        assert len(each.requests) == 20


def test_sdk_used_directly_is_unchanged(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config, "API_ORIGIN", f"{host.origin}/direct")
    host.reply_with(respond(200, {"id": OWNER}))
    assert sdk_functions.get_user("t-1").id == OWNER
    (request,) = host.requests
    assert request.path == "/direct/v2.0/user"
    assert str(request.headers["User-Agent"]).startswith("Smartcar/")


def test_origins_of_the_sdk_do_not_matter(v2: V2Api, host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("API_ORIGIN", "AUTH_ORIGIN", "CONNECT_ORIGIN"):
        monkeypatch.setattr(config, name, "http://127.0.0.1:9/elsewhere")
    host.reply_with(respond(200, {"id": OWNER}))
    assert v2.user_id("t-1") == OWNER
    assert v2.connect_url(REQUEST).startswith(f"{host.origin}/connect/oauth/authorize?")

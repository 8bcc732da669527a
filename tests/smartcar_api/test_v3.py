"""v3 on the wire: requests, pagination, entries of other users, and commands with late answers."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from smartcar_api import Access, CommandOutcome, ConnectRequest, Credentials, SmartcarError, V2Api, V3Api
from tests.smartcar_api.conftest import (
    CAR,
    OWNER,
    TOKEN,
    WEBHOOK,
    Host,
    origins_at,
    respond,
    send_bytes,
    stream,
)
from tests.smartcar_api.test_v2 import parse_form, parse_query

STRANGER = "11111111-2222-4333-8444-555555555555"


def connection(number: int = 0, *, owner: str = OWNER, vehicle_id: str = "") -> dict[str, Any]:
    return {
        "id": f"c-{number}",
        "type": "connection",
        "attributes": {
            "permissions": ["read_battery", "control_security"],
            "vehicle": {
                "make": "VOLKSWAGEN",
                "model": "ID.4",
                "year": 2023,
                "mode": "live",
                "powertrainType": "BEV",
            },
            "user": {"id": owner, "externalId": "driver-42"},
        },
        "relationships": {
            "vehicle": {"data": {"id": vehicle_id or f"car-{number}", "type": "vehicle"}},
            "user": {"data": {"id": owner, "type": "user"}},
        },
        "meta": {"createdAt": "2026-06-01T10:00:00.000Z", "updatedAt": "2026-06-02T10:00:00.000Z"},
    }


def subscription(
    number: int = 0, *, owner: str = OWNER, vehicle_id: str = CAR, webhook: str = WEBHOOK
) -> dict[str, Any]:
    names = {"webhook": webhook, "user": owner, "vehicle": vehicle_id}
    return {
        "id": f"s-{number}",
        "type": "subscription",
        "relationships": {kind: {"data": {"id": each, "type": kind}} for kind, each in names.items()},
    }


def page(entries: list[Any], *, total: int | None = None, following: str | None = None) -> Any:
    meta = {} if total is None else {"totalCount": total}
    return respond(200, {"data": entries, "meta": meta, "links": {"next": following}})


def executed(status: Any, **more: Any) -> dict[str, Any]:
    attributes = {"commandType": "security-lock", "status": status, "executionMode": "sync"}
    return {"data": {"id": "exec_01", "type": "command-execution", "attributes": attributes | more}}


def test_connect_url_contains_the_application_in_both_parameters(v3: V3Api, host: Host) -> None:
    url = v3.connect_url(
        ConnectRequest(
            redirect_uri="https://fleet.example/back",
            state="s",
            external_id="driver 42",
            scopes=("read_battery", "read_location"),
            mode="simulated",
            country="DE",
            single_select=True,
        )
    )
    assert url.startswith(f"{host.origin}/connect/oauth/authorize?")
    assert parse_query(url) == {
        "response_type": "code",
        "application_id": "8229df9f-91a0-4ff0-a1ae-a1f38ee24d07",
        "client_id": "8229df9f-91a0-4ff0-a1ae-a1f38ee24d07",
        "redirect_uri": "https://fleet.example/back",
        "state": "s",
        "external_id": "driver 42",
        "scope": "read_battery read_location",
        "mode": "simulated",
        "approval_prompt": "auto",
        "single_select": "true",
        "flags": "country:DE",
    }


def test_token_is_requested_with_the_api_credentials(v3: V3Api, host: Host) -> None:
    host.reply_with(respond(200, {"access_token": "app-1", "token_type": "Bearer", "expires_in": 3600}))
    before = datetime.now(UTC)
    issued = v3.request_token()
    assert issued.token == "app-1"
    assert "app-1" not in repr(issued)
    assert before <= issued.expires_at - timedelta(hours=1) <= datetime.now(UTC)
    (request,) = host.requests
    assert (request.method, request.path) == ("POST", "/iam/oauth2/token")
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert "Authorization" not in request.headers
    assert parse_form(request) == {
        "grant_type": "client_credentials",
        "client_id": "client_1",
        "client_secret": "client-secret-1",
    }


@pytest.mark.parametrize(
    "body",
    [
        b"",
        [],
        {},
        {"access_token": "app-1"},
        {"access_token": "app-1", "expires_in": -1},
        {"access_token": 5, "expires_in": 9},
    ],
)
def test_answer_without_a_token_is_rejected_and_not_shown(v3: V3Api, host: Host, body: Any) -> None:
    host.reply_with(respond(200, body))
    with pytest.raises(SmartcarError) as caught:
        v3.request_token()
    assert caught.value.type == "UNREADABLE_ANSWER"
    assert "app-1" not in str(caught.value)


def test_credentials_of_the_other_kind_are_unauthorized(v3: V3Api, host: Host) -> None:
    host.reply_with(
        respond(401, {"error": "invalid_client", "error_description": "Client authentication failed"})
    )
    with pytest.raises(SmartcarError) as caught:
        v3.request_token()
    assert caught.value.unauthorized
    assert "credentials" in caught.value.user_message


def test_nothing_is_sent_without_api_credentials(host: Host) -> None:
    bare = Credentials(
        application_id="a", application_secret="b", client_id="", client_secret="", management_tokens=()
    )
    with pytest.raises(SmartcarError, match="client id or the client secret"):
        V3Api(origins=origins_at(host.origin), credentials=bare).request_token()
    assert host.requests == []


def test_all_pages_of_connections_are_read_with_owner_and_mode(v3: V3Api, host: Host, access: Access) -> None:
    host.reply_with(
        page([connection(number) for number in range(50)], total=53),
        page([connection(number) for number in range(50, 53)], total=53),
    )
    shared = v3.shared_vehicles(access, mode="simulated")
    assert len(shared) == 53
    first, second = (request.query for request in host.requests)
    assert first["filter[userId]"] == [OWNER]
    assert first["filter[vehicle.mode]"] == ["simulated"]
    assert (first["page[number]"], second["page[number]"]) == (["1"], ["2"])


def test_page_smaller_than_requested_does_not_end_the_list(v3: V3Api, host: Host, access: Access) -> None:
    host.reply_with(
        page([connection(0)], following="…"), page([connection(1)], following="…"), page([connection(2)])
    )
    assert len(v3.shared_vehicles(access, mode="live")) == 3


def test_endless_list_is_abandoned(v3: V3Api, host: Host, access: Access) -> None:
    host.reply_with(page([connection(0)], following="…"))
    with pytest.raises(SmartcarError, match="no end"):
        v3.shared_vehicles(access, mode="live")


def test_shared_vehicle_is_parsed_completely(v3: V3Api, host: Host, access: Access) -> None:
    host.reply_with(page([connection(7)], total=1))
    (shared,) = v3.shared_vehicles(access, mode="live")
    assert (shared.vehicle_id, shared.user_id, shared.external_id) == ("car-7", OWNER, "driver-42")
    assert (shared.make, shared.model, shared.year) == ("VOLKSWAGEN", "ID.4", 2023)
    assert (shared.powertrain, shared.mode) == ("BEV", "live")
    assert shared.permissions == {"read_battery", "control_security"}
    assert shared.connection_id == "c-7"
    assert shared.updated_at == datetime(2026, 6, 2, 10, tzinfo=UTC)


def test_vehicles_of_other_users_are_never_attributed_to_the_owner(
    v3: V3Api, host: Host, access: Access
) -> None:
    host.reply_with(page([connection(0), connection(1, owner=STRANGER)], total=2))
    assert [each.vehicle_id for each in v3.shared_vehicles(access, mode="live")] == ["car-0"]


def test_vehicles_are_not_requested_without_an_owner(v3: V3Api, host: Host) -> None:
    with pytest.raises(SmartcarError, match="no vehicle owner"):
        v3.shared_vehicles(Access(token=TOKEN, user_id=""), mode="live")
    assert host.requests == []


def test_vehicle_listed_on_two_pages_is_shared_once(v3: V3Api, host: Host, access: Access) -> None:
    host.reply_with(page([connection(0)], following="…"), page([connection(0)]))
    assert len(v3.shared_vehicles(access, mode="live")) == 1


@pytest.mark.parametrize(
    "entry", [{}, {"attributes": None}, {"attributes": {"permissions": 3, "vehicle": []}}, 5, None]
)
def test_invalid_entry_does_not_hide_the_others(v3: V3Api, host: Host, access: Access, entry: Any) -> None:
    host.reply_with(page([entry, connection(1)], total=2))
    assert [each.vehicle_id for each in v3.shared_vehicles(access, mode="live")] == ["car-1"]


def test_answer_without_a_list_is_unreadable(v3: V3Api, host: Host, access: Access) -> None:
    host.reply_with(respond(200, {"data": {}}))
    with pytest.raises(SmartcarError, match="UNREADABLE_ANSWER"):
        v3.shared_vehicles(access, mode="live")


def test_attributes_are_parsed_and_may_be_null(v3: V3Api, host: Host, access: Access) -> None:
    attributes = {"make": "RIVIAN", "model": "R1T", "year": 2024, "powertrainType": None, "mode": "live"}
    host.reply_with(respond(200, {"data": {"id": CAR, "type": "vehicle", "attributes": attributes}}))
    result = v3.attributes(access, vehicle_id=CAR)
    assert (result.make, result.model, result.year, result.powertrain, result.mode) == (
        "RIVIAN",
        "R1T",
        2024,
        "",
        "live",
    )


def test_signals_are_requested_for_the_owner_and_returned_unchanged(
    v3: V3Api, host: Host, access: Access
) -> None:
    body = {"data": [{"id": "odometer-traveleddistance", "new": True}], "meta": {"totalCount": 1}}
    host.reply_with(respond(200, body, {"SC-Request-Id": "r-1"}))
    answer = v3.read(access, vehicle_id=CAR)
    assert (answer.body, answer.request_id) == (body, "r-1")
    (request,) = host.requests
    assert (request.method, request.path) == ("GET", f"/vehicle/v3/vehicles/{CAR}/signals")
    assert request.headers["Authorization"] == f"Bearer {TOKEN}"
    assert request.headers["sc-user-id"] == OWNER
    assert request.headers["SC-Unit-System"] == "metric"


@pytest.mark.parametrize("command", ["lock", "unlock"])
def test_command_is_posted_once_without_a_body(v3: V3Api, host: Host, access: Access, command: str) -> None:
    host.reply_with(respond(200, executed({"value": "SUCCESS"}), {"SC-Request-Id": "r-1"}))
    answer = getattr(v3, command)(access, vehicle_id=CAR)
    assert answer.outcome is CommandOutcome.SUCCESS
    assert (answer.execution_id, answer.request_id, answer.smartcar_message) == ("exec_01", "r-1", "")
    (request,) = host.requests
    assert (request.method, request.path) == (
        "POST",
        f"/vehicle/v3/vehicles/{CAR}/commands/security/{command}",
    )
    assert request.body == b""
    assert request.headers["sc-user-id"] == OWNER


OTHER_COMMANDS: list[tuple[str, dict[str, Any], str, Any]] = [
    ("start_charge", {}, "charge/start", None),
    ("stop_charge", {}, "charge/stop", None),
    ("set_charge_limit", {"percent": 80}, "charge/set-limit", {"percent": 80}),
    ("open_charge_port", {}, "charge-port/open", None),
    ("close_charge_port", {}, "charge-port/close", None),
    (
        "set_destination",
        {"latitude": 52.5, "longitude": -13.25},
        "navigation/set-destination",
        {"latitude": 52.5, "longitude": -13.25},
    ),
]


@pytest.mark.parametrize(("command", "parameters", "path", "attributes"), OTHER_COMMANDS)
def test_command_is_posted_once_with_its_parameters(
    v3: V3Api,
    host: Host,
    access: Access,
    command: str,
    parameters: dict[str, Any],
    path: str,
    attributes: Any,
) -> None:
    host.reply_with(respond(200, executed({"value": "SUCCESS"})))
    answer = getattr(v3, command)(access, vehicle_id=CAR, **parameters)
    assert answer.outcome is CommandOutcome.SUCCESS
    (request,) = host.requests
    assert (request.method, request.path) == ("POST", f"/vehicle/v3/vehicles/{CAR}/commands/{path}")
    sent = json.loads(request.body) if request.body else None
    assert sent == ({"data": {"attributes": attributes}} if attributes else None)


@pytest.mark.parametrize(("command", "parameters"), [case[:2] for case in OTHER_COMMANDS])
def test_broken_answer_leaves_the_outcome_of_any_command_unknown_without_a_retry(
    v3: V3Api, host: Host, access: Access, command: str, parameters: dict[str, Any]
) -> None:
    host.reply_with(send_bytes(b""))
    with pytest.raises(SmartcarError, match="NO_ANSWER") as caught:
        getattr(v3, command)(access, vehicle_id=CAR, **parameters)
    assert caught.value.outcome_unknown
    assert len(host.requests) == 1


@pytest.mark.parametrize(
    ("command", "parameters"),
    [
        ("set_charge_limit", {"percent": 49}),
        ("set_charge_limit", {"percent": 101}),
        ("set_charge_limit", {"percent": 80.5}),
        ("set_charge_limit", {"percent": True}),
        ("set_destination", {"latitude": 90.1, "longitude": 0.0}),
        ("set_destination", {"latitude": 0.0, "longitude": -180.1}),
        ("set_destination", {"latitude": float("nan"), "longitude": 0.0}),
    ],
)
def test_invalid_parameters_are_never_sent_in_either_api_version(
    v2: V2Api, v3: V3Api, host: Host, access: Access, command: str, parameters: dict[str, Any]
) -> None:
    for api in (v2, v3):
        with pytest.raises(SmartcarError, match="NOT_SENT:INVALID"):
            getattr(api, command)(access, vehicle_id=CAR, **parameters)
    assert host.requests == []


def test_late_result_is_waited_for_and_taken_from_the_body(v3: V3Api, host: Host, access: Access) -> None:
    parts = json.dumps(executed({"value": "SUCCESS"})).encode()
    host.reply_with(stream(b"  ", parts[:20], parts[20:], pause=0.1))
    assert v3.lock(access, vehicle_id=CAR).outcome is CommandOutcome.SUCCESS


def test_late_error_in_the_body_of_a_202_is_raised(v3: V3Api, host: Host, access: Access) -> None:
    refusal = {
        "errors": [
            {"status": "409", "type": "VEHICLE_STATE", "code": "DOOR_OPEN", "detail": "A door is open"}
        ]
    }
    host.reply_with(stream(json.dumps(refusal).encode(), pause=0.05))
    with pytest.raises(SmartcarError) as caught:
        v3.lock(access, vehicle_id=CAR)
    assert (caught.value.type, caught.value.code, caught.value.status) == ("VEHICLE_STATE", "DOOR_OPEN", 409)
    assert not caught.value.outcome_unknown


def test_late_gateway_error_in_the_body_of_a_202_leaves_the_outcome_unknown(
    v3: V3Api, host: Host, access: Access
) -> None:
    host.reply_with(stream(b'{"errors":[{"status":"504","type":"UPSTREAM","code":"NO_RESPONSE"}]}'))
    with pytest.raises(SmartcarError) as caught:
        v3.lock(access, vehicle_id=CAR)
    assert caught.value.outcome_unknown


def test_failure_in_the_body_of_a_200_is_returned_with_its_reason(
    v3: V3Api, host: Host, access: Access
) -> None:
    why = {
        "type": "VEHICLE_STATE",
        "code": "DOOR_OPEN",
        "title": "Door open",
        "detail": f"VIN 5YJSA1CN5DFP00101 {TOKEN}",
    }
    host.reply_with(respond(200, executed({"value": "FAILURE", "error": why})))
    answer = v3.lock(access, vehicle_id=CAR)
    assert answer.outcome is CommandOutcome.FAILURE
    assert answer.error is not None
    assert (answer.error.message.code, answer.smartcar_message) == ("smartcar.vehicle_state.door_open", "")


@pytest.mark.parametrize("status", [{"value": "PENDING"}, "PENDING", {"value": "pending"}])
def test_pending_result_is_returned_as_pending(v3: V3Api, host: Host, access: Access, status: Any) -> None:
    host.reply_with(respond(202, executed(status)))
    assert v3.lock(access, vehicle_id=CAR).outcome is CommandOutcome.PENDING


@pytest.mark.parametrize("status", [None, {}, {"value": None}, {"value": "MAYBE"}, [], 5])
def test_unknown_result_leaves_the_outcome_unknown(
    v3: V3Api, host: Host, access: Access, status: Any
) -> None:
    host.reply_with(respond(200, executed(status)))
    with pytest.raises(SmartcarError) as caught:
        v3.lock(access, vehicle_id=CAR)
    assert caught.value.outcome_unknown


@pytest.mark.parametrize(
    "reply",
    [
        respond(202, {"meta": {"message": "subscription creation in progress"}}),
        respond(409, {"errors": [{"status": "409", "type": "CONFLICT"}]}),
    ],
)
def test_subscribing_accepts_a_202_and_an_existing_subscription(
    v3: V3Api, host: Host, access: Access, reply: Any
) -> None:
    host.reply_with(reply)
    v3.subscribe(access, vehicle_id=CAR, webhook_id=WEBHOOK)
    (request,) = host.requests
    assert (request.method, request.path) == ("POST", "/management-v3/v3/subscriptions")
    attributes = {"webhookId": WEBHOOK, "userId": OWNER, "vehicleId": CAR}
    assert json.loads(request.body) == {"data": {"attributes": attributes}}


def test_vehicle_is_subscribed_when_its_subscription_is_listed(v3: V3Api, host: Host, access: Access) -> None:
    host.reply_with(page([], total=0), page([subscription()], total=1))
    assert v3.is_subscribed(access, vehicle_id=CAR, webhook_id=WEBHOOK)
    assert [request.query["filter[vehicle.mode]"] for request in host.requests] == [["live"], ["simulated"]]
    assert host.requests[0].query["filter[webhookId]"] == [WEBHOOK]


def test_subscriptions_of_others_do_not_count(v3: V3Api, host: Host, access: Access) -> None:
    others = [
        subscription(1, owner=STRANGER),
        subscription(2, vehicle_id="car-2"),
        subscription(3, webhook="w-3"),
    ]
    host.reply_with(page(others, total=3))
    assert not v3.is_subscribed(access, vehicle_id=CAR, webhook_id=WEBHOOK)


def test_unsubscribing_deletes_only_the_own_subscription(v3: V3Api, host: Host, access: Access) -> None:
    host.reply_with(
        page([subscription(1), subscription(2, owner=STRANGER)], total=2), respond(204), page([], total=0)
    )
    v3.unsubscribe(access, vehicle_id=CAR, webhook_id=WEBHOOK)
    deleted = [request.path for request in host.requests if request.method == "DELETE"]
    assert deleted == ["/management-v3/v3/subscriptions/s-1"]


@pytest.mark.parametrize(("vehicle_id", "webhook_id"), [("", WEBHOOK), (CAR, "")])
def test_subscriptions_require_a_vehicle_and_a_webhook(
    v3: V3Api, host: Host, access: Access, vehicle_id: str, webhook_id: str
) -> None:
    for call in (v3.subscribe, v3.unsubscribe, v3.is_subscribed):
        with pytest.raises(SmartcarError, match="NOT_SENT"):
            call(access, vehicle_id=vehicle_id, webhook_id=webhook_id)
    assert host.requests == []


def test_disconnecting_deletes_the_connection(v3: V3Api, host: Host, access: Access) -> None:
    host.reply_with(respond(204))
    v3.disconnect(access, vehicle_id=CAR, connection_id="c-1")
    assert [(request.method, request.path) for request in host.requests] == [
        ("DELETE", "/vehicle/v3/connections/c-1")
    ]


def test_connection_whose_id_has_changed_is_looked_up(v3: V3Api, host: Host, access: Access) -> None:
    not_found = respond(
        404, {"errors": [{"status": "404", "type": "RESOURCE_NOT_FOUND", "code": "NOT_FOUND"}]}
    )
    others = [connection(3, vehicle_id="another-car"), connection(4, owner=STRANGER, vehicle_id=CAR)]
    host.reply_with(
        not_found, page([connection(2, vehicle_id=CAR), *others], total=3), respond(204), page([], total=0)
    )
    v3.disconnect(access, vehicle_id=CAR, connection_id="c-1")
    deleted = [request.path for request in host.requests if request.method == "DELETE"]
    assert deleted == ["/vehicle/v3/connections/c-1", "/vehicle/v3/connections/c-2"]
    assert host.requests[1].query["filter[vehicleId]"] == [CAR]


def test_disconnecting_an_unconnected_vehicle_succeeds(v3: V3Api, host: Host, access: Access) -> None:
    host.reply_with(page([], total=0))
    v3.disconnect(access, vehicle_id=CAR)
    assert {request.method for request in host.requests} == {"GET"}


def test_error_list_is_parsed(v3: V3Api, host: Host, access: Access) -> None:
    refusal = {
        "errors": [{"status": "430", "type": "BILLING", "code": "VEHICLE_REQUEST_LIMIT", "title": "Limit"}]
    }
    host.reply_with(respond(430, refusal, {"SC-Request-Id": "r-9"}))
    with pytest.raises(SmartcarError) as caught:
        v3.read(access, vehicle_id=CAR)
    assert (caught.value.type, caught.value.status, caught.value.request_id) == ("BILLING", 430, "r-9")
    assert caught.value.permanent

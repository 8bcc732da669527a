"""The command API: creating commands idempotently, reading, listing and canceling them."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client, override_settings
from django.utils import timezone

from accounts.api.throttles import CommandThrottle
from accounts.models import Fleet, Membership, Role, SmartcarApiVersion, User
from accounts.services import add_member, create_fleet
from accounts.tokens.services import issue_token
from commands import services
from commands.bulk.models import BulkCommand
from commands.models import Command, CommandPolicy, CommandState, ReasonRequirement
from commands.types import CommandType
from connect.models import Connection, ConnectionState
from vehicles.models import Vehicle

BrowserOf = Callable[[User], Client]
COMMANDS = "/api/v1/commands/"
PLACE = {"latitude": 52.5163, "longitude": 13.3777}


def create_connection(vehicle: Vehicle) -> Connection:
    return Connection.objects.create(
        fleet=vehicle.fleet,
        vehicle=vehicle,
        smartcar_user_id="user-1",
        api_version="v3",
        mode="live",
        state=ConnectionState.ACTIVE,
    )


@pytest.fixture
def commands_url(vehicle: Vehicle) -> str:
    """The commands URL of a connected vehicle."""
    vehicle.powertrain = "BEV"
    vehicle.save()
    create_connection(vehicle)
    return f"/api/v1/vehicles/{vehicle.smartcar_id}/commands/"


def token_client(user: User, fleet: Fleet, *, may_command: bool = True) -> Client:
    """Returns a client with a token of the user, and no cookie."""
    member = Membership.objects.select_related("user", "fleet").get(user=user, fleet=fleet)
    secret = issue_token(membership=member, name="Test", may_command=may_command).secret
    return Client(headers={"Authorization": f"Bearer {secret}"})


def send(client: Client, address: str, body: Any = None, *, key: str = "") -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    content: Any = {"kind": "lock"} if body is None else body
    return client.post(address, content, content_type="application/json", headers=headers)


def error_of(answer: Any) -> tuple[int, str]:
    assert answer.headers["Content-Type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]


@pytest.fixture
def api_client(owner: User, fleet: Fleet) -> Client:
    return token_client(owner, fleet)


def test_a_command_is_created_and_its_url_returned(
    commands_url: str, api_client: Client, owner: User
) -> None:
    answer = send(api_client, commands_url, {"kind": "lock", "reason": "Left open"})
    assert answer.status_code == 201
    data = answer.json()
    row = Command.objects.get()
    assert answer.headers["Location"] == f"http://testserver{COMMANDS}{row.pk}/"
    assert (data["id"], data["state"], data["open"], data["cancellable"]) == (row.pk, "requested", True, True)
    assert (data["requested_by"], data["reason"], data["generation"]) == (owner.email, "Left open", "v3")
    assert [change["state"] for change in data["changes"]] == ["requested"]
    assert api_client.get(answer.headers["Location"]).json() == data


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [
        ("lock", {}),
        ("start_charge", {}),
        ("set_charge_limit", {"percent": 80}),
        ("set_destination", PLACE),
        ("open_charge_port", {}),
        ("set_charge_schedule", {"type": "daily", **PLACE, "windows": {"every_day": ["22:00", "06:00"]}}),
        ("delete_charge_schedule", {"schedule_id": "s-1"}),
    ],
)
def test_each_command_stores_its_parameters(
    commands_url: str, api_client: Client, kind: str, parameters: dict[str, Any]
) -> None:
    answer = send(api_client, commands_url, {"kind": kind, "parameters": parameters})
    assert (answer.status_code, answer.json()["parameters"]) == (201, parameters)


@pytest.mark.parametrize(
    "body",
    [
        [],
        "lock",
        {},
        {"kind": "open_sesame"},
        {"kind": ["lock"]},
        {"kind": "lock", "resaon": "misspelt"},
        {"kind": "lock", "reason": 5},
        {"kind": "lock", "reason": "a" * 201},
        {"kind": "lock", "reason": "\x00"},
        {"kind": "lock", "when_awake": "yes"},
        {"kind": "lock", "parameters": {"percent": 80}},
        {"kind": "lock", "parameters": None},
        {"kind": "unlock", "when_awake": True},
        {"kind": "set_charge_limit"},
        {"kind": "set_charge_limit", "parameters": {"percent": "80"}},
        {"kind": "set_charge_limit", "parameters": {"percent": True}},
        {"kind": "set_charge_limit", "parameters": {"percent": 49}},
        {"kind": "set_charge_limit", "parameters": {"percent": 80.5}},
        {"kind": "set_destination", "parameters": {"latitude": 91, "longitude": 0}},
        {
            "kind": "set_charge_schedule",
            "parameters": {"type": "daily", **PLACE, "windows": {"every_day": []}},
        },
        {
            "kind": "set_charge_schedule",
            "parameters": {"type": "daily", **PLACE, "windows": {"every_day": ["7:00", "8:00"]}},
        },
        '{"kind": NaN}',
        "[" * 100_000,
        '{"kind": "lock", "reason": "\\ud800"}',
    ],
    ids=lambda body: str(body)[:60],
)
def test_invalid_bodies_are_rejected_and_not_stored(commands_url: str, api_client: Client, body: Any) -> None:
    answer = send(api_client, commands_url, body, key="k-1")
    assert error_of(answer)[0] == 400
    assert not Command.objects.exists()


def test_a_body_that_is_not_json_is_rejected(commands_url: str, api_client: Client) -> None:
    answer = api_client.post(commands_url, {"kind": "lock"})
    assert error_of(answer) == (415, "unsupported_media_type")


def test_the_same_key_and_body_return_the_same_command(commands_url: str, api_client: Client) -> None:
    first = send(api_client, commands_url, {"kind": "unlock"}, key="k-1")
    Command.objects.update(state=CommandState.EXPIRED)
    again = send(api_client, commands_url, {"kind": "unlock", "parameters": {}}, key="k-1")
    assert (first.status_code, again.status_code) == (201, 200)
    assert (again.json()["id"], again.json()["state"]) == (first.json()["id"], "expired")
    assert again.headers["Location"] == first.headers["Location"]
    assert Command.objects.count() == 1


@pytest.mark.parametrize("other", [{"kind": "lock", "reason": "x"}, {"kind": "stop_charge"}])
def test_the_same_key_for_another_command_is_rejected(
    commands_url: str, api_client: Client, other: dict[str, Any]
) -> None:
    send(api_client, commands_url, key="k-1")
    assert error_of(send(api_client, commands_url, other, key="k-1")) == (409, "key_reused")
    assert Command.objects.count() == 1


def test_the_same_key_for_another_vehicle_is_rejected(
    commands_url: str, api_client: Client, fleet: Fleet
) -> None:
    other = Vehicle.objects.create(fleet=fleet, smartcar_id="another", make="TESLA")
    create_connection(other)
    send(api_client, commands_url, key="k-1")
    answer = send(api_client, "/api/v1/vehicles/another/commands/", key="k-1")
    assert error_of(answer) == (409, "key_reused")


def test_keys_of_different_users_are_independent(
    commands_url: str, api_client: Client, teammate: User, fleet: Fleet
) -> None:
    first = send(api_client, commands_url, key="k-1").json()
    Command.objects.update(state=CommandState.CONFIRMED)
    second = send(token_client(teammate, fleet), commands_url, key="k-1")
    assert second.status_code == 201
    assert second.json()["id"] != first["id"]


def test_an_unlock_needs_a_key(commands_url: str, api_client: Client) -> None:
    answer = send(api_client, commands_url, {"kind": "unlock"})
    assert error_of(answer)[0] == 400
    assert "Idempotency-Key" in answer.json()["errors"]
    assert not Command.objects.exists()


@pytest.mark.parametrize("key", ["", "two words", "a" * 81, "schlüssel"])
def test_an_invalid_key_is_rejected(commands_url: str, api_client: Client, key: str) -> None:
    answer = api_client.post(
        commands_url, {"kind": "lock"}, content_type="application/json", headers={"Idempotency-Key": key}
    )
    assert error_of(answer)[0] == 400


def test_a_second_command_while_one_is_in_progress_is_rejected(commands_url: str, api_client: Client) -> None:
    send(api_client, commands_url)
    answer = send(api_client, commands_url, {"kind": "start_charge"})
    assert error_of(answer) == (409, "not_possible")
    assert "Another command is in progress for this vehicle" in answer.json()["detail"]


def test_a_command_to_a_vehicle_without_connection_is_rejected_with_the_reason(
    vehicle: Vehicle, api_client: Client
) -> None:
    answer = send(api_client, f"/api/v1/vehicles/{vehicle.smartcar_id}/commands/")
    assert error_of(answer) == (409, "not_possible")
    assert "no working connection" in answer.json()["detail"]


def test_a_fleets_policy_can_require_a_reason(commands_url: str, api_client: Client, fleet: Fleet) -> None:
    CommandPolicy.objects.create(fleet=fleet, reason_for=ReasonRequirement.EVERYTHING)
    answer = send(api_client, commands_url)
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["reason"])
    assert send(api_client, commands_url, {"kind": "lock", "reason": "Left open"}).status_code == 201


def test_a_command_may_wait_for_the_vehicle_to_wake(commands_url: str, api_client: Client) -> None:
    assert send(api_client, commands_url, {"kind": "lock", "when_awake": True}).json()["state"] == "waiting"
    answer = send(api_client, commands_url, {"kind": "lock", "when_awake": True})
    assert error_of(answer) == (409, "not_possible")


def test_an_unlock_needs_recent_confirmation_in_a_browser_but_not_with_a_token(
    commands_url: str, owner: User, api_client: Client, browser_of: BrowserOf
) -> None:
    browser = browser_of(owner)
    session = browser.session
    session["confirmed_at"] = 0
    session.save()
    answer = send(browser, commands_url, {"kind": "unlock"}, key="k-1")
    assert error_of(answer) == (403, "confirmation_required")
    assert send(browser, commands_url).status_code == 201
    Command.objects.update(state=CommandState.CONFIRMED)
    assert send(api_client, commands_url, {"kind": "unlock"}, key="k-1").status_code == 201
    Command.objects.update(state=CommandState.CONFIRMED)
    assert send(browser_of(owner), commands_url, {"kind": "unlock"}, key="k-2").status_code == 201


def test_a_browser_without_the_csrf_token_sends_nothing(commands_url: str, owner: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(owner)
    assert send(browser, commands_url).status_code == 403
    assert not Command.objects.exists()


def test_canceling_is_final_and_idempotent(commands_url: str, api_client: Client) -> None:
    command = send(api_client, commands_url).json()
    first, again = (api_client.post(f"{COMMANDS}{command['id']}/cancel/") for _ in range(2))
    assert (first.status_code, first.json()["state"], again.status_code) == (200, "cancelled", 200)
    assert [change["state"] for change in again.json()["changes"]] == ["requested", "cancelled"]


@pytest.mark.parametrize(
    "state",
    [
        CommandState.SENDING,
        CommandState.RETRYING,
        CommandState.ACCEPTED,
        CommandState.CONFIRMED,
        CommandState.EXPIRED,
    ],
)
def test_sent_or_final_commands_cannot_be_canceled(
    commands_url: str, api_client: Client, state: CommandState
) -> None:
    command = send(api_client, commands_url).json()
    Command.objects.update(state=state)
    assert error_of(api_client.post(f"{COMMANDS}{command['id']}/cancel/")) == (409, "too_late")
    assert Command.objects.get().state == state


@pytest.fixture
def history(commands_url: str, vehicle: Vehicle, owner: User, fleet: Fleet) -> list[Command]:
    """Three commands, a day apart; the last one belongs to a bulk command to another vehicle."""
    other = Vehicle.objects.create(fleet=fleet, smartcar_id="another", make="TESLA", powertrain="BEV")
    create_connection(other)
    now = timezone.now()
    bulk = BulkCommand.objects.create(fleet=fleet, kind=CommandType.LOCK, requested_at=now, expires_at=now)
    commands = [
        services.create_command(vehicle=vehicle, kind=CommandType.SET_DESTINATION, user=owner, data=PLACE),
        services.create_command(vehicle=other, kind=CommandType.UNLOCK, user=owner),
    ]
    Command.objects.update(state=CommandState.CONFIRMED)
    commands.append(services.create_command(vehicle=other, kind=CommandType.LOCK, user=owner))
    for age, command in zip((2, 1, 0), commands, strict=True):
        Command.objects.filter(pk=command.pk).update(requested_at=now - timedelta(days=age))
    Command.objects.filter(pk=commands[2].pk).update(bulk=bulk)
    return commands


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, [2, 1, 0]),
        ({"state": "confirmed"}, [1, 0]),
        ({"kind": "unlock"}, [1]),
        ({"vehicle": "another"}, [2, 1]),
        ({"vehicle": "another", "state": "requested"}, [2]),
        ({"from": "yesterday"}, [2, 1]),
        ({"to": "yesterday"}, [0]),
        ({"bulk": "its"}, [2]),
    ],
)
def test_the_history_is_filtered(
    history: list[Command], api_client: Client, query: dict[str, Any], found: list[int]
) -> None:
    values = {
        "yesterday": (timezone.now() - timedelta(days=1, hours=1)).isoformat(),
        "its": str(BulkCommand.objects.get().pk),
    }
    params = {name: values.get(value, value) for name, value in query.items()}
    answer = api_client.get(COMMANDS, params)
    assert [row["id"] for row in answer.json()["results"]] == [history[index].pk for index in found]


def test_the_history_of_a_vehicle_contains_only_its_commands(
    history: list[Command], commands_url: str, api_client: Client
) -> None:
    assert [row["id"] for row in api_client.get(commands_url).json()["results"]] == [history[0].pk]
    assert api_client.get(commands_url, {"state": "requested"}).json()["results"] == []


def test_an_unknown_filter_is_rejected(history: list[Command], commands_url: str, api_client: Client) -> None:
    for address in (COMMANDS, commands_url):
        assert api_client.get(address, {"stat": "confirmed"}).status_code == 400
        assert api_client.get(address, {"state": "done"}).status_code == 400


def test_the_history_is_paginated(history: list[Command], api_client: Client) -> None:
    first = api_client.get(COMMANDS, {"page_size": 2}).json()
    assert [row["id"] for row in first["results"]] == [history[2].pk, history[1].pk]
    assert [row["id"] for row in api_client.get(first["next"]).json()["results"]] == [history[0].pk]


def test_viewers_read_the_history_without_locations(
    history: list[Command], api_client: Client, viewer: User, browser_of: BrowserOf
) -> None:
    one = f"{COMMANDS}{history[0].pk}/"
    assert api_client.get(one).json()["parameters"] == PLACE
    seen = browser_of(viewer).get(one)
    assert seen.json()["parameters"] == {}
    assert str(PLACE["latitude"]) not in seen.content.decode()
    assert str(PLACE["latitude"]) not in browser_of(viewer).get(COMMANDS).content.decode()


def test_locations_are_included_only_for_fleets_where_the_user_is_manager(
    history: list[Command], teammate: User, browser_of: BrowserOf, fleet: Fleet, owner: User
) -> None:
    green = create_fleet(name="Green", slug="green", owner=owner, api_version=SmartcarApiVersion.V3)
    add_member(fleet=green, user=teammate, role=Role.VIEWER, actor=None)
    there = Vehicle.objects.create(fleet=green, smartcar_id="there", make="TESLA")
    create_connection(there)
    services.create_command(vehicle=there, kind=CommandType.SET_DESTINATION, user=owner, data=PLACE)
    rows = browser_of(teammate).get(COMMANDS, {"kind": "set_destination"}).json()["results"]
    assert [(row["fleet"], row["parameters"]) for row in rows] == [("green", {}), ("blue", PLACE)]


def test_a_vehicle_in_two_fleets_requires_naming_the_fleet(
    commands_url: str, vehicle: Vehicle, owner: User, browser_of: BrowserOf
) -> None:
    green = create_fleet(name="Green", slug="green", owner=owner, api_version=SmartcarApiVersion.V3)
    Vehicle.objects.create(fleet=green, smartcar_id=vehicle.smartcar_id, make="TESLA")
    browser = browser_of(owner)
    assert error_of(send(browser, commands_url)) == (409, "ambiguous")
    assert send(browser, f"{commands_url}?fleet=blue").status_code == 201
    assert Command.objects.get().fleet.slug == "blue"


def test_a_rejection_includes_its_type_code_and_message(history: list[Command], api_client: Client) -> None:
    Command.objects.filter(pk=history[0].pk).update(
        state=CommandState.REFUSED,
        error_type="VEHICLE_STATE",
        error_code="DOOR_OPEN",
        message_code="smartcar.vehicle_state.door_open",
        smartcar_message="A door is open.",
    )
    data = api_client.get(f"{COMMANDS}{history[0].pk}/").json()
    assert data["error"] == {"type": "VEHICLE_STATE", "code": "DOOR_OPEN"}
    assert "Close all doors" in data["message"]
    assert (data["smartcar_message"], data["open"]) == ("A door is open.", False)
    assert data["message_code"] == "smartcar.vehicle_state.door_open"
    assert api_client.get(f"{COMMANDS}{history[1].pk}/").json()["error"] is None


def test_a_hundred_commands_take_as_many_queries_as_three(
    history: list[Command], api_client: Client, django_assert_max_num_queries: Any
) -> None:
    Command.objects.bulk_create(
        Command(
            fleet=one.fleet,
            vehicle=one.vehicle,
            kind=CommandType.LOCK,
            state=CommandState.CONFIRMED,
            requested_by=one.requested_by,
            requested_at=one.requested_at,
            expires_at=one.expires_at,
        )
        for one in [history[0]] * 100
    )
    with django_assert_max_num_queries(6):
        assert len(api_client.get(COMMANDS, {"page_size": 100}).json()["results"]) == 100


@pytest.fixture
def two_a_minute(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(CommandThrottle, "rate", "2/minute", raising=False)
    cache.clear()
    yield
    cache.clear()


@pytest.mark.usefixtures("two_a_minute")
def test_throttled_users_learn_when_to_retry_and_may_still_read(
    commands_url: str, api_client: Client, teammate: User, fleet: Fleet
) -> None:
    one = send(api_client, commands_url).json()
    assert api_client.post(f"{COMMANDS}{one['id']}/cancel/").status_code == 200
    answer = send(api_client, commands_url)
    assert error_of(answer) == (429, "throttled")
    assert 0 < int(answer.headers["Retry-After"]) <= 60
    assert api_client.get(COMMANDS).status_code == 200
    assert send(token_client(teammate, fleet), commands_url).status_code == 201
    assert Command.objects.count() == 2


@pytest.mark.usefixtures("two_a_minute")
def test_without_redis_each_process_counts_commands(commands_url: str, api_client: Client) -> None:
    unreachable = {"BACKEND": "core.cache.FallbackRedisCache", "LOCATION": "redis://127.0.0.1:1/7"}
    with override_settings(CACHES={"default": unreachable}):
        assert [send(api_client, commands_url, key="k-1").status_code for _ in range(4)] == [
            201,
            200,
            429,
            429,
        ]

"""The API of commands: asking once, following, listing, taking back."""

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
LEDGER = "/api/v1/commands/"
PLACE = {"latitude": 52.5163, "longitude": 13.3777}


def connected(vehicle: Vehicle) -> Connection:
    return Connection.objects.create(
        fleet=vehicle.fleet,
        vehicle=vehicle,
        smartcar_user_id="user-1",
        api_version="v3",
        mode="live",
        state=ConnectionState.ACTIVE,
    )


@pytest.fixture
def car(vehicle: Vehicle) -> str:
    """The address of a connected car's commands."""
    vehicle.powertrain = "BEV"
    vehicle.save()
    connected(vehicle)
    return f"/api/v1/vehicles/{vehicle.smartcar_id}/commands/"


def program_of(user: User, fleet: Fleet, *, may_command: bool = True) -> Client:
    """A client with a token of the user's, and no cookie."""
    member = Membership.objects.select_related("user", "fleet").get(user=user, fleet=fleet)
    secret = issue_token(membership=member, name="Test", may_command=may_command).secret
    return Client(headers={"Authorization": f"Bearer {secret}"})


def send(client: Client, address: str, body: Any = None, *, key: str = "") -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    content: Any = {"kind": "lock"} if body is None else body
    return client.post(address, content, content_type="application/json", headers=headers)


def code_of(answer: Any) -> tuple[int, str]:
    assert answer.headers["Content-Type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]


@pytest.fixture
def program(owner: User, fleet: Fleet) -> Client:
    return program_of(owner, fleet)


def test_a_command_is_written_down_and_its_address_told(car: str, program: Client, owner: User) -> None:
    answer = send(program, car, {"kind": "lock", "reason": "Left open"})
    assert answer.status_code == 201
    told = answer.json()
    row = Command.objects.get()
    assert answer.headers["Location"] == f"http://testserver{LEDGER}{row.pk}/"
    assert (told["id"], told["state"], told["open"], told["cancellable"]) == (row.pk, "requested", True, True)
    assert (told["requested_by"], told["reason"], told["generation"]) == (owner.email, "Left open", "v3")
    assert [change["state"] for change in told["changes"]] == ["requested"]
    assert program.get(answer.headers["Location"]).json() == told


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
def test_each_command_keeps_what_it_carries(
    car: str, program: Client, kind: str, parameters: dict[str, Any]
) -> None:
    answer = send(program, car, {"kind": kind, "parameters": parameters})
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
def test_what_is_not_understood_is_refused_and_not_written(car: str, program: Client, body: Any) -> None:
    answer = send(program, car, body, key="k-1")
    assert code_of(answer)[0] == 400
    assert not Command.objects.exists()


def test_a_body_that_is_not_json_is_refused(car: str, program: Client) -> None:
    answer = program.post(car, {"kind": "lock"})
    assert code_of(answer) == (415, "unsupported_media_type")


def test_the_same_key_and_body_bring_the_same_command(car: str, program: Client) -> None:
    first = send(program, car, {"kind": "unlock"}, key="k-1")
    Command.objects.update(state=CommandState.EXPIRED)
    again = send(program, car, {"kind": "unlock", "parameters": {}}, key="k-1")
    assert (first.status_code, again.status_code) == (201, 200)
    assert (again.json()["id"], again.json()["state"]) == (first.json()["id"], "expired")
    assert again.headers["Location"] == first.headers["Location"]
    assert Command.objects.count() == 1


@pytest.mark.parametrize("other", [{"kind": "lock", "reason": "x"}, {"kind": "stop_charge"}])
def test_the_same_key_for_another_command_is_refused(
    car: str, program: Client, other: dict[str, Any]
) -> None:
    send(program, car, key="k-1")
    assert code_of(send(program, car, other, key="k-1")) == (409, "key_reused")
    assert Command.objects.count() == 1


def test_the_same_key_for_another_car_is_refused(car: str, program: Client, fleet: Fleet) -> None:
    other = Vehicle.objects.create(fleet=fleet, smartcar_id="another", make="TESLA")
    connected(other)
    send(program, car, key="k-1")
    answer = send(program, "/api/v1/vehicles/another/commands/", key="k-1")
    assert code_of(answer) == (409, "key_reused")


def test_two_peoples_keys_do_not_meet(car: str, program: Client, teammate: User, fleet: Fleet) -> None:
    first = send(program, car, key="k-1").json()
    Command.objects.update(state=CommandState.CONFIRMED)
    second = send(program_of(teammate, fleet), car, key="k-1")
    assert second.status_code == 201
    assert second.json()["id"] != first["id"]


def test_an_unlock_needs_a_key(car: str, program: Client) -> None:
    answer = send(program, car, {"kind": "unlock"})
    assert code_of(answer)[0] == 400
    assert "Idempotency-Key" in answer.json()["errors"]
    assert not Command.objects.exists()


@pytest.mark.parametrize("key", ["", "two words", "a" * 81, "schlüssel"])
def test_an_odd_key_is_refused(car: str, program: Client, key: str) -> None:
    answer = program.post(
        car, {"kind": "lock"}, content_type="application/json", headers={"Idempotency-Key": key}
    )
    assert code_of(answer)[0] == 400


def test_a_second_command_while_one_is_on_its_way_is_refused(car: str, program: Client) -> None:
    send(program, car)
    answer = send(program, car, {"kind": "start_charge"})
    assert code_of(answer) == (409, "not_possible")
    assert "Another command is in progress for this vehicle" in answer.json()["detail"]


def test_a_car_without_a_connection_refuses_with_the_reason(vehicle: Vehicle, program: Client) -> None:
    answer = send(program, f"/api/v1/vehicles/{vehicle.smartcar_id}/commands/")
    assert code_of(answer) == (409, "not_possible")
    assert "no working connection" in answer.json()["detail"]


def test_a_fleet_that_asks_for_a_reason_gets_one(car: str, program: Client, fleet: Fleet) -> None:
    CommandPolicy.objects.create(fleet=fleet, reason_for=ReasonRequirement.EVERYTHING)
    answer = send(program, car)
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["reason"])
    assert send(program, car, {"kind": "lock", "reason": "Left open"}).status_code == 201


def test_a_command_may_wait_for_the_car_to_wake(car: str, program: Client) -> None:
    assert send(program, car, {"kind": "lock", "when_awake": True}).json()["state"] == "waiting"
    answer = send(program, car, {"kind": "lock", "when_awake": True})
    assert code_of(answer) == (409, "not_possible")


def test_a_browsers_unlock_needs_a_fresh_confirmation_and_a_programs_none(
    car: str, owner: User, program: Client, browser_of: BrowserOf
) -> None:
    browser = browser_of(owner)
    session = browser.session
    session["confirmed_at"] = 0
    session.save()
    answer = send(browser, car, {"kind": "unlock"}, key="k-1")
    assert code_of(answer) == (403, "confirmation_required")
    assert send(browser, car).status_code == 201
    Command.objects.update(state=CommandState.CONFIRMED)
    assert send(program, car, {"kind": "unlock"}, key="k-1").status_code == 201
    Command.objects.update(state=CommandState.CONFIRMED)
    assert send(browser_of(owner), car, {"kind": "unlock"}, key="k-2").status_code == 201


def test_a_browser_without_the_csrf_token_sends_nothing(car: str, owner: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(owner)
    assert send(browser, car).status_code == 403
    assert not Command.objects.exists()


def test_a_command_is_taken_back_once_and_for_all(car: str, program: Client) -> None:
    command = send(program, car).json()
    first, again = (program.post(f"{LEDGER}{command['id']}/cancel/") for _ in range(2))
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
def test_what_has_left_or_ended_is_not_taken_back(car: str, program: Client, state: CommandState) -> None:
    command = send(program, car).json()
    Command.objects.update(state=state)
    assert code_of(program.post(f"{LEDGER}{command['id']}/cancel/")) == (409, "too_late")
    assert Command.objects.get().state == state


@pytest.fixture
def ledger(car: str, vehicle: Vehicle, owner: User, fleet: Fleet) -> list[Command]:
    """Three commands, a day apart, the last one of a bulk command to another car."""
    other = Vehicle.objects.create(fleet=fleet, smartcar_id="another", make="TESLA", powertrain="BEV")
    connected(other)
    now = timezone.now()
    bulk = BulkCommand.objects.create(fleet=fleet, kind=CommandType.LOCK, requested_at=now, expires_at=now)
    made = [
        services.create_command(vehicle=vehicle, kind=CommandType.SET_DESTINATION, user=owner, data=PLACE),
        services.create_command(vehicle=other, kind=CommandType.UNLOCK, user=owner),
    ]
    Command.objects.update(state=CommandState.CONFIRMED)
    made.append(services.create_command(vehicle=other, kind=CommandType.LOCK, user=owner))
    for age, command in zip((2, 1, 0), made, strict=True):
        Command.objects.filter(pk=command.pk).update(requested_at=now - timedelta(days=age))
    Command.objects.filter(pk=made[2].pk).update(bulk=bulk)
    return made


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
def test_the_ledger_is_filtered(
    ledger: list[Command], program: Client, query: dict[str, Any], found: list[int]
) -> None:
    named = {
        "yesterday": (timezone.now() - timedelta(days=1, hours=1)).isoformat(),
        "its": str(BulkCommand.objects.get().pk),
    }
    asked = {name: named.get(value, value) for name, value in query.items()}
    answer = program.get(LEDGER, asked)
    assert [row["id"] for row in answer.json()["results"]] == [ledger[place].pk for place in found]


def test_a_cars_ledger_is_its_own(ledger: list[Command], car: str, program: Client) -> None:
    assert [row["id"] for row in program.get(car).json()["results"]] == [ledger[0].pk]
    assert program.get(car, {"state": "requested"}).json()["results"] == []


def test_a_misspelt_filter_is_refused(ledger: list[Command], car: str, program: Client) -> None:
    for address in (LEDGER, car):
        assert program.get(address, {"stat": "confirmed"}).status_code == 400
        assert program.get(address, {"state": "done"}).status_code == 400


def test_a_page_follows_the_other(ledger: list[Command], program: Client) -> None:
    first = program.get(LEDGER, {"page_size": 2}).json()
    assert [row["id"] for row in first["results"]] == [ledger[2].pk, ledger[1].pk]
    assert [row["id"] for row in program.get(first["next"]).json()["results"]] == [ledger[0].pk]


def test_a_viewer_reads_the_ledger_without_places(
    ledger: list[Command], program: Client, viewer: User, browser_of: BrowserOf
) -> None:
    one = f"{LEDGER}{ledger[0].pk}/"
    assert program.get(one).json()["parameters"] == PLACE
    seen = browser_of(viewer).get(one)
    assert seen.json()["parameters"] == {}
    assert str(PLACE["latitude"]) not in seen.content.decode()
    assert str(PLACE["latitude"]) not in browser_of(viewer).get(LEDGER).content.decode()


def test_a_manager_here_and_viewer_there_sees_the_places_of_here_only(
    ledger: list[Command], teammate: User, browser_of: BrowserOf, fleet: Fleet, owner: User
) -> None:
    green = create_fleet(name="Green", slug="green", owner=owner, api_version=SmartcarApiVersion.V3)
    add_member(fleet=green, user=teammate, role=Role.VIEWER, actor=None)
    there = Vehicle.objects.create(fleet=green, smartcar_id="there", make="TESLA")
    connected(there)
    services.create_command(vehicle=there, kind=CommandType.SET_DESTINATION, user=owner, data=PLACE)
    rows = browser_of(teammate).get(LEDGER, {"kind": "set_destination"}).json()["results"]
    assert [(row["fleet"], row["parameters"]) for row in rows] == [("green", {}), ("blue", PLACE)]


def test_a_car_in_two_fleets_is_asked_in_the_one_that_is_named(
    car: str, vehicle: Vehicle, owner: User, browser_of: BrowserOf
) -> None:
    green = create_fleet(name="Green", slug="green", owner=owner, api_version=SmartcarApiVersion.V3)
    Vehicle.objects.create(fleet=green, smartcar_id=vehicle.smartcar_id, make="TESLA")
    browser = browser_of(owner)
    assert code_of(send(browser, car)) == (409, "ambiguous")
    assert send(browser, f"{car}?fleet=blue").status_code == 201
    assert Command.objects.get().fleet.slug == "blue"


def test_a_refusal_is_told_with_its_type_code_and_words(ledger: list[Command], program: Client) -> None:
    Command.objects.filter(pk=ledger[0].pk).update(
        state=CommandState.REFUSED,
        error_type="VEHICLE_STATE",
        error_code="DOOR_OPEN",
        message_code="smartcar.vehicle_state.door_open",
        smartcar_message="A door is open.",
    )
    told = program.get(f"{LEDGER}{ledger[0].pk}/").json()
    assert told["error"] == {"type": "VEHICLE_STATE", "code": "DOOR_OPEN"}
    assert (told["message"], told["open"]) == ("A door is open.", False)
    assert told["message_code"] == "smartcar.vehicle_state.door_open"
    assert program.get(f"{LEDGER}{ledger[1].pk}/").json()["error"] is None


def test_a_hundred_commands_take_as_many_queries_as_three(
    ledger: list[Command], program: Client, django_assert_max_num_queries: Any
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
        for one in [ledger[0]] * 100
    )
    with django_assert_max_num_queries(6):
        assert len(program.get(LEDGER, {"page_size": 100}).json()["results"]) == 100


@pytest.fixture
def two_a_minute(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(CommandThrottle, "rate", "2/minute", raising=False)
    cache.clear()
    yield
    cache.clear()


@pytest.mark.usefixtures("two_a_minute")
def test_who_sends_too_often_is_told_when_to_go_on_and_may_still_read(
    car: str, program: Client, teammate: User, fleet: Fleet
) -> None:
    one = send(program, car).json()
    assert program.post(f"{LEDGER}{one['id']}/cancel/").status_code == 200
    answer = send(program, car)
    assert code_of(answer) == (429, "throttled")
    assert 0 < int(answer.headers["Retry-After"]) <= 60
    assert program.get(LEDGER).status_code == 200
    assert send(program_of(teammate, fleet), car).status_code == 201
    assert Command.objects.count() == 2


@pytest.mark.usefixtures("two_a_minute")
def test_without_redis_commands_are_taken_and_counted_by_each_process(car: str, program: Client) -> None:
    gone = {"BACKEND": "core.cache.FallbackRedisCache", "LOCATION": "redis://127.0.0.1:1/7"}
    with override_settings(CACHES={"default": gone}):
        assert [send(program, car, key="k-1").status_code for _ in range(4)] == [201, 200, 429, 429]

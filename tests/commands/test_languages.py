"""Commands in German and French: nothing that a member reads is left in English, and what is kept stays so."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.utils import timezone
from django.utils.translation import override

from accounts.models import Fleet, User
from commands import make_quirks, parameters, preconditions, services
from commands.bulk.services import BulkReview, too_many
from commands.messages import CommandMessage, message_columns
from commands.models import Command, CommandState
from commands.types import CommandType
from connect.models import Connection, ConnectionState
from smartcar_api.error_messages import ErrorMessage
from tests.commands.bulk.test_bulk import Cars, ask
from tests.commands.bulk.test_bulk import cars as cars
from tests.commands.test_preconditions import over, state_of
from tests.languages import ASKED, left_in_english, read
from vehicles import catalogue
from vehicles.models import LatestSignal, Vehicle

pytestmark = pytest.mark.django_db
BrowserOf = Callable[[User], Client]
translated = pytest.mark.parametrize("language", ["de", "fr"])
# Of these tests' own cars and people.
DATA = {
    "Van 1",
    "Blue Fleet",
    "owner@fleet.example",
    "Car 0000",
    "Car 0001",
    "Car 0002",
    "VIN",
    "50 %",
    "80 %",
}


@pytest.fixture
def member(owner: User, browser_of: BrowserOf) -> Client:
    return browser_of(owner)


def english_on(client: Client, path: str, language: str) -> set[str]:
    return left_in_english(read(client, path, language), read(client, path), language) - DATA


def written(vehicle: Vehicle, owner: User, **fields: Any) -> Command:
    now = timezone.now()
    about = {
        "kind": CommandType.LOCK,
        "api_version": "v3",
        "state": CommandState.FAILED,
        "requested_by": owner,
    }
    times = {"requested_at": now, "expires_at": now}
    return Command.objects.create(fleet=vehicle.fleet, vehicle=vehicle, **(about | times | fields))


def told(vehicle: Vehicle, signal: catalogue.Signal, **body: Any) -> None:
    now = timezone.now()
    LatestSignal.objects.create(
        vehicle=vehicle, code=signal.code, body=body, status="SUCCESS", observed_at=now, reported_at=now
    )


# Pages


@translated
@pytest.mark.parametrize("state", list(CommandState))
def test_the_panel(
    vehicle: Vehicle, connection: Connection, owner: User, member: Client, language: str, state: CommandState
) -> None:
    Vehicle.objects.update(powertrain="BEV", make="TESLA")
    canceled = CommandMessage.CANCELED.message(person="Dana")
    columns = message_columns(canceled) if state == CommandState.CANCELLED else {}
    written(
        vehicle,
        owner,
        state=state,
        **columns,
        kind=CommandType.SET_CHARGE_LIMIT,
        parameters={"percent": 80},
    )
    assert english_on(member, f"/fleets/blue/vehicles/{vehicle.smartcar_id}/commands/", language) == set()


@translated
def test_the_panel_of_a_car_that_contradicts_and_has_schedules(
    vehicle: Vehicle, connection: Connection, member: Client, language: str
) -> None:
    Connection.objects.update(state=ConnectionState.STALE)
    Vehicle.objects.update(powertrain="BEV", make="TESLA")
    for signal in (catalogue.IS_LOCKED, catalogue.IS_CHARGING, catalogue.CHARGE_PORT_OPEN):
        told(vehicle, signal, value=True)
    told(vehicle, catalogue.CABLE_CONNECTED, value=False)
    window = {"startTime": "22:00", "endTime": "06:00"}
    days = [[], ["MONDAY", "FRIDAY"], ["MONDAY", "TUESDAY", "WEDNESDAY"]]
    entries = [
        {"type": "LOCATION", "scheduleId": str(number), "schedules": [window | {"days": each}]}
        for number, each in enumerate(days)
    ]
    told(vehicle, catalogue.CHARGE_TIMERS, values=entries)
    path = f"/fleets/blue/vehicles/{vehicle.smartcar_id}/commands/"
    assert english_on(member, path, language) == set()
    days_in = {
        "de": ("Montag bis Mittwoch", "Montag, Freitag"),
        "fr": ("Lundi à Mercredi", "Lundi, Vendredi"),
    }
    page = read(member, path, language)
    assert all(words in page for words in days_in[language])


@translated
def test_the_panel_of_a_car_that_cannot_be_asked(
    vehicle: Vehicle,
    connection: Connection,
    owner: User,
    member: Client,
    browser_of: BrowserOf,
    language: str,
) -> None:
    path = f"/fleets/blue/vehicles/{vehicle.smartcar_id}/commands/"
    Connection.objects.update(scopes=["read_battery"])
    assert english_on(member, path, language) == set()
    Connection.objects.update(state=ConnectionState.REMOVED)
    written(vehicle, owner, state=CommandState.REFUSED, error_type="VEHICLE_STATE", error_code="ASLEEP")
    assert english_on(member, path, language) == set()


@translated
def test_the_questions_before_a_command(
    vehicle: Vehicle, connection: Connection, member: Client, language: str
) -> None:
    pages = [
        member.post(
            f"/fleets/blue/vehicles/{vehicle.smartcar_id}/commands/unlock/",
            {},
            headers={"accept-language": ASKED[each]},
        ).content.decode()
        for each in (language, "en")
    ]
    assert left_in_english(pages[0], pages[1], language) - DATA == set()


@translated
@pytest.mark.parametrize("path", ["", "?state=failed", "policy/", "bulk/"])
def test_pages_without_a_command(fleet: Fleet, member: Client, language: str, path: str) -> None:
    assert english_on(member, f"/fleets/blue/commands/{path}", language) == set()


@translated
def test_the_ledger_and_bulk_commands(
    fleet: Fleet, owner: User, member: Client, cars: Cars, language: str
) -> None:
    bulk = ask(fleet, owner, cars(3))
    for number, command in enumerate(Command.objects.order_by("pk")):
        Command.objects.filter(pk=command.pk).update(
            state=(CommandState.QUEUED, CommandState.UNKNOWN, CommandState.REFUSED)[number],
            message_code=("", CommandMessage.PENDING_LOCK, "")[number],
        )
    for path in ("", "bulk/", f"bulk/{bulk.pk}/", f"bulk/{bulk.pk}/?group=unknown"):
        assert english_on(member, f"/fleets/blue/commands/{path}", language) == set(), path


@translated
@pytest.mark.parametrize("kind", [CommandType.UNLOCK, CommandType.SET_CHARGE_LIMIT])
def test_the_review(
    fleet: Fleet, member: Client, cars: Cars, settings: Any, language: str, kind: CommandType
) -> None:
    chosen = [*cars(2), *cars(1, state=ConnectionState.REMOVED)]
    form = {"kind": kind, "percent": "80", "car": [car.smartcar_id for car in chosen]}
    for at_once in (50, 1):
        settings.BULK_COMMAND_CONCURRENCY = at_once
        pages = [
            member.post("/fleets/blue/commands/bulk/", form, headers={"accept-language": ASKED[each]})
            for each in (language, "en")
        ]
        words, english = (page.content.decode() for page in pages)
        assert left_in_english(words, english, language) - DATA == set()


@translated
def test_what_a_deed_came_to(fleet: Fleet, owner: User, member: Client, cars: Cars, language: str) -> None:
    vehicle = cars(1)[0]
    command = written(vehicle, owner)
    bulk = ask(fleet, owner, cars(1))
    deeds: list[tuple[str, Mapping[str, str]]] = [
        ("commands/policy/", {"reason_for": "unlock"}),
        (f"commands/bulk/{bulk.pk}/cancel/", {}),
        ("commands/bulk/", {"kind": "lock"}),
        (f"vehicles/{vehicle.smartcar_id}/commands/set_charge_limit/", {"percent": "3"}),
        (f"vehicles/{vehicle.smartcar_id}/commands/{command.pk}/cancel/", {}),
        (f"vehicles/{vehicle.smartcar_id}/commands/{command.pk}/when-online/", {}),
    ]
    for path, form in deeds:
        said = []
        for each in (language, "en"):
            answer = member.post(f"/fleets/blue/{path}", form, headers={"accept-language": ASKED[each]})
            said.append({str(message) for message in get_messages(answer.wsgi_request)})
            member.get("/fleets/blue/commands/policy/")
        assert said[0] and said[1], path
        assert said[0].isdisjoint(said[1]), path


# What is said


@translated
def test_every_refusal_and_hint(language: str) -> None:
    contradicted = state_of(IS_LOCKED=True, IS_CHARGING=True, CHARGE_PORT_OPEN=True, CABLE_CONNECTED=False)
    opposite = state_of(IS_LOCKED=False, IS_CHARGING=False, CHARGE_PORT_OPEN=False, CABLE_CONNECTED=True)
    cases: list[dict[str, Any]] = [
        {"state": state, "connection": connection, "incapable": incapable}
        for state in (contradicted, opposite, state_of("ICE"))
        for connection in (over(), over("v2"), over(scopes=["read_battery"]))
        for incapable in ([], list(CommandType))
    ]
    for make, rule in make_quirks._RULES:
        known = state_of(STATE_OF_CHARGE=10)
        known.vehicle.make = make
        unknown = state_of()
        unknown.vehicle.make = make
        cases += [{"state": known, "connection": over(), "only": rule}]
        cases += [{"state": unknown, "connection": over(), "only": rule}]
    for case in cases:
        only = case.pop("only", None)
        for kind in [only] if only else CommandType:
            english = preconditions.check(kind=kind, **case)
            with override(language):
                said = preconditions.check(kind=kind, **case)
            assert bool(said.refusal) == bool(english.refusal)
            assert not said.refusal or said.refusal != english.refusal
            assert not said.hint or said.hint != english.hint


@translated
@pytest.mark.parametrize(
    ("kind", "given"),
    [
        (CommandType.SET_CHARGE_LIMIT, {}),
        (CommandType.SET_DESTINATION, {}),
        (CommandType.SET_DESTINATION, {"latitude": "1"}),
        (CommandType.SET_CHARGE_SCHEDULE, {}),
        (CommandType.SET_CHARGE_SCHEDULE, {"type": "daily"}),
        (CommandType.SET_CHARGE_SCHEDULE, {"type": "daily", "windows": {"monday": []}}),
        (CommandType.SET_CHARGE_SCHEDULE, {"type": "workweek", "weekdays_start": "22:00"}),
        (CommandType.DELETE_CHARGE_SCHEDULE, {}),
    ],
)
def test_what_is_wrong_with_parameters(language: str, kind: CommandType, given: Mapping[str, object]) -> None:
    said = []
    for each in ("en", language):
        with override(each), pytest.raises(parameters.InvalidParametersError) as caught:
            parameters.parse(kind, given)
        said.append(str(caught.value))
    assert said[0] != said[1]


@translated
def test_a_command_stores_a_code_that_is_worded_in_the_readers_language(
    vehicle: Vehicle, owner: User, language: str
) -> None:
    command = written(vehicle, owner, state=CommandState.REQUESTED)
    with override(language):
        services.cancel_command(command=command, user=owner)
        command.refresh_from_db()
        worded = command.message
    assert (command.message_code, command.message_params) == ("command.canceled", {"person": str(owner)})
    event = command.changes.get()
    assert (event.message_code, event.message_params) == (command.message_code, command.message_params)
    assert "owner@fleet.example" in worded
    assert worded not in ("Canceled by owner@fleet.example.", command.message)


@translated
@pytest.mark.parametrize("message", list(CommandMessage), ids=lambda message: message.value)
def test_every_message_is_worded_in_every_language(message: CommandMessage, language: str) -> None:
    pending, error = CommandMessage.PENDING_LOCK.message(), ErrorMessage.VEHICLE_STATE_DOOR_OPEN.message()
    params = {"person": "Dana", "pending": pending, "error": error}
    recorded = message.message(
        **{name: each for name, each in params.items() if f"%({name})s" in message.label}
    )
    english = str(recorded)
    with override(language):
        translation = str(recorded)
    assert translation != english
    for text in (translation, english):
        assert "%" not in text and "…" not in text
    if message in (CommandMessage.INTERRUPTED, CommandMessage.NO_CLEAR_ANSWER, CommandMessage.ANSWER_LOST):
        assert english.endswith(str(pending))
        with override(language):
            assert translation.endswith(str(pending))


def test_smartcars_message_takes_the_place_of_ours_about_the_error(vehicle: Vehicle, owner: User) -> None:
    door, pending = ErrorMessage.VEHICLE_STATE_DOOR_OPEN.message(), CommandMessage.PENDING_LOCK.message()
    lost = CommandMessage.ANSWER_LOST.message(error=door, pending=pending)
    refused = written(vehicle, owner, **message_columns(door, "A door is open."))
    ambiguous = written(vehicle, owner, **message_columns(lost, "A door is open."))
    assert refused.message == "A door is open."
    assert "A door is open." in ambiguous.message
    assert str(door) not in ambiguous.message
    assert ambiguous.message.endswith(str(pending))


@translated
def test_too_many_cars(fleet: Fleet, cars: Cars, language: str) -> None:
    for kind in (CommandType.LOCK, CommandType.UNLOCK):
        found = BulkReview(kind=kind, params={}, candidates=[], estimate=None, most=1)  # type: ignore[arg-type]
        with override(language):
            said = too_many(found)
        assert said != too_many(found)


# Programs


def test_the_api_answers_in_english_whatever_is_asked_for(
    vehicle: Vehicle, connection: Connection, owner: User, member: Client
) -> None:
    written(vehicle, owner, message_code=CommandMessage.PENDING_LOCK)
    asking_for = {"accept-language": ASKED["de"]}
    listed = member.get("/api/v1/commands/", headers=asking_for).json()["results"][0]
    assert (listed["title"], listed["state_in_words"]) == ("Lock", "Failed")
    assert listed["message"] == str(CommandMessage.PENDING_LOCK.label)
    assert listed["message_code"] == "command.pending.lock"
    refused = member.post(
        f"/api/v1/vehicles/{vehicle.smartcar_id}/commands/",
        {"kind": "set_charge_limit", "parameters": {"percent": 3}},
        content_type="application/json",
        headers=asking_for,
    )
    assert "A charge limit must be a whole number from" in refused.content.decode()

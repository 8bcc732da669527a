"""Commands in German and French: nothing that members read is left in English, and stored codes don't change."""

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
from tests.commands.bulk.test_bulk import CreateVehicles, create_bulk_command
from tests.commands.bulk.test_bulk import create_vehicles as create_vehicles
from tests.commands.test_preconditions import make_connection, vehicle_state
from tests.languages import ACCEPT_LANGUAGE, read, untranslated_texts
from vehicles import catalogue
from vehicles.models import LatestSignal, Vehicle

pytestmark = pytest.mark.django_db
BrowserOf = Callable[[User], Client]
translated = pytest.mark.parametrize("language", ["de", "fr"])
# Data of these tests.
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


def untranslated_on(client: Client, path: str, language: str) -> set[str]:
    return untranslated_texts(read(client, path, language), read(client, path), language) - DATA


def create_command(vehicle: Vehicle, owner: User, **fields: Any) -> Command:
    now = timezone.now()
    defaults = {
        "kind": CommandType.LOCK,
        "api_version": "v3",
        "state": CommandState.FAILED,
        "requested_by": owner,
    }
    times = {"requested_at": now, "expires_at": now}
    return Command.objects.create(fleet=vehicle.fleet, vehicle=vehicle, **(defaults | times | fields))


def store_signal(vehicle: Vehicle, signal: catalogue.Signal, **body: Any) -> None:
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
    create_command(
        vehicle,
        owner,
        state=state,
        **columns,
        kind=CommandType.SET_CHARGE_LIMIT,
        parameters={"percent": 80},
    )
    assert (
        untranslated_on(member, f"/fleets/blue/vehicles/{vehicle.smartcar_id}/commands/", language) == set()
    )


@translated
def test_the_panel_with_hints_and_schedules(
    vehicle: Vehicle, connection: Connection, member: Client, language: str
) -> None:
    Connection.objects.update(state=ConnectionState.STALE)
    Vehicle.objects.update(powertrain="BEV", make="TESLA")
    for signal in (catalogue.IS_LOCKED, catalogue.IS_CHARGING, catalogue.CHARGE_PORT_OPEN):
        store_signal(vehicle, signal, value=True)
    store_signal(vehicle, catalogue.CABLE_CONNECTED, value=False)
    window = {"startTime": "22:00", "endTime": "06:00"}
    days = [[], ["MONDAY", "FRIDAY"], ["MONDAY", "TUESDAY", "WEDNESDAY"]]
    entries = [
        {"type": "LOCATION", "scheduleId": str(number), "schedules": [window | {"days": each}]}
        for number, each in enumerate(days)
    ]
    store_signal(vehicle, catalogue.CHARGE_TIMERS, values=entries)
    path = f"/fleets/blue/vehicles/{vehicle.smartcar_id}/commands/"
    assert untranslated_on(member, path, language) == set()
    days_in = {
        "de": ("Montag bis Mittwoch", "Montag, Freitag"),
        "fr": ("Lundi à Mercredi", "Lundi, Vendredi"),
    }
    page = read(member, path, language)
    assert all(words in page for words in days_in[language])


@translated
def test_the_panel_of_a_vehicle_without_permission_or_connection(
    vehicle: Vehicle,
    connection: Connection,
    owner: User,
    member: Client,
    browser_of: BrowserOf,
    language: str,
) -> None:
    path = f"/fleets/blue/vehicles/{vehicle.smartcar_id}/commands/"
    Connection.objects.update(scopes=["read_battery"])
    assert untranslated_on(member, path, language) == set()
    Connection.objects.update(state=ConnectionState.REMOVED)
    create_command(
        vehicle, owner, state=CommandState.REFUSED, error_type="VEHICLE_STATE", error_code="ASLEEP"
    )
    assert untranslated_on(member, path, language) == set()


@translated
def test_the_confirmation_dialog(
    vehicle: Vehicle, connection: Connection, member: Client, language: str
) -> None:
    pages = [
        member.post(
            f"/fleets/blue/vehicles/{vehicle.smartcar_id}/commands/unlock/",
            {},
            headers={"accept-language": ACCEPT_LANGUAGE[each]},
        ).content.decode()
        for each in (language, "en")
    ]
    assert untranslated_texts(pages[0], pages[1], language) - DATA == set()


@translated
@pytest.mark.parametrize("path", ["", "?state=failed", "policy/", "bulk/"])
def test_pages_without_commands(fleet: Fleet, member: Client, language: str, path: str) -> None:
    assert untranslated_on(member, f"/fleets/blue/commands/{path}", language) == set()


@translated
def test_the_history_and_bulk_commands(
    fleet: Fleet, owner: User, member: Client, create_vehicles: CreateVehicles, language: str
) -> None:
    bulk = create_bulk_command(fleet, owner, create_vehicles(3))
    for number, command in enumerate(Command.objects.order_by("pk")):
        Command.objects.filter(pk=command.pk).update(
            state=(CommandState.QUEUED, CommandState.UNKNOWN, CommandState.REFUSED)[number],
            message_code=("", CommandMessage.PENDING_LOCK, "")[number],
        )
    for path in ("", "bulk/", f"bulk/{bulk.pk}/", f"bulk/{bulk.pk}/?group=unknown"):
        assert untranslated_on(member, f"/fleets/blue/commands/{path}", language) == set(), path


@translated
@pytest.mark.parametrize("kind", [CommandType.UNLOCK, CommandType.SET_CHARGE_LIMIT])
def test_the_review(
    fleet: Fleet,
    member: Client,
    create_vehicles: CreateVehicles,
    settings: Any,
    language: str,
    kind: CommandType,
) -> None:
    chosen = [*create_vehicles(2), *create_vehicles(1, state=ConnectionState.REMOVED)]
    form = {"kind": kind, "percent": "80", "car": [vehicle.smartcar_id for vehicle in chosen]}
    for concurrency in (50, 1):
        settings.BULK_COMMAND_CONCURRENCY = concurrency
        pages = [
            member.post(
                "/fleets/blue/commands/bulk/", form, headers={"accept-language": ACCEPT_LANGUAGE[each]}
            )
            for each in (language, "en")
        ]
        text, english = (page.content.decode() for page in pages)
        assert untranslated_texts(text, english, language) - DATA == set()


@translated
def test_messages_after_actions(
    fleet: Fleet, owner: User, member: Client, create_vehicles: CreateVehicles, language: str
) -> None:
    vehicle = create_vehicles(1)[0]
    command = create_command(vehicle, owner)
    bulk = create_bulk_command(fleet, owner, create_vehicles(1))
    actions: list[tuple[str, Mapping[str, str]]] = [
        ("commands/policy/", {"reason_for": "unlock"}),
        (f"commands/bulk/{bulk.pk}/cancel/", {}),
        ("commands/bulk/", {"kind": "lock"}),
        (f"vehicles/{vehicle.smartcar_id}/commands/set_charge_limit/", {"percent": "3"}),
        (f"vehicles/{vehicle.smartcar_id}/commands/{command.pk}/cancel/", {}),
        (f"vehicles/{vehicle.smartcar_id}/commands/{command.pk}/when-online/", {}),
    ]
    for path, form in actions:
        messages = []
        for each in (language, "en"):
            answer = member.post(
                f"/fleets/blue/{path}", form, headers={"accept-language": ACCEPT_LANGUAGE[each]}
            )
            messages.append({str(message) for message in get_messages(answer.wsgi_request)})
            member.get("/fleets/blue/commands/policy/")
        assert messages[0] and messages[1], path
        assert messages[0].isdisjoint(messages[1]), path


# Messages


@translated
def test_every_rejection_and_hint(language: str) -> None:
    contradicted = vehicle_state(
        IS_LOCKED=True, IS_CHARGING=True, CHARGE_PORT_OPEN=True, CABLE_CONNECTED=False
    )
    opposite = vehicle_state(IS_LOCKED=False, IS_CHARGING=False, CHARGE_PORT_OPEN=False, CABLE_CONNECTED=True)
    cases: list[dict[str, Any]] = [
        {"state": state, "connection": connection, "incapable": incapable}
        for state in (contradicted, opposite, vehicle_state("ICE"))
        for connection in (make_connection(), make_connection("v2"), make_connection(scopes=["read_battery"]))
        for incapable in ([], list(CommandType))
    ]
    for make, rule in make_quirks._RULES:
        known = vehicle_state(STATE_OF_CHARGE=10)
        known.vehicle.make = make
        unknown = vehicle_state()
        unknown.vehicle.make = make
        cases += [{"state": known, "connection": make_connection(), "only": rule}]
        cases += [{"state": unknown, "connection": make_connection(), "only": rule}]
    for case in cases:
        only = case.pop("only", None)
        for kind in [only] if only else CommandType:
            english = preconditions.check(kind=kind, **case)
            with override(language):
                translation = preconditions.check(kind=kind, **case)
            assert bool(translation.refusal) == bool(english.refusal)
            assert not translation.refusal or translation.refusal != english.refusal
            assert not translation.hint or translation.hint != english.hint


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
def test_errors_about_parameters(language: str, kind: CommandType, given: Mapping[str, object]) -> None:
    messages = []
    for each in ("en", language):
        with override(each), pytest.raises(parameters.InvalidParametersError) as caught:
            parameters.parse(kind, given)
        messages.append(str(caught.value))
    assert messages[0] != messages[1]


@translated
def test_a_stored_code_is_rendered_in_the_readers_language(
    vehicle: Vehicle, owner: User, language: str
) -> None:
    command = create_command(vehicle, owner, state=CommandState.REQUESTED)
    with override(language):
        services.cancel_command(command=command, user=owner)
        command.refresh_from_db()
        translation = command.message
    assert (command.message_code, command.message_params) == ("command.canceled", {"person": str(owner)})
    event = command.changes.get()
    assert (event.message_code, event.message_params) == (command.message_code, command.message_params)
    assert "owner@fleet.example" in translation
    assert translation not in ("Canceled by owner@fleet.example.", command.message)


@translated
@pytest.mark.parametrize("message", list(CommandMessage), ids=lambda message: message.value)
def test_every_message_is_translated(message: CommandMessage, language: str) -> None:
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


def test_smartcars_message_stands_beside_ours_about_the_error(vehicle: Vehicle, owner: User) -> None:
    door, pending = ErrorMessage.VEHICLE_STATE_DOOR_OPEN.message(), CommandMessage.PENDING_LOCK.message()
    lost = CommandMessage.ANSWER_LOST.message(error=door, pending=pending)
    rejected = create_command(vehicle, owner, **message_columns(door, "A door is open."))
    ambiguous = create_command(vehicle, owner, **message_columns(lost, "A door is open."))
    assert rejected.message == str(door)
    assert str(door) in ambiguous.message
    assert ambiguous.message.endswith(str(pending))
    assert rejected.smartcar_message == ambiguous.smartcar_message == "A door is open."


@translated
def test_too_many_vehicles(fleet: Fleet, create_vehicles: CreateVehicles, language: str) -> None:
    for kind in (CommandType.LOCK, CommandType.UNLOCK):
        review = BulkReview(kind=kind, params={}, candidates=[], estimate=None, most=1)  # type: ignore[arg-type]
        with override(language):
            translation = too_many(review)
        assert translation != too_many(review)


# The API


def test_the_api_responds_in_english_for_any_requested_language(
    vehicle: Vehicle, connection: Connection, owner: User, member: Client
) -> None:
    create_command(vehicle, owner, message_code=CommandMessage.PENDING_LOCK)
    headers = {"accept-language": ACCEPT_LANGUAGE["de"]}
    listed = member.get("/api/v1/commands/", headers=headers).json()["results"][0]
    assert (listed["title"], listed["state_in_words"]) == ("Lock", "Failed")
    assert listed["message"] == str(CommandMessage.PENDING_LOCK.label)
    assert listed["message_code"] == "command.pending.lock"
    rejected = member.post(
        f"/api/v1/vehicles/{vehicle.smartcar_id}/commands/",
        {"kind": "set_charge_limit", "parameters": {"percent": 3}},
        content_type="application/json",
        headers=headers,
    )
    assert "A charge limit must be a whole number from" in rejected.content.decode()

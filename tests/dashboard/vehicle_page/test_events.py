"""The events tab: the timeline's content and permissions, and pagination without lost or repeated events."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.audit import AuditEvent, AuditObject, log_event
from accounts.models import AuditLogEntry, Fleet, User
from accounts.services import create_fleet
from commands.models import Command
from commands.models import CommandState as CommandState
from connect.messages import StateReason
from connect.models import Connection, ConnectionState, Transition
from connect.status.states import TERMINATED
from core.message_codes import CommonMessage
from dashboard.vehicle_page.events import SIZE
from dashboard.vehicle_page.timeline import TimelinePosition
from vehicles import catalogue
from vehicles.models import Vehicle
from webhooks.messages import DeliveryNote
from webhooks.models import EntryState, InboxEntry, VehicleError
from webhooks.webhook_log.visibility import LogScope, entries_for_vehicle

pytestmark = pytest.mark.django_db
BrowserOf = Callable[[User], Client]
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
NOON = datetime.fromisoformat("2026-11-20T12:00:00+00:00")
QUERIES = 20


@pytest.fixture
def connection(vehicle: Vehicle) -> Connection:
    """Connected ten days before NOON."""
    connection = Connection.objects.create(
        fleet=vehicle.fleet,
        vehicle=vehicle,
        smartcar_user_id="user",
        api_version="v3",
        mode="live",
        state=ConnectionState.ACTIVE,
    )
    Connection.objects.update(created_at=NOON - 10 * DAY)
    connection.refresh_from_db()
    return connection


def create_deliveries(
    vehicle: Vehicle, *times: datetime, state: str = EntryState.PROCESSED
) -> list[InboxEntry]:
    return [
        InboxEntry.objects.create(
            received_at=at,
            body=b'{"latitude": 52.5}',
            state=state,
            event_type="VEHICLE_STATE",
            smartcar_vehicle_id=vehicle.smartcar_id,
            note_code=DeliveryNote.UNKNOWN_VEHICLE if state == EntryState.QUARANTINED else "",
        )
        for at in times
    ]


def create_error(vehicle: Vehicle, at: datetime, **fields: Any) -> VehicleError:
    defaults = {
        "type": "UPSTREAM",
        "code": "RATE",
        "signals": [catalogue.ODOMETER.code],
        "state": "ERROR",
        "description": "The maker is down.",
        "event_ids": ["e1", "e2"],
    }
    return VehicleError.objects.create(
        vehicle=vehicle, first_at=at, last_at=at + MINUTE, **(defaults | fields)
    )


def create_command(vehicle: Vehicle, at: datetime, by: User, **fields: Any) -> Command:
    defaults = {
        "kind": "lock",
        "state": CommandState.CONFIRMED,
        "reason": "Left in the street",
        "api_version": "v3",
    }
    command = Command.objects.create(
        fleet=vehicle.fleet,
        vehicle=vehicle,
        requested_by=by,
        requested_at=at,
        expires_at=at + HOUR,
        **(defaults | fields),
    )
    command.log_transition(to=CommandState.REQUESTED, now=at)
    command.log_transition(
        to=CommandState.CONFIRMED,
        now=at + MINUTE,
        message=CommonMessage.TEXT.message(text="The car says so."),
    )
    return command


def create_transition(connection: Connection, at: datetime) -> Transition:
    return Transition.objects.create(
        connection=connection,
        from_state=ConnectionState.ACTIVE,
        to_state=ConnectionState.STALE,
        reason_code=StateReason.NO_DATA,
        at=at,
    )


def log_action(
    vehicle: Vehicle, at: datetime, actor: User | None, event: AuditEvent, **data: Any
) -> AuditLogEntry:
    about = (AuditObject.VEHICLE, vehicle.smartcar_id)
    entry = log_event(fleet=vehicle.fleet, actor=actor, event=event, about=about, data=data)
    AuditLogEntry.objects.filter(pk=entry.pk).update(at=at)
    return entry


@pytest.fixture
def vehicle_with_events(vehicle: Vehicle, connection: Connection, owner: User) -> Vehicle:
    """A vehicle with one event of each kind, all within an hour and a half."""
    create_deliveries(vehicle, *(NOON + turn * MINUTE for turn in range(42)))
    create_deliveries(vehicle, NOON + 50 * MINUTE, state=EntryState.QUARANTINED)
    create_error(vehicle, NOON + 10 * MINUTE)
    create_command(vehicle, NOON + 20 * MINUTE, owner)
    create_transition(connection, NOON + 30 * MINUTE)
    log_action(
        vehicle, NOON + 40 * MINUTE, owner, AuditEvent.VEHICLE_DETAILS_CHANGED, fields=["name", "plate"]
    )
    return vehicle


def address(vehicle: Vehicle) -> str:
    return f"/fleets/blue/vehicles/{vehicle.smartcar_id}/events/"


def shown_events(browser: Client, vehicle: Vehicle, **query: Any) -> list[Any]:
    answer = browser.get(address(vehicle), query)
    assert answer.status_code == 200
    return [event for _day, events in answer.context["days"] for event in events]


def test_all_events_are_in_one_timeline_newest_first(
    owner: User, vehicle_with_events: Vehicle, browser_of: BrowserOf
) -> None:
    events = shown_events(browser_of(owner), vehicle_with_events)
    assert [event.kind for event in events] == [
        "delivery",
        "settings",
        "connection",
        "command",
        "error",
        "delivery",
    ]
    assert events[-1].title == "42 deliveries between 12:00 and 13:00"
    page = browser_of(owner).get(address(vehicle_with_events)).content.decode()
    for words in (
        "Vehicle state",
        "Quarantined",
        "The vehicle isn&#x27;t connected to this site.",
        "Vehicle details changed",
        "Name, Plate",
        "Connected → No recent data",
        "No data from the vehicle for much longer than usual",
        "Left in the street",
        "By owner@fleet.example",
        "Confirmed. The car says so.",
        "Odometer",
        "The maker is down.",
        "Reported 2 times",
        "Friday, 20 November 2026",
    ):
        assert words in page, words


def test_times_are_in_the_fleets_zone(
    owner: User, vehicle_with_events: Vehicle, browser_of: BrowserOf
) -> None:
    Fleet.objects.update(time_zone="Asia/Kathmandu")
    events = shown_events(browser_of(owner), vehicle_with_events)
    assert events[-1].title == "42 deliveries between 17:45 and 18:45"


def test_a_repeated_hour_counts_as_two(
    owner: User, vehicle: Vehicle, connection: Connection, browser_of: BrowserOf
) -> None:
    Fleet.objects.update(time_zone="Europe/Berlin")
    Connection.objects.update(created_at=NOON - 60 * DAY)
    first = datetime.fromisoformat("2026-10-25T00:10:00+00:00")
    create_deliveries(vehicle, first, first + HOUR, first + HOUR)
    titles = [event.title for event in shown_events(browser_of(owner), vehicle, kind="delivery")]
    assert titles == ["2 deliveries between 02:00 and 03:00", "1 delivery between 02:00 and 02:00"]


def test_events_are_filtered_by_kind(
    owner: User, vehicle_with_events: Vehicle, browser_of: BrowserOf
) -> None:
    browser = browser_of(owner)
    kinds = [event.kind for event in shown_events(browser, vehicle_with_events, kind=["command", "error"])]
    assert kinds == ["command", "error"]
    assert (
        "No matching events"
        in browser.get(
            address(vehicle_with_events).replace(
                vehicle_with_events.smartcar_id,
                Vehicle.objects.create(fleet=vehicle_with_events.fleet, smartcar_id="other").smartcar_id,
            ),
            {"kind": "command"},
        ).content.decode()
    )


def test_each_event_links_to_its_details(
    owner: User, vehicle_with_events: Vehicle, browser_of: BrowserOf
) -> None:
    browser = browser_of(owner)
    links = [event.url for event in shown_events(browser, vehicle_with_events) if event.url]
    assert len(links) == 3
    for link in links:
        assert browser.get(link).status_code == 200
    hour = next(link for link in links if "before" in link)
    assert len(browser.get(hour).context["page"].rows) == 42


@pytest.mark.parametrize(
    ("person", "kinds"),
    [
        ("owner", {"delivery", "error", "command", "connection", "settings"}),
        ("teammate", {"delivery", "error", "command", "connection", "settings"}),
        ("viewer", {"error", "command", "connection"}),
    ],
)
def test_visible_kinds_by_role(
    request: pytest.FixtureRequest,
    vehicle_with_events: Vehicle,
    browser_of: BrowserOf,
    person: str,
    kinds: set[str],
) -> None:
    browser = browser_of(request.getfixturevalue(person))
    assert {event.kind for event in shown_events(browser, vehicle_with_events)} == kinds
    # Requesting kinds without permission returns nothing of them.
    assert {
        event.kind for event in shown_events(browser, vehicle_with_events, kind=["delivery", "settings"])
    } <= kinds
    if person == "viewer":
        assert not [event for event in shown_events(browser, vehicle_with_events) if event.url]


@pytest.mark.parametrize(("person", "status"), [("driver", 403), ("outsider", 404)])
def test_users_without_access(
    request: pytest.FixtureRequest,
    vehicle_with_events: Vehicle,
    browser_of: BrowserOf,
    person: str,
    status: int,
) -> None:
    browser = browser_of(request.getfixturevalue(person))
    assert browser.get(address(vehicle_with_events)).status_code == status
    assert Client().get(address(vehicle_with_events)).status_code == 302


def test_locations_and_drivers_settings_are_not_shown(
    owner: User, vehicle: Vehicle, connection: Connection, browser_of: BrowserOf
) -> None:
    create_deliveries(vehicle, NOON)
    log_action(vehicle, NOON, None, AuditEvent.DRIVER_LOCATION_HIDDEN)
    create_command(
        vehicle, NOON, owner, kind="set_destination", parameters={"latitude": 52.5, "longitude": 13.4}
    )
    page = browser_of(owner).get(address(vehicle)).content.decode()
    assert "Destination" in page
    assert "52.5" not in page
    assert "hid the place" not in page


def test_commands_are_not_listed_twice(
    owner: User, vehicle: Vehicle, connection: Connection, browser_of: BrowserOf
) -> None:
    log_action(vehicle, NOON, owner, AuditEvent.COMMAND_REQUESTED)
    log_action(vehicle, NOON, owner, AuditEvent.COMMAND_CANCELED)
    log_action(vehicle, NOON, owner, AuditEvent.VEHICLE_ERASURE_REQUESTED, scope="everything")
    titles = [event.title for event in shown_events(browser_of(owner), vehicle)]
    assert titles == ["Deletion of vehicle data requested"]


def test_other_vehicles_and_other_fleets_of_the_same_vehicle_are_excluded(
    owner: User, outsider: User, vehicle: Vehicle, connection: Connection, browser_of: BrowserOf
) -> None:
    red = Fleet.objects.get(slug="red")
    same = Vehicle.objects.create(fleet=red, smartcar_id=vehicle.smartcar_id)
    other = Vehicle.objects.create(fleet=vehicle.fleet, smartcar_id=f"{vehicle.smartcar_id}0")
    for each in (same, other):
        create_error(each, NOON)
        create_command(each, NOON, outsider)
        log_action(each, NOON, outsider, AuditEvent.VEHICLE_DETAILS_CHANGED)
    create_deliveries(other, NOON)
    create_deliveries(vehicle, NOON - 11 * DAY)  # before this fleet's connection existed
    assert shown_events(browser_of(owner), vehicle) == []


@given(
    periods=st.lists(
        st.tuples(
            st.integers(0, 20), st.sampled_from([ConnectionState.ACTIVE, *TERMINATED]), st.integers(0, 20)
        ),
        max_size=3,
    ),
    reconnects=st.lists(st.integers(0, 20), max_size=2),
    deliveries=st.lists(st.integers(0, 20), min_size=1, max_size=8),
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_deliveries_of_a_vehicle_match_the_webhook_log(
    owner: User, periods: list[tuple[int, str, int]], reconnects: list[int], deliveries: list[int]
) -> None:
    fleet = create_fleet(name="F", slug=f"f-{Fleet.objects.count()}", owner=owner, api_version="v3")
    vehicle = Vehicle.objects.create(fleet=fleet, smartcar_id=f"car-{Vehicle.objects.count()}")
    for number, (start, state, since) in enumerate(periods):
        connection = Connection.objects.create(
            fleet=fleet,
            vehicle=vehicle,
            smartcar_user_id=f"user-{number}",
            api_version="v3",
            mode="live",
            state=state,
            state_since=NOON + since * HOUR,
        )
        Connection.objects.filter(pk=connection.pk).update(created_at=NOON + start * HOUR)
        for hours in reconnects:
            Transition.objects.create(
                connection=connection,
                from_state=ConnectionState.REVOKED,
                to_state=ConnectionState.PENDING,
                at=NOON + hours * HOUR,
            )
    create_deliveries(vehicle, *(NOON + hours * HOUR for hours in deliveries))
    expected = set(LogScope(fleet).entries().values_list("pk", flat=True))
    assert set(entries_for_vehicle(vehicle=vehicle).values_list("pk", flat=True)) == expected


def follow(browser: Client, vehicle: Vehicle, between: Callable[[], object]) -> list[Any]:
    """Returns the events of all pages, following their links and calling `between` after each page."""
    events, query = [], ""
    for _turn in range(50):
        answer = browser.get(f"{address(vehicle)}?{query}")
        events += [event for _day, shown in answer.context["days"] for event in shown]
        query = answer.context["older"]
        if not query:
            return events
        between()
    raise AssertionError("the pages do not end")


minutes = st.lists(st.integers(0, 400), min_size=1, max_size=60)


@given(delivery=minutes, error=minutes, command=minutes, change=minutes, action=minutes, late=st.booleans())
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_pagination_is_stable_while_new_events_arrive(
    owner: User,
    vehicle: Vehicle,
    connection: Connection,
    browser_of: BrowserOf,
    delivery: list[int],
    error: list[int],
    command: list[int],
    change: list[int],
    action: list[int],
    late: bool,
) -> None:
    """Many events of all kinds with equal times; new ones arrive at the top between the pages."""
    for model in (InboxEntry, VehicleError, Command, Transition, AuditLogEntry):
        model.objects.all().delete()
    at = [NOON - 8 * DAY + turn * 11 * MINUTE for turn in range(401)]
    create_deliveries(vehicle, *(at[turn] for turn in delivery))
    create_deliveries(vehicle, *(at[turn] for turn in delivery[:9]), state=EntryState.DEAD)
    for turn in error:
        create_error(vehicle, at[turn])
    for turn in command:
        create_command(vehicle, at[turn], owner)
    for turn in change:
        create_transition(connection, at[turn])
    for turn in action:
        log_action(vehicle, at[turn], owner, AuditEvent.VEHICLE_DETAILS_CHANGED)
    hours = {at[turn].replace(minute=0) for turn in delivery}
    count = len(hours) + len(delivery[:9]) + len(error) + len(command) + len(change) + len(action)

    def more() -> None:
        now = timezone.now() if late else NOON
        create_deliveries(vehicle, now)
        create_error(vehicle, now)
        create_command(vehicle, now, owner)

    events = follow(browser_of(owner), vehicle, more)
    positions = [event.position for event in events]
    assert len(positions) == len(set(positions)) == count
    assert positions == sorted(positions, reverse=True)


def test_older_events_are_loaded_without_the_surrounding_page(
    owner: User, vehicle: Vehicle, connection: Connection, browser_of: BrowserOf
) -> None:
    for turn in range(SIZE + 5):
        create_error(vehicle, NOON - turn * MINUTE)
    browser = browser_of(owner)
    page = browser.get(address(vehicle)).content.decode()
    (link,) = re.findall(r'hx-get="(\?before=[^"]+)"', page)
    older = browser.get(f"{address(vehicle)}{link}", headers={"HX-Request": "true", "HX-Target": "older"})
    text = older.content.decode()
    assert "<html" not in text
    assert text.count("event-title") == 5
    # The day continues, so its heading isn't repeated.
    assert "event-day" not in text
    assert TimelinePosition.read(parse_qs(urlsplit(link).query)["before"][0]) is not None
    assert "<html" in browser.get(f"{address(vehicle)}{link}").content.decode()


@pytest.mark.parametrize("before", ["nonsense", "2026-11-20T12:00:00~1~1", "2026-11-20~x~1", "~~"])
def test_a_malformed_position_shows_the_newest(
    owner: User, vehicle_with_events: Vehicle, browser_of: BrowserOf, before: str
) -> None:
    assert len(shown_events(browser_of(owner), vehicle_with_events, before=before)) == 6


def test_the_number_of_queries_is_fixed(
    owner: User, vehicle: Vehicle, connection: Connection, browser_of: BrowserOf
) -> None:
    browser = browser_of(owner)
    counts = []
    for turn in range(2):
        for number in range(1 + turn * 30):
            at = NOON + (turn * 40 + number) * HOUR
            create_deliveries(vehicle, at, at + MINUTE)
            create_deliveries(vehicle, at, state=EntryState.DEAD)
            create_error(vehicle, at)
            create_command(vehicle, at, owner)
            create_transition(connection, at)
            log_action(vehicle, at, owner, AuditEvent.VEHICLE_DETAILS_CHANGED)
        with CaptureQueriesContext(database) as captured:
            browser.get(address(vehicle))
        counts.append(len(captured))
    assert max(counts) <= QUERIES
    assert counts[0] == counts[1]

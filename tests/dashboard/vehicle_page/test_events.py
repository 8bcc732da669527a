"""The events tab: what is in the timeline, for whom, and that its pages lose and double nothing."""

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
QUERIES = 19


@pytest.fixture
def connection(vehicle: Vehicle) -> Connection:
    """Connected ten days before NOON."""
    made = Connection.objects.create(
        fleet=vehicle.fleet,
        vehicle=vehicle,
        smartcar_user_id="user",
        api_version="v3",
        mode="live",
        state=ConnectionState.ACTIVE,
    )
    Connection.objects.update(created_at=NOON - 10 * DAY)
    made.refresh_from_db()
    return made


def delivered(vehicle: Vehicle, *times: datetime, state: str = EntryState.PROCESSED) -> list[InboxEntry]:
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


def failed(vehicle: Vehicle, at: datetime, **fields: Any) -> VehicleError:
    told = {
        "type": "UPSTREAM",
        "code": "RATE",
        "signals": [catalogue.ODOMETER.code],
        "state": "ERROR",
        "description": "The maker is down.",
        "event_ids": ["e1", "e2"],
    }
    return VehicleError.objects.create(vehicle=vehicle, first_at=at, last_at=at + MINUTE, **(told | fields))


def commanded(vehicle: Vehicle, at: datetime, by: User, **fields: Any) -> Command:
    told = {
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
        **(told | fields),
    )
    command.log_transition(to=CommandState.REQUESTED, now=at)
    command.log_transition(
        to=CommandState.CONFIRMED,
        now=at + MINUTE,
        message=CommonMessage.TEXT.message(text="The car says so."),
    )
    return command


def changed(connection: Connection, at: datetime) -> Transition:
    return Transition.objects.create(
        connection=connection,
        from_state=ConnectionState.ACTIVE,
        to_state=ConnectionState.STALE,
        reason_code=StateReason.NO_DATA,
        at=at,
    )


def did(vehicle: Vehicle, at: datetime, actor: User | None, event: AuditEvent, **data: Any) -> AuditLogEntry:
    about = (AuditObject.VEHICLE, vehicle.smartcar_id)
    entry = log_event(fleet=vehicle.fleet, actor=actor, event=event, about=about, data=data)
    AuditLogEntry.objects.filter(pk=entry.pk).update(at=at)
    return entry


@pytest.fixture
def eventful(vehicle: Vehicle, connection: Connection, owner: User) -> Vehicle:
    """One of each kind, all within an hour and a half."""
    delivered(vehicle, *(NOON + turn * MINUTE for turn in range(42)))
    delivered(vehicle, NOON + 50 * MINUTE, state=EntryState.QUARANTINED)
    failed(vehicle, NOON + 10 * MINUTE)
    commanded(vehicle, NOON + 20 * MINUTE, owner)
    changed(connection, NOON + 30 * MINUTE)
    did(vehicle, NOON + 40 * MINUTE, owner, AuditEvent.VEHICLE_DETAILS_CHANGED, fields=["name", "plate"])
    return vehicle


def address(vehicle: Vehicle) -> str:
    return f"/fleets/blue/vehicles/{vehicle.smartcar_id}/events/"


def shown(browser: Client, vehicle: Vehicle, **asked: Any) -> list[Any]:
    answer = browser.get(address(vehicle), asked)
    assert answer.status_code == 200
    return [event for _day, events in answer.context["days"] for event in events]


def test_everything_stands_in_one_timeline_newest_first(
    owner: User, eventful: Vehicle, browser_of: BrowserOf
) -> None:
    events = shown(browser_of(owner), eventful)
    assert [event.kind for event in events] == [
        "delivery",
        "settings",
        "connection",
        "command",
        "error",
        "delivery",
    ]
    assert events[-1].title == "42 deliveries between 12:00 and 13:00"
    page = browser_of(owner).get(address(eventful)).content.decode()
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


def test_times_and_hours_are_the_fleets(owner: User, eventful: Vehicle, browser_of: BrowserOf) -> None:
    Fleet.objects.update(time_zone="Asia/Kathmandu")
    events = shown(browser_of(owner), eventful)
    assert events[-1].title == "42 deliveries between 17:45 and 18:45"


def test_an_hour_that_clocks_repeat_is_two(
    owner: User, vehicle: Vehicle, connection: Connection, browser_of: BrowserOf
) -> None:
    Fleet.objects.update(time_zone="Europe/Berlin")
    Connection.objects.update(created_at=NOON - 60 * DAY)
    first = datetime.fromisoformat("2026-10-25T00:10:00+00:00")
    delivered(vehicle, first, first + HOUR, first + HOUR)
    titles = [event.title for event in shown(browser_of(owner), vehicle, kind="delivery")]
    assert titles == ["2 deliveries between 02:00 and 03:00", "1 delivery between 02:00 and 02:00"]


def test_kinds_are_chosen_by_the_address(owner: User, eventful: Vehicle, browser_of: BrowserOf) -> None:
    browser = browser_of(owner)
    kinds = [event.kind for event in shown(browser, eventful, kind=["command", "error"])]
    assert kinds == ["command", "error"]
    assert (
        "No matching events"
        in browser.get(
            address(eventful).replace(
                eventful.smartcar_id,
                Vehicle.objects.create(fleet=eventful.fleet, smartcar_id="other").smartcar_id,
            ),
            {"kind": "command"},
        ).content.decode()
    )


def test_each_entry_leads_to_more_about_it(owner: User, eventful: Vehicle, browser_of: BrowserOf) -> None:
    browser = browser_of(owner)
    links = [event.url for event in shown(browser, eventful) if event.url]
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
def test_who_sees_what(
    request: pytest.FixtureRequest, eventful: Vehicle, browser_of: BrowserOf, person: str, kinds: set[str]
) -> None:
    browser = browser_of(request.getfixturevalue(person))
    assert {event.kind for event in shown(browser, eventful)} == kinds
    # Naming what one may not see brings nothing of it.
    assert {event.kind for event in shown(browser, eventful, kind=["delivery", "settings"])} <= kinds
    if person == "viewer":
        assert not [event for event in shown(browser, eventful) if event.url]


@pytest.mark.parametrize(("person", "status"), [("driver", 403), ("outsider", 404)])
def test_who_sees_nothing(
    request: pytest.FixtureRequest, eventful: Vehicle, browser_of: BrowserOf, person: str, status: int
) -> None:
    browser = browser_of(request.getfixturevalue(person))
    assert browser.get(address(eventful)).status_code == status
    assert Client().get(address(eventful)).status_code == 302


def test_nothing_tells_of_places_or_of_what_drivers_hide(
    owner: User, vehicle: Vehicle, connection: Connection, browser_of: BrowserOf
) -> None:
    delivered(vehicle, NOON)
    did(vehicle, NOON, None, AuditEvent.DRIVER_LOCATION_HIDDEN)
    commanded(vehicle, NOON, owner, kind="set_destination", parameters={"latitude": 52.5, "longitude": 13.4})
    page = browser_of(owner).get(address(vehicle)).content.decode()
    assert "Destination" in page
    assert "52.5" not in page
    assert "hid the place" not in page


def test_commands_are_not_told_twice(
    owner: User, vehicle: Vehicle, connection: Connection, browser_of: BrowserOf
) -> None:
    did(vehicle, NOON, owner, AuditEvent.COMMAND_REQUESTED)
    did(vehicle, NOON, owner, AuditEvent.COMMAND_CANCELED)
    did(vehicle, NOON, owner, AuditEvent.VEHICLE_ERASURE_REQUESTED, scope="everything")
    titles = [event.title for event in shown(browser_of(owner), vehicle)]
    assert titles == ["Deletion of vehicle data requested"]


def test_other_cars_and_other_fleets_of_the_same_car_are_left_out(
    owner: User, outsider: User, vehicle: Vehicle, connection: Connection, browser_of: BrowserOf
) -> None:
    red = Fleet.objects.get(slug="red")
    same = Vehicle.objects.create(fleet=red, smartcar_id=vehicle.smartcar_id)
    beside = Vehicle.objects.create(fleet=vehicle.fleet, smartcar_id=f"{vehicle.smartcar_id}0")
    for each in (same, beside):
        failed(each, NOON)
        commanded(each, NOON, outsider)
        did(each, NOON, outsider, AuditEvent.VEHICLE_DETAILS_CHANGED)
    delivered(beside, NOON)
    delivered(vehicle, NOON - 11 * DAY)  # before this fleet's connection stood
    assert shown(browser_of(owner), vehicle) == []


@given(
    stretches=st.lists(
        st.tuples(
            st.integers(0, 20), st.sampled_from([ConnectionState.ACTIVE, *TERMINATED]), st.integers(0, 20)
        ),
        max_size=3,
    ),
    again=st.lists(st.integers(0, 20), max_size=2),
    came=st.lists(st.integers(0, 20), min_size=1, max_size=8),
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_cars_deliveries_are_those_that_the_inbox_would_show(
    owner: User, stretches: list[tuple[int, str, int]], again: list[int], came: list[int]
) -> None:
    fleet = create_fleet(name="F", slug=f"f-{Fleet.objects.count()}", owner=owner, api_version="v3")
    vehicle = Vehicle.objects.create(fleet=fleet, smartcar_id=f"car-{Vehicle.objects.count()}")
    for number, (begins, state, since) in enumerate(stretches):
        made = Connection.objects.create(
            fleet=fleet,
            vehicle=vehicle,
            smartcar_user_id=f"user-{number}",
            api_version="v3",
            mode="live",
            state=state,
            state_since=NOON + since * HOUR,
        )
        Connection.objects.filter(pk=made.pk).update(created_at=NOON + begins * HOUR)
        for hours in again:
            Transition.objects.create(
                connection=made,
                from_state=ConnectionState.REVOKED,
                to_state=ConnectionState.PENDING,
                at=NOON + hours * HOUR,
            )
    delivered(vehicle, *(NOON + hours * HOUR for hours in came))
    theirs = set(LogScope(fleet).entries().values_list("pk", flat=True))
    assert set(entries_for_vehicle(vehicle=vehicle).values_list("pk", flat=True)) == theirs


def follow(browser: Client, vehicle: Vehicle, between: Callable[[], object]) -> list[Any]:
    """All pages by their links, with something happening between them."""
    events, question = [], ""
    for _turn in range(50):
        answer = browser.get(f"{address(vehicle)}?{question}")
        events += [event for _day, found in answer.context["days"] for event in found]
        question = answer.context["older"]
        if not question:
            return events
        between()
    raise AssertionError("the pages do not end")


moments = st.lists(st.integers(0, 400), min_size=1, max_size=60)


@given(delivery=moments, error=moments, command=moments, change=moments, deed=moments, late=st.booleans())
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_pages_lose_and_double_nothing_while_new_events_come(
    owner: User,
    vehicle: Vehicle,
    connection: Connection,
    browser_of: BrowserOf,
    delivery: list[int],
    error: list[int],
    command: list[int],
    change: list[int],
    deed: list[int],
    late: bool,
) -> None:
    """Many of the same moment, of all kinds; new ones come between the pages, at the top."""
    for model in (InboxEntry, VehicleError, Command, Transition, AuditLogEntry):
        model.objects.all().delete()
    at = [NOON - 8 * DAY + turn * 11 * MINUTE for turn in range(401)]
    delivered(vehicle, *(at[turn] for turn in delivery))
    delivered(vehicle, *(at[turn] for turn in delivery[:9]), state=EntryState.DEAD)
    for turn in error:
        failed(vehicle, at[turn])
    for turn in command:
        commanded(vehicle, at[turn], owner)
    for turn in change:
        changed(connection, at[turn])
    for turn in deed:
        did(vehicle, at[turn], owner, AuditEvent.VEHICLE_DETAILS_CHANGED)
    hours = {at[turn].replace(minute=0) for turn in delivery}
    count = len(hours) + len(delivery[:9]) + len(error) + len(command) + len(change) + len(deed)

    def more() -> None:
        now = timezone.now() if late else NOON
        delivered(vehicle, now)
        failed(vehicle, now)
        commanded(vehicle, now, owner)

    events = follow(browser_of(owner), vehicle, more)
    places = [event.position for event in events]
    assert len(places) == len(set(places)) == count
    assert places == sorted(places, reverse=True)


def test_older_entries_are_added_without_the_page_around_them(
    owner: User, vehicle: Vehicle, connection: Connection, browser_of: BrowserOf
) -> None:
    for turn in range(SIZE + 5):
        failed(vehicle, NOON - turn * MINUTE)
    browser = browser_of(owner)
    page = browser.get(address(vehicle)).content.decode()
    (link,) = re.findall(r'hx-get="(\?before=[^"]+)"', page)
    older = browser.get(f"{address(vehicle)}{link}", headers={"HX-Request": "true", "HX-Target": "older"})
    text = older.content.decode()
    assert "<html" not in text
    assert text.count("event-title") == 5
    # The day goes on: it is not named again.
    assert "event-day" not in text
    assert TimelinePosition.read(parse_qs(urlsplit(link).query)["before"][0]) is not None
    assert "<html" in browser.get(f"{address(vehicle)}{link}").content.decode()


@pytest.mark.parametrize("before", ["nonsense", "2026-11-20T12:00:00~1~1", "2026-11-20~x~1", "~~"])
def test_a_broken_link_shows_the_newest(
    owner: User, eventful: Vehicle, browser_of: BrowserOf, before: str
) -> None:
    assert len(shown(browser_of(owner), eventful, before=before)) == 6


def test_the_number_of_queries_is_fixed(
    owner: User, vehicle: Vehicle, connection: Connection, browser_of: BrowserOf
) -> None:
    browser = browser_of(owner)
    counts = []
    for turn in range(2):
        for number in range(1 + turn * 30):
            at = NOON + (turn * 40 + number) * HOUR
            delivered(vehicle, at, at + MINUTE)
            delivered(vehicle, at, state=EntryState.DEAD)
            failed(vehicle, at)
            commanded(vehicle, at, owner)
            changed(connection, at)
            did(vehicle, at, owner, AuditEvent.VEHICLE_DETAILS_CHANGED)
        with CaptureQueriesContext(database) as captured:
            browser.get(address(vehicle))
        counts.append(len(captured))
    assert max(counts) <= QUERIES
    assert counts[0] == counts[1]

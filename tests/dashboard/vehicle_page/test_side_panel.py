"""The panel beside the list of vehicles: permissions, content, commands, and its constant number of queries."""

from collections.abc import Callable
from datetime import timedelta
from html import unescape

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import Fleet, User
from commands.models import Command, CommandState
from commands.types import CommandType
from connect.models import Connection, ConnectionState, LocationPause
from tests.dashboard.vehicle_list.fixtures import create_vehicle, report_signal
from vehicles import catalogue
from vehicles.models import Vehicle

pytestmark = pytest.mark.django_db
BrowserOf = Callable[[User], Client]
PANEL = "/fleets/blue/vehicles/car-Ada/panel/"
SAN_FRANCISCO = (37.7793, -122.4193)
QUERIES = 19


@pytest.fixture
def ada(fleet: Fleet) -> Vehicle:
    return create_vehicle(
        fleet,
        "Ada",
        charge=12,
        locked=False,
        place=SAN_FRANCISCO,
        plate="8CB9102",
        make="TESLA",
        driver="Robin",
    )


def panel(browser: Client) -> str:
    return unescape(browser.get(PANEL).content.decode())


@pytest.mark.parametrize(
    ("person", "status"),
    [("owner", 200), ("teammate", 200), ("viewer", 200), ("driver", 403), ("outsider", 404)],
)
def test_members_who_see_vehicles_see_the_panel(
    request: pytest.FixtureRequest, ada: Vehicle, browser_of: BrowserOf, person: str, status: int
) -> None:
    assert browser_of(request.getfixturevalue(person)).get(PANEL).status_code == status


def test_the_panel_shows_state_reasons_and_the_likely_commands(
    owner: User, ada: Vehicle, browser_of: BrowserOf
) -> None:
    shown = panel(browser_of(owner))
    for text in ("Ada", "8CB9102", "12%", "Unlocked", "San Francisco", "Robin", "Low battery", "Last update"):
        assert text in shown
    assert 'id="side-panel-lock"' in shown
    assert 'id="side-panel-unlock"' not in shown
    report_signal(ada, catalogue.IS_LOCKED, {"value": True})
    shown = panel(browser_of(owner))
    assert 'id="side-panel-lock"' not in shown
    assert 'id="side-panel-unlock"' in shown


def test_the_common_age_is_shown_once(owner: User, ada: Vehicle, browser_of: BrowserOf) -> None:
    assert panel(browser_of(owner)).count("data-ago") == 1


def test_viewers_are_offered_no_commands(viewer: User, ada: Vehicle, browser_of: BrowserOf) -> None:
    assert "<form" not in panel(browser_of(viewer))


def test_a_hidden_location_is_not_in_the_panel(owner: User, ada: Vehicle, browser_of: BrowserOf) -> None:
    LocationPause.objects.create(
        connection=Connection.objects.get(vehicle=ada), began_at=timezone.now() - timedelta(minutes=1)
    )
    shown = panel(browser_of(owner))
    assert "Hidden by the driver" in shown
    assert "San Francisco" not in shown
    assert "37.7" not in shown


def test_only_todays_events_are_listed(owner: User, ada: Vehicle, browser_of: BrowserOf) -> None:
    connection = Connection.objects.get(vehicle=ada)
    for kind, hours in ((CommandType.LOCK, 1), (CommandType.START_CHARGE, 30)):
        at = timezone.now() - timedelta(hours=hours)
        with time_machine.travel(at, tick=False):
            Command.objects.create(
                fleet=ada.fleet, vehicle=ada, connection=connection, kind=kind, api_version="v3",
                state=CommandState.CONFIRMED, requested_by=owner, requested_at=at, expires_at=at, changed_at=at,
            )  # fmt: skip
    events = panel(browser_of(owner)).partition("side-panel-events")[2]
    assert "Lock" in events
    assert "Start charging" not in events


def test_an_unchanged_panel_is_not_resent(owner: User, ada: Vehicle, browser_of: BrowserOf) -> None:
    browser = browser_of(owner)
    version = browser.get(PANEL).context["version"]
    assert browser.get(f"{PANEL}?version={version}").status_code == 204
    report_signal(ada, catalogue.STATE_OF_CHARGE, {"value": 60})
    assert browser.get(f"{PANEL}?version={version}").status_code == 200


def test_a_vehicle_without_a_connection_says_so(owner: User, ada: Vehicle, browser_of: BrowserOf) -> None:
    Connection.objects.update(state=ConnectionState.REMOVED)
    assert "This vehicle isn't connected." in panel(browser_of(owner))


def test_a_command_from_the_panel_is_created_without_replacing_it(
    owner: User, ada: Vehicle, browser_of: BrowserOf
) -> None:
    browser = browser_of(owner)
    address = "/fleets/blue/vehicles/car-Ada/commands/lock/"
    htmx = {"HX-Request": "true"}
    answer = browser.post(address, {"from": "side-panel"}, headers=htmx)
    assert answer.status_code == 204
    assert '"problem": ""' in answer.headers["HX-Trigger"]
    assert Command.objects.get().kind == CommandType.LOCK
    again = browser.post(address, {"from": "side-panel"}, headers=htmx)
    assert '"problem": ""' not in again.headers["HX-Trigger"]
    # An unlock is confirmed in the dialog, which carries where it came from.
    dialog = browser.post(address.replace("lock/", "unlock/"), {"from": "side-panel"}, headers=htmx)
    assert 'name="from" value="side-panel"' in dialog.content.decode()


def test_the_number_of_queries_is_small_and_constant(
    owner: User,
    fleet: Fleet,
    ada: Vehicle,
    browser_of: BrowserOf,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    browser = browser_of(owner)
    browser.get(PANEL)
    with django_assert_num_queries(QUERIES):
        browser.get(PANEL)
    for number in range(8):
        create_vehicle(fleet, f"Car {number}", place=SAN_FRANCISCO)
    browser.post("/fleets/blue/vehicles/car-Ada/commands/lock/", {"from": "side-panel"})
    for minutes in range(5):
        report_signal(ada, catalogue.STATE_OF_CHARGE, {"value": 60 + minutes}, minutes_ago=5 - minutes)
    with django_assert_num_queries(QUERIES + 1):  # the commands' steps
        browser.get(PANEL)

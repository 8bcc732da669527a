"""The manager's pages of connections: who may see them, what they show, what their buttons do."""

from collections.abc import Callable
from datetime import timedelta
from html import unescape

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.audit import AuditEvent
from accounts.models import AuditLogEntry, Fleet, SmartcarApiVersion, User
from connect.connections.next_actions import NextActionType, next_action
from connect.messages import StateEvidence, StateReason
from connect.models import Connection, ConnectionState, DriverPortal, Invitation
from connect.scopes import FLEET_SCOPES
from connect.status.state_machine import ACCOUNT, REQUESTS_USED_UP
from connect.status.states import TERMINATED, AuthorizationPurpose
from core.message_codes import CommonMessage
from vehicles.models import LatestSignal, Vehicle

pytestmark = pytest.mark.django_db
State = ConnectionState
BrowserOf = Callable[[User], Client]
PAGE = "/fleets/blue/connections/"
everybody = pytest.mark.parametrize(
    ("person", "status"),
    [("owner", 200), ("teammate", 200), ("viewer", 403), ("driver", 403), ("outsider", 404)],
)


def shared(
    vehicle: Vehicle, user_id: str = "user-1", state: ConnectionState = State.ACTIVE, **more: str
) -> Connection:
    return Connection.objects.create(
        fleet=vehicle.fleet,
        vehicle=vehicle,
        smartcar_user_id=user_id,
        api_version=SmartcarApiVersion.V3,
        mode="live",
        scopes=["read_vehicle_info", "read_battery"],
        state=state,
        subscribed_at=timezone.now(),
        **more,
    )


def named(fleet: Fleet, user_id: str, name: str) -> DriverPortal:
    return DriverPortal.objects.create(
        fleet=fleet,
        smartcar_user_id=user_id,
        driver_name=name,
        driver_email=f"{name.lower()}@example.com",
        secret_hash=name,
    )


@pytest.fixture
def connection(vehicle: Vehicle) -> Connection:
    return shared(vehicle)


@everybody
@pytest.mark.parametrize("page", ["", "{}/", "{}/status/"])
def test_only_owner_and_manager_see_the_pages(
    request: pytest.FixtureRequest,
    connection: Connection,
    browser_of: BrowserOf,
    person: str,
    status: int,
    page: str,
) -> None:
    browser = browser_of(request.getfixturevalue(person))
    assert browser.get(PAGE + page.format(connection.pk)).status_code == status


@everybody
@pytest.mark.parametrize("deed", ["link", "check", "authorize"])
def test_only_owner_and_manager_may_do_something(
    request: pytest.FixtureRequest,
    connection: Connection,
    browser_of: BrowserOf,
    person: str,
    status: int,
    deed: str,
) -> None:
    browser = browser_of(request.getfixturevalue(person))
    if deed == "authorize":
        answer = browser.get(f"{PAGE}{connection.pk}/authorize/sign_in/")
    else:
        answer = browser.post(f"{PAGE}{connection.pk}/{deed}/", {"purpose": "sign_in", "driver_name": "Dana"})
    assert answer.status_code == (302 if status == 200 else status)
    assert Invitation.objects.exists() == (status == 200 and deed == "link")


def test_a_connection_of_another_fleet_is_not_found(
    connection: Connection, outsider: User, browser_of: BrowserOf
) -> None:
    browser = browser_of(outsider)
    here = f"/fleets/red/connections/{connection.pk}/"
    assert browser.get(here).status_code == 404
    assert browser.post(f"{here}check/").status_code == 404
    assert browser.post(f"{here}link/", {"purpose": "sign_in", "driver_name": "x"}).status_code == 404
    assert browser.get(f"{here}authorize/sign_in/").status_code == 404
    assert str(connection.vehicle) not in browser.get("/fleets/red/connections/").content.decode()


def test_nobody_signed_in_is_sent_to_sign_in(connection: Connection) -> None:
    assert Client().get(PAGE).status_code == 302


def test_the_list_is_filtered_by_state_and_searched_by_car_and_driver(
    fleet: Fleet, vehicle: Vehicle, connection: Connection, owner: User, browser_of: BrowserOf
) -> None:
    bus = Vehicle.objects.create(fleet=fleet, smartcar_id="bus", name="Bus 9")
    gone = Vehicle.objects.create(fleet=fleet, smartcar_id="gone", name="Old Timer")
    shared(bus, "user-2", State.NEEDS_REAUTHENTICATION, state_reason_code=StateReason.REAUTHENTICATION_NEEDED)
    shared(gone, "user-2", State.REMOVED)
    named(fleet, "user-2", "Dana")
    browser = browser_of(owner)

    def cars(query: str) -> set[str]:
        text = browser.get(f"{PAGE}?{query}").content.decode()
        return {name for name in ("Van 1", "Bus 9", "Old Timer") if f">{name}</a>" in text}

    assert cars("") == {"Van 1", "Bus 9"}
    assert cars("state=trouble") == cars("state=needs_reauth") == cars("q=dana") == cars("q=bus") == {"Bus 9"}
    assert cars("state=removed") == {"Old Timer"}
    assert cars("q=nobody") == set()
    assert "requires the driver to sign in again" in browser.get(PAGE).content.decode()


def test_several_drivers_of_a_car_and_several_cars_of_a_driver_are_shown(
    fleet: Fleet, vehicle: Vehicle, connection: Connection, owner: User, browser_of: BrowserOf
) -> None:
    bus = Vehicle.objects.create(fleet=fleet, smartcar_id="bus", name="Bus 9")
    other = shared(vehicle, "user-2", State.NEEDS_REAUTHENTICATION)
    shared(bus, "user-2")
    named(fleet, "user-1", "Alex")
    named(fleet, "user-2", "Dana")
    browser = browser_of(owner)
    overview = browser.get(PAGE).content.decode()
    assert "2 drivers" in overview
    assert "shares 2 vehicles" in overview
    page = browser.get(f"{PAGE}{other.pk}/").content.decode()
    assert "Other drivers of this vehicle" in page
    assert "Alex" in page
    assert "Other vehicles of this driver" in page
    assert "Bus 9" in page


def test_the_number_of_queries_does_not_grow(
    fleet: Fleet, owner: User, browser_of: BrowserOf, django_assert_max_num_queries: Callable[[int], object]
) -> None:
    browser = browser_of(owner)
    counts = []
    for cars in (2, 40):
        for number in range(cars):
            car, _ = Vehicle.objects.get_or_create(fleet=fleet, smartcar_id=f"{number}", name=f"Car {number}")
            shared(car, f"user-{cars}-{number}", State.STALE)
        with CaptureQueriesContext(database) as queries:
            browser.get(PAGE)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 14


@pytest.mark.parametrize("state", list(State))
def test_every_state_has_a_cause_and_a_next_step_where_one_is_needed(
    vehicle: Vehicle, owner: User, browser_of: BrowserOf, state: ConnectionState
) -> None:
    made = shared(vehicle, state=State.PENDING)
    made.move_to(
        state,
        reason=CommonMessage.TEXT.message(text="The cause."),
        now=timezone.now(),
        evidence=StateEvidence.EVENT.message(event="e-1"),
    )
    page = unescape(browser_of(owner).get(f"{PAGE}{made.pk}/").content.decode())
    assert str(state.label) in page
    step = next_action(made, now=timezone.now())
    assert (step.kind is NextActionType.NONE) == (state in (State.PENDING, State.ACTIVE))
    assert str(step.label) in page
    if state is not State.PENDING:
        assert "The cause." in page
        assert "Source: event e-1" in page
    assert ("Check now" in page) == (state not in TERMINATED)


def test_a_car_that_delivers_nothing_for_a_while_is_to_be_checked(connection: Connection) -> None:
    connection.state = State.PENDING
    connection.state_since = timezone.now() - timedelta(minutes=20)
    assert next_action(connection, now=timezone.now()).kind is NextActionType.CHECK


def test_used_up_requests_say_that_the_month_brings_them_back(connection: Connection) -> None:
    connection.state, connection.state_error = State.PLAN_LIMIT, REQUESTS_USED_UP
    assert "month" in next_action(connection, now=timezone.now()).text


def test_a_fresh_link_is_made_with_one_press_and_shown_once(
    fleet: Fleet, vehicle: Vehicle, owner: User, browser_of: BrowserOf
) -> None:
    made = shared(vehicle, state=State.NEEDS_REAUTHENTICATION, state_error=f"{ACCOUNT}:SUBSCRIPTION")
    named(fleet, "user-1", "Dana")
    browser = browser_of(owner)
    page = browser.get(PAGE).content.decode()
    assert 'name="driver_name" value="Dana"' in page
    here = f"{PAGE}{made.pk}/"
    given = {"purpose": "sign_in", "driver_name": "Dana", "driver_email": "dana@example.com"}
    shown = browser.post(f"{here}link/", given, follow=True).content.decode()
    invitation = Invitation.objects.get()
    assert invitation.url in shown
    assert invitation.url not in browser.get(here).content.decode()
    assert (invitation.purpose, invitation.connection, invitation.scopes) == (
        AuthorizationPurpose.SIGN_IN,
        made,
        ["read_vehicle_info", "read_battery"],
    )
    assert (
        "s app, or choose a package that includes remote access. If you"
        in Client().get(invitation.path).content.decode()
    )
    assert AuditLogEntry.objects.filter(event=AuditEvent.DRIVER_INVITED, actor=owner).exists()


def test_asking_for_more_keeps_what_was_granted(
    connection: Connection, owner: User, browser_of: BrowserOf
) -> None:
    Connection.objects.update(scopes=["read_vehicle_info", "read_alerts"])
    browser = browser_of(owner)
    assert "Lock and unlock the car" in browser.get(f"{PAGE}{connection.pk}/").content.decode()
    browser.post(f"{PAGE}{connection.pk}/link/", {"purpose": "permissions", "driver_name": "Dana"})
    assert set(Invitation.objects.get().scopes) == {*FLEET_SCOPES, "read_alerts"}


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"purpose": "nonsense", "driver_name": "D"},
        {"purpose": "sign_in", "driver_name": "D", "by_email": "on"},
    ],
)
def test_a_link_that_cannot_be_made_is_told(
    connection: Connection, owner: User, browser_of: BrowserOf, given: dict[str, str]
) -> None:
    answer = browser_of(owner).post(f"{PAGE}{connection.pk}/link/", given)
    assert answer.status_code == 400
    assert "t create the link" in answer.content.decode()
    assert not Invitation.objects.exists()


def test_check_now_has_the_car_read(
    connection: Connection,
    owner: User,
    browser_of: BrowserOf,
    run_enqueued: Callable[[], list[str]],
    django_capture_on_commit_callbacks: Callable[..., object],
) -> None:
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[attr-defined]
        browser_of(owner).post(f"{PAGE}{connection.pk}/check/")
    assert run_enqueued()[0] == "connect.tasks.probe_connection"
    assert AuditLogEntry.objects.filter(event=AuditEvent.CONNECTION_CHECKED).exists()


def test_there_is_nothing_to_check_where_the_grant_has_ended(
    connection: Connection, owner: User, browser_of: BrowserOf
) -> None:
    connection.move_to(State.REVOKED, now=timezone.now())
    answer = browser_of(owner).post(f"{PAGE}{connection.pk}/check/", follow=True)
    assert "Invite the driver again" in answer.content.decode()


def test_the_battery_size_is_asked_for_where_the_car_does_not_tell_it(
    connection: Connection, owner: User, browser_of: BrowserOf
) -> None:
    here = f"{PAGE}{connection.pk}/"
    assert "Battery size unknown" not in browser_of(owner).get(here).content.decode()
    LatestSignal.objects.create(
        vehicle=connection.vehicle,
        code="tractionbattery-nominalcapacity",
        body={"capacity": None, "availableCapacities": [{"capacity": 75, "description": None}]},
        status="SUCCESS",
        reported_at=timezone.now(),
    )
    assert "Battery size unknown" in browser_of(owner).get(here).content.decode()


# On the car's page.


def test_a_cars_page_says_what_is_wrong_to_each_as_far_as_they_can_help(
    connection: Connection, owner: User, viewer: User, browser_of: BrowserOf
) -> None:
    car = f"/fleets/blue/vehicles/{connection.vehicle.smartcar_id}/"
    assert "alert-warning" not in browser_of(owner).get(car).content.decode()
    connection.move_to(
        State.SUBSCRIPTION_NEEDED, reason=CommonMessage.TEXT.message(text="It ended."), now=timezone.now()
    )
    for person, helps in ((owner, True), (viewer, False)):
        page = browser_of(person).get(car).content.decode()
        assert "It ended." in page
        assert (f"/connections/{connection.pk}/" in page) == helps
        assert ("Contact a manager of" in page) == (not helps)


def test_of_two_drivers_the_one_in_trouble_is_named(
    fleet: Fleet, vehicle: Vehicle, connection: Connection, owner: User, browser_of: BrowserOf
) -> None:
    shared(vehicle, "user-2", State.NEEDS_REAUTHENTICATION)
    named(fleet, "user-2", "Dana")
    page = browser_of(owner).get(f"/fleets/blue/vehicles/{vehicle.smartcar_id}/").content.decode()
    assert "Reauthentication required (Dana)" in page
    # The fleet page shows the connection that works.
    assert "Reauthentication required" not in browser_of(owner).get("/fleets/blue/").content.decode()


def test_the_open_page_is_loaded_anew_when_something_has_changed(
    connection: Connection, owner: User, browser_of: BrowserOf
) -> None:
    browser = browser_of(owner)
    version = browser.get(f"{PAGE}{connection.pk}/").context["version"]
    watch = f"{PAGE}{connection.pk}/status/?version={version}"
    assert browser.get(watch).status_code == 204
    connection.move_to(State.STALE, now=timezone.now())
    assert browser.get(watch).headers["HX-Refresh"] == "true"


def test_what_needs_somebody_stands_first(
    fleet: Fleet, connection: Connection, owner: User, browser_of: BrowserOf
) -> None:
    zoo = Vehicle.objects.create(fleet=fleet, smartcar_id="zoo", name="Zoo bus")
    shared(zoo, state=State.STALE)
    page = browser_of(owner).get(PAGE).content.decode()
    assert page.index("Zoo bus") < page.index("Van 1")

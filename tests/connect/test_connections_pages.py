"""The manager's connection pages: permissions, content and actions."""

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


def create_connection(
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


def name_driver(fleet: Fleet, user_id: str, name: str) -> DriverPortal:
    return DriverPortal.objects.create(
        fleet=fleet,
        smartcar_user_id=user_id,
        driver_name=name,
        driver_email=f"{name.lower()}@example.com",
        secret_hash=name,
    )


@pytest.fixture
def connection(vehicle: Vehicle) -> Connection:
    return create_connection(vehicle)


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
@pytest.mark.parametrize("action", ["link", "check", "authorize"])
def test_only_owner_and_manager_can_use_the_actions(
    request: pytest.FixtureRequest,
    connection: Connection,
    browser_of: BrowserOf,
    person: str,
    status: int,
    action: str,
) -> None:
    browser = browser_of(request.getfixturevalue(person))
    if action == "authorize":
        answer = browser.get(f"{PAGE}{connection.pk}/authorize/sign_in/")
    else:
        answer = browser.post(
            f"{PAGE}{connection.pk}/{action}/", {"purpose": "sign_in", "driver_name": "Dana"}
        )
    assert answer.status_code == (302 if status == 200 else status)
    assert Invitation.objects.exists() == (status == 200 and action == "link")


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


def test_anonymous_user_is_redirected_to_sign_in(connection: Connection) -> None:
    assert Client().get(PAGE).status_code == 302


def test_list_is_filtered_by_status_and_searched_by_vehicle_and_driver(
    fleet: Fleet, vehicle: Vehicle, connection: Connection, owner: User, browser_of: BrowserOf
) -> None:
    bus = Vehicle.objects.create(fleet=fleet, smartcar_id="bus", name="Bus 9")
    ended = Vehicle.objects.create(fleet=fleet, smartcar_id="gone", name="Old Timer")
    create_connection(
        bus, "user-2", State.NEEDS_REAUTHENTICATION, state_reason_code=StateReason.REAUTHENTICATION_NEEDED
    )
    create_connection(ended, "user-2", State.REMOVED)
    name_driver(fleet, "user-2", "Dana")
    browser = browser_of(owner)

    def vehicle_names(query: str) -> set[str]:
        text = browser.get(f"{PAGE}?{query}").content.decode()
        return {name for name in ("Van 1", "Bus 9", "Old Timer") if f">{name}</a>" in text}

    assert vehicle_names("") == {"Van 1", "Bus 9"}
    assert (
        vehicle_names("state=trouble")
        == vehicle_names("state=needs_reauth")
        == vehicle_names("q=dana")
        == vehicle_names("q=bus")
        == {"Bus 9"}
    )
    assert vehicle_names("state=removed") == {"Old Timer"}
    assert vehicle_names("q=nobody") == set()
    assert "requires the driver to sign in again" in browser.get(PAGE).content.decode()


def test_shows_several_drivers_of_a_vehicle_and_several_vehicles_of_a_driver(
    fleet: Fleet, vehicle: Vehicle, connection: Connection, owner: User, browser_of: BrowserOf
) -> None:
    bus = Vehicle.objects.create(fleet=fleet, smartcar_id="bus", name="Bus 9")
    other = create_connection(vehicle, "user-2", State.NEEDS_REAUTHENTICATION)
    create_connection(bus, "user-2")
    name_driver(fleet, "user-1", "Alex")
    name_driver(fleet, "user-2", "Dana")
    browser = browser_of(owner)
    overview = browser.get(PAGE).content.decode()
    assert "2 drivers" in overview
    assert "shares 2 vehicles" in overview
    page = browser.get(f"{PAGE}{other.pk}/").content.decode()
    assert "Other drivers of this vehicle" in page
    assert "Alex" in page
    assert "Other vehicles of this driver" in page
    assert "Bus 9" in page


def test_number_of_queries_does_not_grow(
    fleet: Fleet, owner: User, browser_of: BrowserOf, django_assert_max_num_queries: Callable[[int], object]
) -> None:
    browser = browser_of(owner)
    counts = []
    for count in (2, 40):
        for number in range(count):
            vehicle, _ = Vehicle.objects.get_or_create(
                fleet=fleet, smartcar_id=f"{number}", name=f"Car {number}"
            )
            create_connection(vehicle, f"user-{count}-{number}", State.STALE)
        with CaptureQueriesContext(database) as queries:
            browser.get(PAGE)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 14


@pytest.mark.parametrize("state", list(State))
def test_every_status_has_a_cause_and_a_next_action_where_one_is_needed(
    vehicle: Vehicle, owner: User, browser_of: BrowserOf, state: ConnectionState
) -> None:
    connection = create_connection(vehicle, state=State.PENDING)
    connection.move_to(
        state,
        reason=CommonMessage.TEXT.message(text="The cause."),
        now=timezone.now(),
        evidence=StateEvidence.EVENT.message(event="e-1"),
    )
    page = unescape(browser_of(owner).get(f"{PAGE}{connection.pk}/").content.decode())
    assert str(state.label) in page
    step = next_action(connection, now=timezone.now())
    assert (step.kind is NextActionType.NONE) == (state in (State.PENDING, State.ACTIVE))
    assert str(step.label) in page
    if state is not State.PENDING:
        assert "The cause." in page
        assert "Source: event e-1" in page
    assert ("Check now" in page) == (state not in TERMINATED)


def test_vehicle_without_recent_data_can_be_checked(connection: Connection) -> None:
    connection.state = State.PENDING
    connection.state_since = timezone.now() - timedelta(minutes=20)
    assert next_action(connection, now=timezone.now()).kind is NextActionType.CHECK


def test_exhausted_monthly_limit_is_explained(connection: Connection) -> None:
    connection.state, connection.state_error = State.PLAN_LIMIT, REQUESTS_USED_UP
    assert "month" in next_action(connection, now=timezone.now()).text


def test_new_link_is_created_with_one_click_and_shown_once(
    fleet: Fleet, vehicle: Vehicle, owner: User, browser_of: BrowserOf
) -> None:
    connection = create_connection(
        vehicle, state=State.NEEDS_REAUTHENTICATION, state_error=f"{ACCOUNT}:SUBSCRIPTION"
    )
    name_driver(fleet, "user-1", "Dana")
    browser = browser_of(owner)
    page = browser.get(PAGE).content.decode()
    assert 'name="driver_name" value="Dana"' in page
    here = f"{PAGE}{connection.pk}/"
    form = {"purpose": "sign_in", "driver_name": "Dana", "driver_email": "dana@example.com"}
    shown = browser.post(f"{here}link/", form, follow=True).content.decode()
    invitation = Invitation.objects.get()
    assert invitation.url in shown
    assert invitation.url not in browser.get(here).content.decode()
    assert (invitation.purpose, invitation.connection, invitation.scopes) == (
        AuthorizationPurpose.SIGN_IN,
        connection,
        ["read_vehicle_info", "read_battery"],
    )
    assert (
        "s app, or choose a package that includes remote access. If you"
        in Client().get(invitation.path).content.decode()
    )
    assert AuditLogEntry.objects.filter(event=AuditEvent.DRIVER_INVITED, actor=owner).exists()


def test_requesting_more_permissions_includes_those_already_granted(
    connection: Connection, owner: User, browser_of: BrowserOf
) -> None:
    Connection.objects.update(scopes=["read_vehicle_info", "read_alerts"])
    browser = browser_of(owner)
    assert "Lock and unlock the car" in browser.get(f"{PAGE}{connection.pk}/").content.decode()
    browser.post(f"{PAGE}{connection.pk}/link/", {"purpose": "permissions", "driver_name": "Dana"})
    assert set(Invitation.objects.get().scopes) == {*FLEET_SCOPES, "read_alerts"}


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"purpose": "nonsense", "driver_name": "D"},
        {"purpose": "sign_in", "driver_name": "D", "by_email": "on"},
    ],
)
def test_reports_a_link_that_cannot_be_created(
    connection: Connection, owner: User, browser_of: BrowserOf, form: dict[str, str]
) -> None:
    answer = browser_of(owner).post(f"{PAGE}{connection.pk}/link/", form)
    assert answer.status_code == 400
    assert "t create the link" in answer.content.decode()
    assert not Invitation.objects.exists()


def test_check_now_reads_the_vehicle(
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


def test_no_check_after_the_grant_has_ended(
    connection: Connection, owner: User, browser_of: BrowserOf
) -> None:
    connection.move_to(State.REVOKED, now=timezone.now())
    answer = browser_of(owner).post(f"{PAGE}{connection.pk}/check/", follow=True)
    assert "Invite the driver again" in answer.content.decode()


def test_battery_size_is_requested_if_the_vehicle_does_not_report_it(
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


# On the vehicle page.


def test_vehicle_page_explains_the_problem_according_to_the_members_permissions(
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


def test_vehicle_page_names_the_driver_with_the_problem(
    fleet: Fleet, vehicle: Vehicle, connection: Connection, owner: User, browser_of: BrowserOf
) -> None:
    create_connection(vehicle, "user-2", State.NEEDS_REAUTHENTICATION)
    name_driver(fleet, "user-2", "Dana")
    page = browser_of(owner).get(f"/fleets/blue/vehicles/{vehicle.smartcar_id}/").content.decode()
    assert "Reauthentication required (Dana)" in page
    # The dashboard shows the connection that works.
    assert "Reauthentication required" not in browser_of(owner).get("/fleets/blue/").content.decode()


def test_open_page_reloads_when_something_has_changed(
    connection: Connection, owner: User, browser_of: BrowserOf
) -> None:
    browser = browser_of(owner)
    version = browser.get(f"{PAGE}{connection.pk}/").context["version"]
    watch = f"{PAGE}{connection.pk}/status/?version={version}"
    assert browser.get(watch).status_code == 204
    connection.move_to(State.STALE, now=timezone.now())
    assert browser.get(watch).headers["HX-Refresh"] == "true"


def test_connections_that_need_attention_come_first(
    fleet: Fleet, connection: Connection, owner: User, browser_of: BrowserOf
) -> None:
    zoo = Vehicle.objects.create(fleet=fleet, smartcar_id="zoo", name="Zoo bus")
    create_connection(zoo, state=State.STALE)
    page = browser_of(owner).get(PAGE).content.decode()
    assert page.index("Zoo bus") < page.index("Van 1")

"""Migration of a fleet to a new application: a link per driver; the old grant lives until the new one delivers."""

import time
from collections.abc import Callable
from datetime import time as clock
from datetime import timedelta

import httpx
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from accounts.audit import AuditEvent
from accounts.models import AuditLogEntry, Fleet, User
from connect import applications, oauth
from connect.applications import application_migration, registry, services
from connect.applications.models import SmartcarApplication
from connect.driver_portal import privacy
from connect.messages import StateReason
from connect.models import Connection, ConnectionState, DriverPortal, Invitation, TrackingSchedule
from tests.connect.second import second_application
from tests.smartcar import authorize, connect
from tests.webhooks.helpers import post, state_of
from webhooks import application_cutover, processing
from webhooks.signature import sign

pytestmark = pytest.mark.django_db
BrowserOf = Callable[[User], Client]
SESSION = "a driver's browser"


@pytest.fixture(autouse=True)
def clear_key_cache() -> None:
    registry.clear_key_cache()


@pytest.fixture
def second(smartcar: str) -> SmartcarApplication:
    return second_application(smartcar)


@pytest.fixture
def old(smartcar: str, fleet: Fleet, owner: User, second: SmartcarApplication) -> Connection:
    """A vehicle on the settings' application. The fleet has just selected the second one."""
    (connection,) = connect(smartcar, fleet=fleet, user=owner, count=1).connections
    Connection.objects.update(subscribed_at=timezone.now(), state=ConnectionState.ACTIVE)
    services.choose_application(fleet=fleet, application=second, actor=owner)
    connection.refresh_from_db()
    return connection


def share_again(smartcar: str, old: Connection, user: User) -> Connection:
    """The driver follows a new link through Connect, and the new connection is subscribed."""
    (pending,) = application_migration.pending_drivers(fleet=old.fleet)
    invitation = application_migration.invite_driver(
        pending=pending, user=user, driver=pending.driver, by_email=False
    )
    url = oauth.start_for_invitation(invitation=invitation, session_secret=SESSION)
    params = authorize(smartcar, url, vehicleIds=[old.vehicle.smartcar_id])
    (new,) = oauth.handle_callback(params=params, user=None, session_secret=SESSION).connections
    Connection.objects.filter(pk=new.pk).update(subscribed_at=timezone.now())
    new.refresh_from_db()
    return new


def deliver(connection: Connection, *, by: SmartcarApplication | None) -> None:
    now = round(time.time() * 1000)
    body = state_of(connection.vehicle.smartcar_id, event_id=f"event-{now}-{by}", locked=True, at=now)
    token = applications.get_application(by).credentials.management_tokens[0]
    assert post(body, signed=sign(token=token, message=body)).status_code == 200
    processing.process_waiting()


def grants(smartcar: str, row: SmartcarApplication | None) -> int:
    which = applications.get_application(row).credentials.application_id
    vehicles = httpx.get(f"{smartcar}/control/vehicles", params={"applicationId": which, "connected": "true"})
    return int(vehicles.json()["count"])


def test_selecting_another_application_requires_a_link_for_each_driver(old: Connection, owner: User) -> None:
    DriverPortal.objects.create(
        fleet=old.fleet, smartcar_user_id=old.smartcar_user_id, driver_name="Dana", secret_hash="x"
    )
    (pending,) = application_migration.pending_drivers(fleet=old.fleet)
    assert (pending.driver.name, pending.connections, pending.arrived, pending.invitation) == (
        "Dana",
        [old],
        [],
        None,
    )
    first = application_migration.invite_driver(
        pending=pending, user=owner, driver=pending.driver, by_email=False
    )
    (pending,) = application_migration.pending_drivers(fleet=old.fleet)
    assert pending.invitation == first
    second_link = application_migration.invite_driver(
        pending=pending, user=owner, driver=pending.driver, by_email=False
    )
    first.refresh_from_db()
    assert (first.open, second_link.open) == (False, True)


def test_driver_authorizes_the_new_application_and_the_old_connection_remains(
    smartcar: str, old: Connection, owner: User, second: SmartcarApplication
) -> None:
    new = share_again(smartcar, old, owner)
    assert (new.application, new.vehicle) == (second, old.vehicle)
    old.refresh_from_db()
    assert old.alive
    (pending,) = application_migration.pending_drivers(fleet=old.fleet)
    assert pending.arrived == [old]
    assert application_cutover.finish_cutover() == 0


def test_the_old_grant_ends_once_the_new_application_has_delivered(
    smartcar: str, old: Connection, owner: User, second: SmartcarApplication
) -> None:
    new = share_again(smartcar, old, owner)
    assert grants(smartcar, None) == grants(smartcar, second) == 1
    deliver(new, by=second)
    assert application_cutover.finish_cutover() == 1
    old.refresh_from_db()
    new.refresh_from_db()
    assert (old.state, old.state_reason_code) == (ConnectionState.REMOVED, StateReason.REPLACED)
    assert new.alive
    assert grants(smartcar, None) == 0
    assert grants(smartcar, second) == 1
    assert application_migration.pending_drivers(fleet=old.fleet) == []
    assert AuditLogEntry.objects.filter(
        fleet=old.fleet, event=AuditEvent.APPLICATION_VEHICLE_MIGRATED
    ).exists()
    assert application_cutover.finish_cutover() == 0


def test_deliveries_of_the_former_application_dont_confirm_the_migration(
    smartcar: str, old: Connection, owner: User
) -> None:
    new = share_again(smartcar, old, owner)
    deliver(new, by=None)
    assert application_cutover.finish_cutover() == 0


def test_hidden_location_stays_hidden(
    smartcar: str, old: Connection, owner: User, second: SmartcarApplication
) -> None:
    now = timezone.now()
    privacy.pause(connection=old, duration=None, now=now)
    privacy.set_hours(connection=old, starts=clock(8), ends=clock(17), weekdays_only=True, now=now)
    new = share_again(smartcar, old, owner)
    deliver(new, by=second)
    assert application_cutover.finish_cutover() == 1
    assert TrackingSchedule.objects.get().connection == new
    rules = privacy.privacy_for_vehicle(vehicle_ids=[old.vehicle_id], now=now + timedelta(minutes=1))
    assert rules.is_hidden(old.vehicle_id, at=now + timedelta(minutes=1))


def test_failure_at_smartcar_leaves_the_old_connection_for_the_next_run(
    smartcar: str, old: Connection, owner: User, second: SmartcarApplication
) -> None:
    new = share_again(smartcar, old, owner)
    deliver(new, by=second)
    httpx.post(f"{smartcar}/control/troubles", json={"serverErrors": 1}, timeout=10)
    assert application_cutover.finish_cutover() == 0
    httpx.delete(f"{smartcar}/control/troubles", timeout=10)
    assert application_cutover.finish_cutover() == 1


def test_deleted_former_application_does_not_block_the_migration(
    smartcar: str, old: Connection, owner: User, second: SmartcarApplication, settings: Settings
) -> None:
    new = share_again(smartcar, old, owner)
    deliver(new, by=second)
    settings.SMARTCAR_CLIENT_ID = "client_gone"
    assert application_cutover.finish_cutover() == 1


def test_connection_of_another_driver_of_the_vehicle_is_not_ended(
    smartcar: str, old: Connection, owner: User, second: SmartcarApplication
) -> None:
    new = share_again(smartcar, old, owner)
    Connection.objects.create(
        fleet=old.fleet,
        vehicle=old.vehicle,
        smartcar_user_id="a colleague",
        api_version=old.api_version,
        mode=old.mode,
        state=ConnectionState.ACTIVE,
    )
    deliver(new, by=second)
    assert application_cutover.finish_cutover() == 1
    (pending,) = application_migration.pending_drivers(fleet=old.fleet)
    assert pending.user_id == "a colleague"


@pytest.mark.parametrize(
    ("who", "status"),
    [("owner", 302), ("teammate", 302), ("viewer", 403), ("driver", 403), ("outsider", 404)],
)
def test_only_owner_and_manager_can_create_a_link(
    request: pytest.FixtureRequest, old: Connection, browser_of: BrowserOf, who: str, status: int
) -> None:
    address = reverse("connect:integration_send_link", args=["blue", old.pk])
    assert browser_of(request.getfixturevalue(who)).post(address).status_code == status
    assert Invitation.objects.exists() == (status == 302)


def test_page_lists_the_drivers_and_shows_the_link_once(
    old: Connection, owner: User, browser_of: BrowserOf
) -> None:
    browser, page = browser_of(owner), reverse("connect:integration", args=["blue"])
    assert "No link yet" in browser.get(page).content.decode()
    browser.post(reverse("connect:integration_send_link", args=["blue", old.pk]))
    first, second = browser.get(page).content.decode(), browser.get(page).content.decode()
    assert Invitation.objects.get().url in first
    assert Invitation.objects.get().url not in second
    assert "Link active" in second


def test_no_link_for_a_connection_of_another_fleet_or_of_the_new_application(
    smartcar: str, old: Connection, owner: User, browser_of: BrowserOf, outsider: User
) -> None:
    red = Fleet.objects.get(slug="red")
    (other,) = connect(smartcar, fleet=red, user=outsider, count=1).connections
    for pk in (other.pk, old.pk + 1000):
        answer = browser_of(owner).post(reverse("connect:integration_send_link", args=["blue", pk]))
        assert answer.status_code == 404


def test_all_drivers_with_an_address_and_no_open_link_are_emailed_one(
    old: Connection, owner: User, browser_of: BrowserOf, viewer: User, settings: Settings
) -> None:
    settings.EMAIL_ENABLED = True
    page = DriverPortal(fleet=old.fleet, smartcar_user_id=old.smartcar_user_id, secret_hash="x")
    page.driver_name, page.driver_email = "Dana", "dana@drivers.example"
    page.save()
    address = reverse("connect:integration_send_all_links", args=["blue"])
    assert browser_of(viewer).post(address).status_code == 403
    for _ in range(2):
        browser_of(owner).post(address)
    assert Invitation.objects.get().by_email
    settings.EMAIL_ENABLED = False
    assert "t send email" in browser_of(owner).post(address, follow=True).content.decode()

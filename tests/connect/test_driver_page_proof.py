"""What shows a location again or ends sharing needs the driver's own proof, and the driver is told about it."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.audit import AuditEvent
from accounts.models import AuditLogEntry, Fleet, SmartcarApiVersion, User
from connect import reauthorization
from connect.driver_portal import services
from connect.models import (
    Connection,
    ConnectionState,
    DriverPortal,
    Invitation,
    LocationPause,
    TrackingSchedule,
)
from connect.status.states import AuthorizationPurpose
from tests.connect.invited import at_connect, invited, walk
from tests.smartcar import authorize

pytestmark = pytest.mark.django_db
both = pytest.mark.parametrize("api_version", [SmartcarApiVersion.V2, SmartcarApiVersion.V3])
HOURS = {"starts": "08:00", "ends": "17:00"}


def share(smartcar: str, fleet: Fleet, owner: User, api_version: str = "v3", **options: Any) -> DriverPortal:
    """A driver connects a car by an invitation. Returns the driver's page."""
    Fleet.objects.update(api_version=api_version)
    fleet.refresh_from_db()
    walk(smartcar, Client(), invited(fleet=fleet, user=owner, **options), count=1)
    return DriverPortal.objects.get()


def act(page: DriverPortal, action: str, **data: str) -> str:
    connection = Connection.objects.get()
    answer = Client().post(f"{page.path}{connection.pk}/{action}/", data, follow=True)
    return str(answer.content.decode())


def renewed_by_manager(page: DriverPortal, owner: User) -> DriverPortal:
    """The manager creates a new link, which is shown to them because no email can be sent."""
    return services.renew(page=page, user=owner)


@both
def test_manager_with_the_link_cannot_weaken_the_drivers_privacy(
    smartcar: str, fleet: Fleet, owner: User, api_version: str
) -> None:
    page = renewed_by_manager(share(smartcar, fleet, owner, api_version), owner)
    assert "Confirm that it's you" in Client().get(page.path).content.decode()
    act(page, "pause", lasts="open")
    pause = LocationPause.objects.get()
    for action, data in [
        ("resume", {}),
        ("pause", {"lasts": "hour"}),
        ("hours", HOURS),
        ("all-hours", {}),
        ("withdraw", {"extent": "everything"}),
    ]:
        assert "has seen the link of this page" in act(page, action, **data), action
    assert list(LocationPause.objects.values_list("pk", "ends_at")) == [(pause.pk, None)]
    assert not TrackingSchedule.objects.exists()
    assert Connection.objects.get().state != ConnectionState.REMOVED


@both
def test_driver_who_signs_in_gets_a_link_that_nobody_else_has_seen(
    smartcar: str, fleet: Fleet, owner: User, api_version: str
) -> None:
    page = renewed_by_manager(share(smartcar, fleet, owner, api_version), owner)
    connection = Connection.objects.get()
    act(page, "pause", lasts="open")
    browser = Client()
    url = browser.post(f"{page.path}{connection.pk}/sign-in/").headers["Location"]
    chosen = {} if api_version == "v3" else {"vehicleIds": [connection.vehicle.smartcar_id]}
    answer = browser.get("/connect/callback/", authorize(smartcar, url, **chosen), follow=True)
    assert answer.status_code == 200
    own = DriverPortal.objects.get(revoked_at=None)
    assert (own.shown_to_manager, own.link_created_by) == (False, None)
    assert answer.redirect_chain[-1][0] == own.path
    assert own.path != page.path
    assert Client().get(page.path).status_code == 404
    act(own, "resume")
    assert LocationPause.objects.get().ends_at is not None


@pytest.mark.parametrize("purpose", [AuthorizationPurpose.BATTERY, AuthorizationPurpose.SIGN_IN])
def test_made_up_redirect_does_not_open_the_drivers_page(
    smartcar: str, fleet: Fleet, owner: User, purpose: AuthorizationPurpose
) -> None:
    page = share(smartcar, fleet, owner, "v2", driver_email="dana@home.example")
    connection = Connection.objects.select_related("vehicle", "fleet", "tokens").get()
    manager = Client()
    link = reauthorization_link(connection, owner, purpose)
    state = parse_qs(urlsplit(at_connect(manager, link)).query).get("state", [""])[0]
    made_up = {"vehicle_id": connection.vehicle.smartcar_id, "reason": "battery_capacity"}
    answer = manager.get("/connect/callback/", made_up | ({"state": state} if state else {}), follow=True)
    assert answer.status_code == 200
    assert page.path not in answer.content.decode()
    assert answer.redirect_chain == []
    page.refresh_from_db()
    assert page.driver_email == "dana@home.example"


def reauthorization_link(connection: Connection, owner: User, purpose: AuthorizationPurpose) -> Invitation:
    return invited(
        fleet=connection.fleet,
        user=owner,
        connection=connection,
        purpose=reauthorization.effective_purpose(connection=connection, purpose=purpose),
        driver_email="manager@fleet.example",
    )


def test_audit_log_names_the_page_and_who_created_its_link(
    smartcar: str, fleet: Fleet, owner: User, browser_of: Callable[[User], Client]
) -> None:
    page = share(smartcar, fleet, owner)
    act(page, "pause", lasts="hour")
    act(page, "resume")
    shown = AuditLogEntry.objects.get(event=AuditEvent.DRIVER_LOCATION_SHOWN)
    assert shown.data == {"by_driver": True, "page": page.pk, "link_by": ""}
    renewed = renewed_by_manager(page, owner)
    act(renewed, "pause", lasts="hour")
    hidden = AuditLogEntry.objects.filter(event=AuditEvent.DRIVER_LOCATION_HIDDEN).latest("pk")
    assert hidden.data == {"by_driver": True, "page": renewed.pk, "link_by": owner.email}
    text = browser_of(owner).get("/fleets/blue/audit-log/").content.decode()
    assert f"Driver page {renewed.pk}" in text
    assert f"Link created by {owner.email}" in text


@pytest.mark.django_db(transaction=True)
def test_driver_is_told_what_changes(
    smartcar: str,
    fleet: Fleet,
    owner: User,
    settings: Settings,
    browser_of: Callable[[User], Client],
    run_enqueued: Callable[[], list[str]],
) -> None:
    settings.EMAIL_ENABLED = True
    page = share(smartcar, fleet, owner, driver_email="dana@home.example")
    run_enqueued()
    mail.outbox.clear()

    def told() -> list[tuple[str, str]]:
        run_enqueued()
        emails = [(email.to[0], str(email.body)) for email in mail.outbox]
        mail.outbox.clear()
        return emails

    act(page, "pause", lasts="open")
    assert told() == []
    for action, data in [("resume", {}), ("hours", HOURS), ("all-hours", {})]:
        act(page, action, **data)
        ((recipient, text),) = told()
        assert recipient == "dana@home.example"
        assert "can see the location of your car again" in text
        assert page.path not in text
    other = invited(fleet=fleet, user=owner, driver_email="other@home.example")
    services.portal_after_authorization(invitation=other, smartcar_user_id=page.smartcar_user_id)
    ((recipient, text),) = told()
    assert recipient == "dana@home.example"
    assert "another email address" in text
    browser_of(owner).post(f"/fleets/blue/drivers/{page.pk}/close/")
    ((recipient, text),) = told()
    assert recipient == "other@home.example"
    assert "has closed your sharing page" in text
    assert timezone.now() > page.created_at

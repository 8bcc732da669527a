"""The setup checklist of a new fleet: who sees it, what completes each step, and when it disappears."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from accounts.audit import AuditEvent
from accounts.models import AuditLogEntry, Fleet, Membership, Onboarding, SmartcarApiVersion, User
from accounts.services import create_fleet
from connect.applications import services as applications
from connect.applications import setup_events
from connect.applications.setup_events import SetupStep
from connect.models import ApplicationToken, Connection, Invitation, SmartcarApplication
from dashboard.onboarding import services
from dashboard.onboarding.selectors import build_checklist
from dashboard.onboarding.steps import SetupTask
from tests.smartcar import register_webhook
from vehicles.models import Vehicle
from webhooks.models import EntryState, InboxEntry, Source

pytestmark = pytest.mark.django_db
BrowserOf = Callable[[User], Client]
PAGE = "/fleets/blue/onboarding/"


@pytest.fixture(autouse=True)
def no_webhook_id(settings: Settings) -> None:
    settings.SMARTCAR_WEBHOOK_ID = ""


def completed_steps(fleet: Fleet) -> set[SetupTask]:
    return set(build_checklist(fleet=fleet).done)


def checklist_for(user: User) -> Any:
    """Returns the checklist that the fleet page shows the user."""
    return services.get_checklist(membership=Membership.objects.select_related("fleet").get(user=user))


def invite(fleet: Fleet, **fields: Any) -> Invitation:
    return Invitation.objects.create(
        fleet=fleet, driver_name="Kim", scopes=["read_battery"], mode="live", secret_hash="0" * 64, **fields
    )


def create_connection(vehicle: Vehicle, **fields: Any) -> Connection:
    return Connection.objects.create(
        fleet=vehicle.fleet, vehicle=vehicle, smartcar_user_id="user", api_version="v3", mode="live", **fields
    )


def create_delivery(vehicle: Vehicle, **fields: Any) -> InboxEntry:
    defaults = {
        "source": Source.WEBHOOK,
        "state": EntryState.PROCESSED,
        "received_at": timezone.now(),
    } | fields
    return InboxEntry.objects.create(smartcar_vehicle_id=vehicle.smartcar_id, body=b"{}", **defaults)


# -- Completing steps ------------------------------------------------------------------------------------------------


def test_an_empty_fleet_has_completed_nothing(fleet: Fleet) -> None:
    assert completed_steps(fleet) == set()


def test_valid_credentials_complete_the_first_step(
    smartcar: str, fleet: Fleet, owner: User, browser_of: BrowserOf
) -> None:
    browser_of(owner).post("/fleets/blue/integration/check/")
    assert completed_steps(fleet) == {SetupTask.CREDENTIALS}


def test_invalid_credentials_do_not_complete_the_first_step(
    smartcar: str, fleet: Fleet, owner: User, browser_of: BrowserOf, settings: Settings
) -> None:
    settings.SMARTCAR_CLIENT_SECRET = "wrong"
    browser_of(owner).post("/fleets/blue/integration/check/")
    assert completed_steps(fleet) == set()


def test_a_token_from_smartcar_also_completes_the_first_step(fleet: Fleet, settings: Settings) -> None:
    row = ApplicationToken.objects.create(client_id=settings.SMARTCAR_CLIENT_ID)
    assert completed_steps(fleet) == set()
    row.expires_at = timezone.now()
    row.save()
    assert completed_steps(fleet) == {SetupTask.CREDENTIALS}


def test_the_webhook_id_and_its_verification_are_the_next_steps(fleet: Fleet, settings: Settings) -> None:
    settings.SMARTCAR_WEBHOOK_ID = "webhook"
    assert completed_steps(fleet) == {SetupTask.WEBHOOK}
    assert build_checklist(fleet=fleet).address_needed
    setup_events.record(application_pk=None, milestone=SetupStep.VERIFIED)
    assert completed_steps(fleet) == {SetupTask.WEBHOOK, SetupTask.VERIFIED}
    assert not build_checklist(fleet=fleet).address_needed


def test_the_simulators_verification_completes_its_step(
    smartcar: str, transactional_db: None, live_server: object, fleet: Fleet, settings: Settings
) -> None:
    from webhooks.verifications import verifications

    verifications.reset()
    settings.SMARTCAR_WEBHOOK_ID = "a-webhook-of-its-own"
    register_webhook(smartcar, f"{settings.SITE_URL}/webhooks/smartcar/")
    assert SetupTask.VERIFIED in completed_steps(fleet)


def test_an_invitation_completes_a_step_but_a_reconnect_link_does_not(fleet: Fleet) -> None:
    invite(fleet, purpose="permissions")
    assert completed_steps(fleet) == set()
    Invitation.objects.all().delete()
    invite(fleet)
    assert completed_steps(fleet) == {SetupTask.INVITED}


def test_connecting_a_vehicle_completes_the_steps_before_it(fleet: Fleet, vehicle: Vehicle) -> None:
    create_connection(vehicle)
    assert completed_steps(fleet) == {SetupTask.CREDENTIALS, SetupTask.INVITED, SetupTask.VEHICLE}


def test_the_first_delivery_completes_the_steps_before_it(fleet: Fleet, vehicle: Vehicle) -> None:
    create_connection(vehicle)
    create_delivery(vehicle)
    assert build_checklist(fleet=fleet).complete


@pytest.mark.parametrize(
    "fields",
    [
        {"source": Source.PULL_V3},
        {"state": EntryState.WAITING},
        {"state": EntryState.DEAD},
        {"received_at": timezone.now() - timedelta(days=400)},
    ],
    ids=["fetched", "not processed", "failed", "of a previous owner"],
)
def test_other_deliveries_do_not_count(fleet: Fleet, vehicle: Vehicle, fields: dict[str, Any]) -> None:
    create_connection(vehicle)
    create_delivery(vehicle, **fields)
    assert SetupTask.DELIVERY not in completed_steps(fleet)


def test_progress_of_another_fleet_does_not_count(fleet: Fleet, outsider: User) -> None:
    red = Fleet.objects.get(slug="red")
    theirs = Vehicle.objects.create(fleet=red, smartcar_id="theirs")
    invite(red)
    create_connection(theirs)
    create_delivery(theirs)
    assert completed_steps(fleet) == set()


def test_milestones_of_another_application_do_not_count(fleet: Fleet, owner: User) -> None:
    row = SmartcarApplication.objects.create(name="Second", application_id="second")
    for milestone in SetupStep:
        setup_events.record(application_pk=row.pk, milestone=milestone)
    assert completed_steps(fleet) == set()
    applications.choose_application(fleet=fleet, application=row, actor=owner)
    assert completed_steps(fleet) == {SetupTask.CREDENTIALS, SetupTask.VERIFIED}


# -- Visibility --------------------------------------------------------------------------------------------------------


def test_members_who_connect_vehicles_see_the_checklist(
    fleet: Fleet, owner: User, teammate: User, viewer: User, driver: User
) -> None:
    assert checklist_for(viewer) is None
    assert checklist_for(driver) is None
    assert checklist_for(owner) is not None
    assert checklist_for(teammate) is not None


def test_a_fleet_with_vehicles_has_no_checklist(fleet: Fleet, owner: User, vehicle: Vehicle) -> None:
    assert checklist_for(owner) is None
    fleet.refresh_from_db()
    assert fleet.onboarding == Onboarding.OVER


def test_completion_is_shown_once_and_costs_no_query_afterward(fleet: Fleet, owner: User) -> None:
    assert not checklist_for(owner).complete
    vehicle = Vehicle.objects.create(fleet=fleet, smartcar_id="car")
    create_connection(vehicle)
    assert not checklist_for(owner).complete
    create_delivery(vehicle)
    assert checklist_for(owner).complete
    membership = Membership.objects.select_related("fleet").get(user=owner)
    with CaptureQueriesContext(connection) as queries:
        assert services.get_checklist(membership=membership) is None
    assert len(queries) == 0


def test_an_open_list_costs_two_queries(fleet: Fleet, owner: User) -> None:
    checklist_for(owner)
    membership = Membership.objects.select_related("fleet").get(user=owner)
    with CaptureQueriesContext(connection) as queries:
        assert services.get_checklist(membership=membership) is not None
    assert len(queries) == 2


def test_hiding_the_checklist_applies_to_the_fleet_and_is_in_the_audit_log(
    fleet: Fleet, owner: User, teammate: User, browser_of: BrowserOf
) -> None:
    assert checklist_for(owner) is not None
    answer = browser_of(teammate).post(f"{PAGE}hide/", follow=True)
    assert "Checklist hidden. You can open it again from the fleet" in answer.content.decode()
    assert checklist_for(owner) is None
    assert AuditLogEntry.objects.get(event=AuditEvent.SETUP_CHECKLIST_HIDDEN).actor == teammate
    assert "0 of 6 complete" in browser_of(owner).get(PAGE).content.decode()


def test_a_new_fleet_starts_with_the_checklist(owner: User, fleet: Fleet) -> None:
    second = create_fleet(name="Second", slug="second", owner=owner, api_version=SmartcarApiVersion.V3)
    assert second.onboarding == Onboarding.NEW


# -- The pages ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "status"),
    [("owner", 200), ("teammate", 200), ("viewer", 403), ("driver", 403), ("outsider", 404)],
)
def test_permissions_for_the_page(
    request: pytest.FixtureRequest, fleet: Fleet, browser_of: BrowserOf, role: str, status: int
) -> None:
    browser = browser_of(request.getfixturevalue(role))
    assert browser.get(PAGE).status_code == status
    assert browser.get(f"{PAGE}steps/", {"version": "older"}).status_code == status
    assert browser.post(f"{PAGE}hide/").status_code == (302 if status == 200 else status)


def test_anonymous_users_are_redirected_to_sign_in(fleet: Fleet) -> None:
    for address in (PAGE, f"{PAGE}steps/"):
        assert Client().get(address).status_code == 302


def test_the_page_shows_the_next_step_and_the_webhook_url(
    fleet: Fleet, owner: User, browser_of: BrowserOf, settings: Settings
) -> None:
    page = browser_of(owner).get(PAGE).content.decode()
    assert "0 of 6 complete" in page
    assert f'value="{settings.SITE_URL}/webhooks/smartcar/"' in page
    assert 'aria-current="step"' in page
    assert page.index("Test credentials") < page.index("Invite a driver") < page.index("Connect a vehicle")


def test_polling_returns_newly_completed_steps_or_204(
    fleet: Fleet, owner: User, browser_of: BrowserOf, settings: Settings
) -> None:
    browser = browser_of(owner)
    assert browser.get(f"{PAGE}steps/", {"version": ""}).status_code == 204
    settings.SMARTCAR_WEBHOOK_ID = "webhook"
    update = browser.get(f"{PAGE}steps/", {"version": ""}).content.decode()
    assert "Done: Create a webhook in the Smartcar dashboard." in update
    assert "1 of 6 complete" in update
    assert "<html" not in update
    assert browser.get(f"{PAGE}steps/", {"version": "webhook"}).status_code == 204


def test_a_complete_checklist_does_not_poll(
    fleet: Fleet, owner: User, vehicle: Vehicle, browser_of: BrowserOf
) -> None:
    create_connection(vehicle)
    create_delivery(vehicle)
    page = browser_of(owner).get(PAGE).content.decode()
    assert "Setup complete" in page
    assert "hx-trigger" not in page[page.index('id="onboarding"') :]
    assert "Hide checklist" not in page

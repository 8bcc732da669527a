"""The checklist of a new fleet's set-up: who sees it, what turns each step green, when it is over."""

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
def nothing_entered(settings: Settings) -> None:
    settings.SMARTCAR_WEBHOOK_ID = ""


def done(fleet: Fleet) -> set[SetupTask]:
    return set(build_checklist(fleet=fleet).done)


def shown_to(user: User) -> Any:
    """What the fleet page would show the person, on a visit of its own."""
    return services.get_checklist(membership=Membership.objects.select_related("fleet").get(user=user))


def invite(fleet: Fleet, **fields: Any) -> Invitation:
    return Invitation.objects.create(
        fleet=fleet, driver_name="Kim", scopes=["read_battery"], mode="live", secret_hash="0" * 64, **fields
    )


def connected(vehicle: Vehicle, **fields: Any) -> Connection:
    return Connection.objects.create(
        fleet=vehicle.fleet, vehicle=vehicle, smartcar_user_id="user", api_version="v3", mode="live", **fields
    )


def delivered(vehicle: Vehicle, **fields: Any) -> InboxEntry:
    given = {"source": Source.WEBHOOK, "state": EntryState.PROCESSED, "received_at": timezone.now()} | fields
    return InboxEntry.objects.create(smartcar_vehicle_id=vehicle.smartcar_id, body=b"{}", **given)


# -- What turns green ------------------------------------------------------------------------------------------------


def test_an_empty_fleet_has_done_nothing(fleet: Fleet) -> None:
    assert done(fleet) == set()


def test_a_good_test_of_the_credentials_is_the_first_step(
    smartcar: str, fleet: Fleet, owner: User, browser_of: BrowserOf
) -> None:
    browser_of(owner).post("/fleets/blue/integration/check/")
    assert done(fleet) == {SetupTask.CREDENTIALS}


def test_a_test_that_finds_them_wrong_is_not(
    smartcar: str, fleet: Fleet, owner: User, browser_of: BrowserOf, settings: Settings
) -> None:
    settings.SMARTCAR_CLIENT_SECRET = "wrong"
    browser_of(owner).post("/fleets/blue/integration/check/")
    assert done(fleet) == set()


def test_a_token_that_smartcar_gave_proves_the_credentials_too(fleet: Fleet, settings: Settings) -> None:
    row = ApplicationToken.objects.create(client_id=settings.SMARTCAR_CLIENT_ID)
    assert done(fleet) == set()
    row.expires_at = timezone.now()
    row.save()
    assert done(fleet) == {SetupTask.CREDENTIALS}


def test_the_webhooks_id_and_its_verification_are_the_next(fleet: Fleet, settings: Settings) -> None:
    settings.SMARTCAR_WEBHOOK_ID = "webhook"
    assert done(fleet) == {SetupTask.WEBHOOK}
    assert build_checklist(fleet=fleet).address_needed
    setup_events.record(application_pk=None, milestone=SetupStep.VERIFIED)
    assert done(fleet) == {SetupTask.WEBHOOK, SetupTask.VERIFIED}
    assert not build_checklist(fleet=fleet).address_needed


def test_the_simulators_verify_turns_its_step_green(
    smartcar: str, transactional_db: None, live_server: object, fleet: Fleet, settings: Settings
) -> None:
    from webhooks.verifications import verifications

    verifications.reset()
    settings.SMARTCAR_WEBHOOK_ID = "a-webhook-of-its-own"
    register_webhook(smartcar, f"{settings.SITE_URL}/webhooks/smartcar/")
    assert SetupTask.VERIFIED in done(fleet)


def test_an_invitation_is_a_step_and_a_link_about_a_known_car_is_not(fleet: Fleet) -> None:
    invite(fleet, purpose="permissions")
    assert done(fleet) == set()
    Invitation.objects.all().delete()
    invite(fleet)
    assert done(fleet) == {SetupTask.INVITED}


def test_a_car_of_ones_own_is_asked_and_connected_at_once(fleet: Fleet, vehicle: Vehicle) -> None:
    connected(vehicle)
    assert done(fleet) == {SetupTask.CREDENTIALS, SetupTask.INVITED, SetupTask.CAR}


def test_the_first_delivery_says_that_all_before_it_works(fleet: Fleet, vehicle: Vehicle) -> None:
    connected(vehicle)
    delivered(vehicle)
    assert build_checklist(fleet=fleet).complete


@pytest.mark.parametrize(
    "fields",
    [
        {"source": Source.PULL_V3},
        {"state": EntryState.WAITING},
        {"state": EntryState.DEAD},
        {"received_at": timezone.now() - timedelta(days=400)},
    ],
    ids=["read by us", "not processed", "failed", "of an owner before"],
)
def test_what_is_no_delivery_of_ours_is_not_one(
    fleet: Fleet, vehicle: Vehicle, fields: dict[str, Any]
) -> None:
    connected(vehicle)
    delivered(vehicle, **fields)
    assert SetupTask.DELIVERY not in done(fleet)


def test_another_fleets_progress_is_not_ours(fleet: Fleet, outsider: User) -> None:
    red = Fleet.objects.get(slug="red")
    theirs = Vehicle.objects.create(fleet=red, smartcar_id="theirs")
    invite(red)
    connected(theirs)
    delivered(theirs)
    assert done(fleet) == set()


def test_another_applications_milestones_are_not_ours(fleet: Fleet, owner: User) -> None:
    row = SmartcarApplication.objects.create(name="Second", application_id="second")
    for milestone in SetupStep:
        setup_events.record(application_pk=row.pk, milestone=milestone)
    assert done(fleet) == set()
    applications.choose_application(fleet=fleet, application=row, actor=owner)
    assert done(fleet) == {SetupTask.CREDENTIALS, SetupTask.VERIFIED}


# -- When it is shown, and when it is over -----------------------------------------------------------------------------


def test_it_is_for_those_who_connect_cars(
    fleet: Fleet, owner: User, teammate: User, viewer: User, driver: User
) -> None:
    assert shown_to(viewer) is None
    assert shown_to(driver) is None
    assert shown_to(owner) is not None
    assert shown_to(teammate) is not None


def test_a_fleet_that_had_cars_before_needs_none(fleet: Fleet, owner: User, vehicle: Vehicle) -> None:
    assert shown_to(owner) is None
    fleet.refresh_from_db()
    assert fleet.onboarding == Onboarding.OVER


def test_completion_is_said_once_and_then_costs_no_query(fleet: Fleet, owner: User) -> None:
    assert not shown_to(owner).complete
    vehicle = Vehicle.objects.create(fleet=fleet, smartcar_id="car")
    connected(vehicle)
    assert not shown_to(owner).complete
    delivered(vehicle)
    assert shown_to(owner).complete
    membership = Membership.objects.select_related("fleet").get(user=owner)
    with CaptureQueriesContext(connection) as queries:
        assert services.get_checklist(membership=membership) is None
    assert len(queries) == 0


def test_an_open_list_costs_two_queries(fleet: Fleet, owner: User) -> None:
    shown_to(owner)
    membership = Membership.objects.select_related("fleet").get(user=owner)
    with CaptureQueriesContext(connection) as queries:
        assert services.get_checklist(membership=membership) is not None
    assert len(queries) == 2


def test_hiding_it_is_for_the_whole_fleet_and_in_the_audit_log(
    fleet: Fleet, owner: User, teammate: User, browser_of: BrowserOf
) -> None:
    assert shown_to(owner) is not None
    answer = browser_of(teammate).post(f"{PAGE}hide/", follow=True)
    assert "Checklist hidden. You can open it again from the fleet" in answer.content.decode()
    assert shown_to(owner) is None
    assert AuditLogEntry.objects.get(event=AuditEvent.SETUP_CHECKLIST_HIDDEN).actor == teammate
    assert "0 of 6 complete" in browser_of(owner).get(PAGE).content.decode()


def test_a_new_fleet_starts_with_it(owner: User, fleet: Fleet) -> None:
    second = create_fleet(name="Second", slug="second", owner=owner, api_version=SmartcarApiVersion.V3)
    assert second.onboarding == Onboarding.NEW


# -- The pages ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "status"),
    [("owner", 200), ("teammate", 200), ("viewer", 403), ("driver", 403), ("outsider", 404)],
)
def test_who_may_open_it(
    request: pytest.FixtureRequest, fleet: Fleet, browser_of: BrowserOf, who: str, status: int
) -> None:
    browser = browser_of(request.getfixturevalue(who))
    assert browser.get(PAGE).status_code == status
    assert browser.get(f"{PAGE}steps/", {"version": "older"}).status_code == status
    assert browser.post(f"{PAGE}hide/").status_code == (302 if status == 200 else status)


def test_who_is_not_signed_in_is_asked_to(fleet: Fleet) -> None:
    for address in (PAGE, f"{PAGE}steps/"):
        assert Client().get(address).status_code == 302


def test_the_page_says_what_to_do_next_and_shows_the_address(
    fleet: Fleet, owner: User, browser_of: BrowserOf, settings: Settings
) -> None:
    page = browser_of(owner).get(PAGE).content.decode()
    assert "0 of 6 complete" in page
    assert f'value="{settings.SITE_URL}/webhooks/smartcar/"' in page
    assert 'aria-current="step"' in page
    assert page.index("Test credentials") < page.index("Invite a driver") < page.index("Connect a vehicle")


def test_an_open_page_hears_of_news_and_nothing_while_there_are_none(
    fleet: Fleet, owner: User, browser_of: BrowserOf, settings: Settings
) -> None:
    browser = browser_of(owner)
    assert browser.get(f"{PAGE}steps/", {"version": ""}).status_code == 204
    settings.SMARTCAR_WEBHOOK_ID = "webhook"
    news = browser.get(f"{PAGE}steps/", {"version": ""}).content.decode()
    assert "Done: Create a webhook in the Smartcar dashboard." in news
    assert "1 of 6 complete" in news
    assert "<html" not in news
    assert browser.get(f"{PAGE}steps/", {"version": "webhook"}).status_code == 204


def test_a_complete_list_asks_no_more(
    fleet: Fleet, owner: User, vehicle: Vehicle, browser_of: BrowserOf
) -> None:
    connected(vehicle)
    delivered(vehicle)
    page = browser_of(owner).get(PAGE).content.decode()
    assert "Setup complete" in page
    assert "hx-trigger" not in page[page.index('id="onboarding"') :]
    assert "Hide checklist" not in page

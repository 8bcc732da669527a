"""The callback page after a reload, in another browser, during the first one, and after an error."""

from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Fleet, SmartcarApiVersion, User
from connect import earlier_callbacks, oauth, oauth_errors
from connect.messages import AuthorizationOutcome
from connect.models import AuthorizationRequest, Connection, DriverPortal, Invitation
from tests.connect.invited import at_connect, invited
from tests.smartcar import authorize

pytestmark = pytest.mark.django_db
BrowserOf = Callable[[User], Client]
CALLBACK = "/connect/callback/"
both = pytest.mark.parametrize("api_version", [SmartcarApiVersion.V2, SmartcarApiVersion.V3])
LOST = "/connect/my-link/"


@pytest.fixture
def invitation(fleet: Fleet, owner: User) -> Invitation:
    return invited(fleet=fleet, user=owner)


def text(answer: Any) -> str:
    return unescape(answer.content.decode())


@both
def test_reload_leads_the_driver_to_the_own_page_again(
    smartcar: str, fleet: Fleet, owner: User, api_version: SmartcarApiVersion
) -> None:
    Fleet.objects.update(api_version=api_version)
    fleet.refresh_from_db()
    browser = Client()
    params = authorize(smartcar, at_connect(browser, invited(fleet=fleet, user=owner)), count=1)
    browser.get(CALLBACK, params)
    again = browser.get(CALLBACK, params, follow=True)
    assert again.redirect_chain == [(DriverPortal.objects.get().path, 302)]
    car = Connection.objects.get().vehicle.description
    assert f"{car} is already connected to Blue Fleet." in text(again)
    assert Connection.objects.count() == 1


def test_another_browser_shows_what_is_true_but_not_the_drivers_page(
    smartcar: str, invitation: Invitation
) -> None:
    browser = Client()
    params = authorize(smartcar, at_connect(browser, invitation), count=1)
    browser.get(CALLBACK, params)
    page = DriverPortal.objects.get()
    other = Client().get(CALLBACK, params)
    assert other.status_code == 200
    assert f"{Connection.objects.get().vehicle.description} is already connected" in text(other)
    assert page.secret not in text(other)
    assert LOST in text(other)


def test_the_other_browser_may_not_finish_but_says_where_it_was_started(
    smartcar: str, invitation: Invitation
) -> None:
    params = authorize(smartcar, at_connect(Client(), invitation), count=1)
    answer = Client().get(CALLBACK, params)
    assert answer.status_code == 400
    assert oauth_errors.OTHER_BROWSER.title in text(answer)
    assert invitation.secret not in text(answer)
    assert LOST in text(answer)
    assert not Connection.objects.exists()


def test_reason_of_an_error_remains_after_a_reload(smartcar: str, invitation: Invitation) -> None:
    browser = Client()
    params = authorize(smartcar, at_connect(browser, invitation), outcome="deny")
    for _ in range(2):
        answer = browser.get(CALLBACK, params)
        assert answer.status_code == 400
        assert "You chose not to share your car" in text(answer)
        assert invitation.path in text(answer)


@pytest.mark.parametrize("error", ["configuration_error", "an_error_of_tomorrow"])
def test_what_smartcar_told_the_user_is_shown_as_smartcars_text_without_secrets(
    smartcar: str, invitation: Invitation, error: str
) -> None:
    browser = Client()
    state = authorize(smartcar, at_connect(browser, invitation), outcome="deny")["state"]
    message = "You have entered a test mode VIN 1HGCM82633A004352 <b>here</b>. Please enter another."
    params = {"state": state, "error": error, "status_code": "400", "error_message": message}
    first = browser.get(CALLBACK, params).content.decode()
    stored = AuthorizationRequest.objects.get().outcome_params["smartcar_message"]
    assert stored == "You have entered a test mode VIN [removed] <b>here</b>. Please enter another."
    # The stored message, not that of an address that somebody edited.
    again = browser.get(CALLBACK, params | {"error_message": "Call this number"}).content.decode()
    for page in (first, again):
        assert "Smartcar&#x27;s message" in page or "Smartcar's message" in page
        assert "test mode VIN [removed] &lt;b&gt;here" in page
        assert "1HGCM" not in page
        assert "Call this number" not in page


def test_callback_during_the_first_one_asks_to_check_again(smartcar: str, invitation: Invitation) -> None:
    browser = Client()
    params = authorize(smartcar, at_connect(browser, invitation), count=1)
    AuthorizationRequest.objects.update(used_at=timezone.now())
    answer = browser.get(CALLBACK, params)
    assert oauth_errors.IN_PROGRESS.title in text(answer)
    assert f"{CALLBACK}?" in text(answer)
    AuthorizationRequest.objects.update(used_at=timezone.now() - timedelta(minutes=6))
    answer = browser.get(CALLBACK, params)
    assert oauth_errors.INTERRUPTED.title in text(answer)
    assert invitation.path in text(answer)


def test_late_return_says_that_the_sign_in_has_expired(smartcar: str, invitation: Invitation) -> None:
    browser = Client()
    params = authorize(smartcar, at_connect(browser, invitation), count=1)
    AuthorizationRequest.objects.update(created_at=timezone.now() - timedelta(hours=2))
    answer = browser.get(CALLBACK, params)
    assert (answer.status_code, oauth_errors.EXPIRED.title in text(answer)) == (400, True)
    assert invitation.path in text(answer)


def test_reload_leads_a_member_to_the_fleet_again(
    smartcar: str, fleet: Fleet, owner: User, browser_of: BrowserOf
) -> None:
    browser = browser_of(owner)
    url = browser.get("/fleets/blue/connections/start/").headers["Location"]
    params = authorize(smartcar, url, count=1)
    assert browser.get(CALLBACK, params).headers["Location"].startswith("/fleets/blue/?new=")
    again = browser.get(CALLBACK, params, follow=True)
    assert again.redirect_chain == [("/fleets/blue/", 302)]
    assert "is already connected." in text(again)


@pytest.mark.parametrize("person", ["nobody", "outsider", "former member"])
def test_the_address_of_a_members_callback_tells_others_nothing(
    smartcar: str,
    request: pytest.FixtureRequest,
    fleet: Fleet,
    owner: User,
    browser_of: BrowserOf,
    person: str,
) -> None:
    browser = browser_of(owner)
    url = browser.get("/fleets/blue/connections/start/").headers["Location"]
    params = authorize(smartcar, url, count=1)
    browser.get(CALLBACK, params, follow=True)
    if person == "former member":
        fleet.memberships.all().delete()
        other = browser
    else:
        other = Client() if person == "nobody" else browser_of(request.getfixturevalue(person))
    answer = other.get(CALLBACK, params)
    assert answer.status_code == 400
    assert Connection.objects.get().vehicle.model not in text(answer)
    assert "Blue" not in text(answer)


def test_every_page_has_a_button(smartcar: str, invitation: Invitation) -> None:
    """Also when nothing is known about the callback."""
    for params in ({}, {"state": "made-up"}, {"error": "access_denied", "state": "made-up"}):
        answer = Client().get(CALLBACK, params)
        assert LOST in text(answer)


def test_used_invitation_leads_to_the_own_page_in_the_drivers_browser_only(
    smartcar: str, invitation: Invitation
) -> None:
    browser = Client()
    browser.get(CALLBACK, authorize(smartcar, at_connect(browser, invitation), count=1))
    assert browser.get(invitation.path).headers["Location"] == DriverPortal.objects.get().path
    # A manager knows the link of the invitation, too.
    other = Client().get(invitation.path)
    assert other.status_code == 410
    assert DriverPortal.objects.get().secret not in text(other)
    assert LOST in text(other)


@pytest.mark.parametrize("outcome", AuthorizationOutcome)
def test_every_stored_outcome_has_a_page(outcome: AuthorizationOutcome) -> None:
    never_stored = {
        AuthorizationOutcome.CONNECTED,
        AuthorizationOutcome.EXPIRED,
        AuthorizationOutcome.IN_PROGRESS,
        AuthorizationOutcome.INTERRUPTED,
        AuthorizationOutcome.OTHER_BROWSER,
    }
    found = oauth_errors.stored_error(code=outcome.value, stored={}, sign_in=False)
    assert (found is None) == (outcome in never_stored)
    assert found is None or found.outcome == outcome


def test_member_chooses_make_and_country_for_an_own_vehicle(
    fleet: Fleet, owner: User, browser_of: BrowserOf
) -> None:
    browser = browser_of(owner)
    page = text(browser.get("/fleets/blue/connections/new/"))
    assert "OnStar account with the package Remote Access" in page
    target = browser.get("/fleets/blue/connections/start/", {"make": "Land Rover", "country": "gb"})
    assert "make=LAND_ROVER" in target.headers["Location"]
    assert "flags=country%3AGB" in target.headers["Location"]
    wrong = browser.get("/fleets/blue/connections/start/", {"country": "England"})
    assert (wrong.status_code, "two-letter country code" in text(wrong)) == (400, True)


@pytest.mark.parametrize(
    ("person", "status"),
    [("owner", 200), ("teammate", 200), ("viewer", 403), ("driver", 403), ("outsider", 404)],
)
def test_only_owner_and_manager_connect_own_vehicles(
    request: pytest.FixtureRequest, fleet: Fleet, browser_of: BrowserOf, person: str, status: int
) -> None:
    browser = browser_of(request.getfixturevalue(person))
    assert browser.get("/fleets/blue/connections/new/").status_code == status


def test_state_of_another_session_is_not_taken_for_the_same(smartcar: str, fleet: Fleet, owner: User) -> None:
    url = oauth.start(fleet=fleet, user=owner, session_secret="one")
    params = authorize(smartcar, url, count=1)
    oauth.handle_callback(params=params, user=owner, session_secret="one")
    for secret, same in (("one", True), ("two", False), ("", False)):
        found = earlier_callbacks.find(params=params, session_secret=secret, now=timezone.now())
        assert found is not None
        assert found.same_browser is same

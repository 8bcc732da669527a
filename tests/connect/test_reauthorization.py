"""Signing in again, allowing more and the battery size: by a member, and by a driver's personal link."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from accounts.audit import AuditEvent
from accounts.models import AuditLogEntry, Fleet, SmartcarApiVersion, User
from connect import oauth, oauth_errors
from connect.connections import services
from connect.connections.selectors import Driver
from connect.messages import StateReason
from connect.models import Connection, ConnectionState, Invitation, UserToken
from connect.oauth_errors import AuthorizationFailedError
from connect.status.states import AuthorizationPurpose
from smartcar_api.reauth_urls import battery_url, reauthenticate_url
from tests.connect.control import switch
from tests.smartcar import SESSION, authorize, connect

pytestmark = pytest.mark.django_db
State = ConnectionState
BrowserOf = Callable[[User], Client]
both = pytest.mark.parametrize("api_version", [SmartcarApiVersion.V2, SmartcarApiVersion.V3])


def shared(
    smartcar: str,
    fleet: Fleet,
    owner: User,
    api_version: str,
    state: ConnectionState | None = None,
    **choices: Any,
) -> Connection:
    """A connected car, in this state."""
    fleet.api_version = api_version
    fleet.save()
    (made,) = connect(smartcar, fleet=fleet, user=owner, **({"count": 1} | choices)).connections
    if state is not None:
        made.move_to(state, now=timezone.now(), error="CONNECTED_SERVICES_ACCOUNT:AUTHENTICATION_FAILED")
    return made


def trip(
    connection: Connection, user: User, purpose: AuthorizationPurpose = AuthorizationPurpose.SIGN_IN
) -> str:
    return oauth.start_for_connection(
        connection=connection, purpose=purpose, user=user, session_secret=SESSION
    )


def link(
    connection: Connection, user: User, purpose: AuthorizationPurpose = AuthorizationPurpose.SIGN_IN
) -> Invitation:
    dana = Driver("Dana", "dana@example.com")
    return services.create_link(
        connection=connection, user=user, purpose=purpose, driver=dana, by_email=False
    )


@both
def test_a_member_renews_the_sign_in_behind_a_car(
    smartcar: str, fleet: Fleet, owner: User, api_version: str, browser_of: BrowserOf
) -> None:
    made = shared(smartcar, fleet, owner, api_version, State.NEEDS_REAUTHENTICATION)
    switch(smartcar, "troubles", reauthenticate=[made.vehicle.smartcar_id])
    browser = browser_of(owner)
    url = browser.get(f"/fleets/blue/connections/{made.pk}/authorize/sign_in/").headers["Location"]
    assert urlsplit(url).path.endswith("/oauth/reauthenticate")
    answer = browser.get("/connect/callback/", authorize(smartcar, url), follow=True)
    assert answer.redirect_chain == [(f"/fleets/blue/connections/{made.pk}/", 302)]
    assert "was renewed. Data will arrive again within a few minutes" in answer.content.decode()
    made.refresh_from_db()
    assert (made.state, made.state_reason_code) == (State.PENDING, StateReason.REAUTHENTICATED)
    assert Connection.objects.count() == 1
    assert AuditLogEntry.objects.filter(event=AuditEvent.CONNECTION_REAUTHENTICATED, actor=owner).exists()


@both
def test_a_driver_renews_it_by_a_personal_link_without_an_account(
    smartcar: str, fleet: Fleet, owner: User, api_version: str
) -> None:
    made = shared(smartcar, fleet, owner, api_version, State.NEEDS_REAUTHENTICATION)
    invitation = link(made, owner)
    browser = Client()
    page = browser.get(invitation.path).content.decode()
    assert "Please sign in again" in page
    assert (
        "The manufacturer no longer accepts your sign-in, for example because your password changed" in page
    )
    url = browser.get(f"{invitation.path}start/").headers["Location"]
    answer = browser.get("/connect/callback/", authorize(smartcar, url), follow=True)
    assert "will start receiving data again shortly" in answer.content.decode()
    made.refresh_from_db()
    invitation.refresh_from_db()
    assert (made.state, invitation.used_at is not None) == (State.PENDING, True)
    assert browser.get(invitation.path).status_code == 410


@both
def test_a_way_back_for_another_car_changes_nothing(
    smartcar: str, fleet: Fleet, owner: User, api_version: str
) -> None:
    made = shared(smartcar, fleet, owner, api_version, State.NEEDS_REAUTHENTICATION)
    params = authorize(smartcar, trip(made, owner))
    with pytest.raises(AuthorizationFailedError) as refusal:
        oauth.handle_callback(params=params | {"vehicle_id": "another"}, user=owner, session_secret=SESSION)
    assert refusal.value.error == oauth_errors.UNCONFIRMED_SIGN_IN
    made.refresh_from_db()
    assert made.state == State.NEEDS_REAUTHENTICATION


def test_on_v3_a_sign_in_that_smartcar_does_not_list_is_not_believed(
    smartcar: str, fleet: Fleet, owner: User
) -> None:
    made = shared(smartcar, fleet, owner, SmartcarApiVersion.V3, State.NEEDS_REAUTHENTICATION)
    state = parse_qs(urlsplit(trip(made, owner)).query)["state"][0]
    forged = {"state": state, "vehicle_id": made.vehicle.smartcar_id}
    with pytest.raises(AuthorizationFailedError) as refusal:
        oauth.handle_callback(params=forged, user=owner, session_secret=SESSION)
    assert refusal.value.error == oauth_errors.UNCONFIRMED_SIGN_IN
    made.refresh_from_db()
    assert made.state == State.NEEDS_REAUTHENTICATION


def test_the_way_back_works_once_and_in_its_own_session(smartcar: str, fleet: Fleet, owner: User) -> None:
    made = shared(smartcar, fleet, owner, SmartcarApiVersion.V3, State.NEEDS_REAUTHENTICATION)
    params = authorize(smartcar, trip(made, owner))

    def outcome(session: str) -> str:
        try:
            return oauth.handle_callback(params=params, user=owner, session_secret=session).purpose
        except AuthorizationFailedError as refusal:
            return refusal.error.title

    ours = oauth_errors.UNKNOWN_STATE.title
    assert [outcome("another"), outcome(SESSION), outcome(SESSION)] == [
        ours,
        AuthorizationPurpose.SIGN_IN,
        ours,
    ]


def test_where_the_token_is_dead_v2_takes_the_whole_of_connect_and_updates_the_same_connection(
    smartcar: str, fleet: Fleet, owner: User
) -> None:
    made = shared(smartcar, fleet, owner, SmartcarApiVersion.V2, State.NEEDS_REAUTHENTICATION)
    UserToken.objects.update(revoked_at=timezone.now())
    url = trip(Connection.objects.get(), owner)
    assert urlsplit(url).path.endswith("/oauth/authorize")
    params = authorize(smartcar, url, vehicleIds=[made.vehicle.smartcar_id])
    arrival = oauth.handle_callback(params=params, user=owner, session_secret=SESSION)
    made.refresh_from_db()
    assert arrival.connections == [made]
    assert (made.state, made.tokens.revoked_at if made.tokens else "") == (State.PENDING, None)


@both
def test_more_is_allowed_on_the_same_connection(
    smartcar: str, fleet: Fleet, owner: User, api_version: str
) -> None:
    made = shared(
        smartcar, fleet, owner, api_version, State.ACTIVE, scopes=["read_vehicle_info", "read_battery"]
    )
    assert "control_security" not in made.scopes
    invitation = link(made, owner, AuthorizationPurpose.PERMISSIONS)
    browser = Client()
    assert "more permissions for" in browser.get(invitation.path).content.decode()
    url = browser.get(f"{invitation.path}start/").headers["Location"]
    browser.get(
        "/connect/callback/", authorize(smartcar, url, vehicleIds=[made.vehicle.smartcar_id]), follow=True
    )
    (again,) = Connection.objects.all()
    assert again.pk == made.pk
    assert {"read_battery", "control_security"} <= set(again.scopes)


def test_another_account_is_told_and_becomes_a_connection_of_its_own(
    smartcar: str, fleet: Fleet, owner: User, browser_of: BrowserOf
) -> None:
    made = shared(smartcar, fleet, owner, SmartcarApiVersion.V3)
    browser = browser_of(owner)
    url = browser.get(f"/fleets/blue/connections/{made.pk}/authorize/permissions/").headers["Location"]
    url = re.sub("&make=[^&]+", "", url)
    answer = browser.get(
        "/connect/callback/", authorize(smartcar, url, email="2-vehicles@smartcar.com"), follow=True
    )
    assert "t shared this time" in answer.content.decode()
    assert Connection.objects.count() == 2


def capacity_trip(smartcar: str, url: str, *, known: bool) -> dict[str, str]:
    """Through the battery's page; on v3 there is a sign-in before it."""
    with httpx.Client(timeout=30) as browser:
        page = browser.get(url, follow_redirects=True)
        if 'name="email"' in page.text:
            hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text))
            email = re.search(r'name="email"[^>]*value="([^"]+)"', page.text)
            assert email
            page = submit(browser, smartcar, page, **hidden, email=email[1])
            while page.is_redirect:
                page = browser.get(page.headers["Location"])
        offered = re.findall(r'name="capacity" value="([^"]+)"', page.text)
        back = submit(browser, smartcar, page, **({"capacity": offered[0]} if known else {"unknown": "yes"}))
    return {name: values[0] for name, values in parse_qs(urlsplit(back.headers["Location"]).query).items()}


def submit(browser: httpx.Client, smartcar: str, page: httpx.Response, **fields: str) -> httpx.Response:
    action = re.search(r'<form method="post" action="([^"]+)"', page.text)
    assert action, page.text
    return browser.post(f"{smartcar}{action[1].replace('&amp;', '&')}", data=fields)


def car_of_several_batteries(smartcar: str) -> str:
    cars = httpx.get(f"{smartcar}/control/vehicles", params={"limit": 100}, timeout=30).json()["vehicles"]
    for car in cars:
        full = httpx.get(f"{smartcar}/control/vehicles/{car['id']}", timeout=30).json()
        body = full.get("signals", {}).get("tractionbattery-nominalcapacity", {}).get("body")
        if car["account"] and body and body["capacity"] is None:
            return str(car["id"])
    raise AssertionError("no such car in this world")


@both
@pytest.mark.parametrize("known", [True, False])
def test_the_driver_chooses_the_battery_size_or_does_not_know_it(
    smartcar: str, fleet: Fleet, owner: User, api_version: str, known: bool
) -> None:
    car = car_of_several_batteries(smartcar)
    made = shared(smartcar, fleet, owner, api_version, vehicleIds=[car])
    invitation = link(made, owner, AuthorizationPurpose.BATTERY)
    browser = Client()
    assert "Which battery" in browser.get(invitation.path).content.decode()
    url = browser.get(f"{invitation.path}start/").headers["Location"]
    assert ("token=" in url) == (api_version == SmartcarApiVersion.V2)
    params = capacity_trip(smartcar, url, known=known)
    answer = browser.get("/connect/callback/", params, follow=True)
    said = answer.content.decode()
    assert ("The battery size of" in said and "was selected" in said) == known
    assert ("No battery size was selected" in said) == (not known)
    invitation.refresh_from_db()
    assert (invitation.used_at is not None) == known


def test_a_battery_answer_belongs_to_the_session_that_asked(smartcar: str, fleet: Fleet, owner: User) -> None:
    made = shared(smartcar, fleet, owner, SmartcarApiVersion.V3)
    trip(made, owner, AuthorizationPurpose.BATTERY)
    params = {"vehicle_id": made.vehicle.smartcar_id, "selected_capacity": "80", "reason": "battery_capacity"}
    for session, user in (("another", owner), ("", owner), (SESSION, None)):
        with pytest.raises(AuthorizationFailedError) as refusal:
            oauth.handle_callback(params=params, user=user, session_secret=session)
        assert refusal.value.error == oauth_errors.UNKNOWN_STATE
    assert (
        oauth.handle_callback(params=params, user=owner, session_secret=SESSION).purpose
        == AuthorizationPurpose.BATTERY
    )


@both
@pytest.mark.parametrize("error", ["access_denied", "server_error", "brand_new_error"])
def test_a_trip_that_fails_leaves_the_connection_as_it_was(
    smartcar: str, fleet: Fleet, owner: User, api_version: str, error: str
) -> None:
    made = shared(smartcar, fleet, owner, api_version, State.NEEDS_REAUTHENTICATION)
    invitation = link(made, owner)
    browser = Client()
    url = browser.get(f"{invitation.path}start/").headers["Location"]
    answer = browser.get("/connect/callback/", authorize(smartcar, url, outcome=error))
    assert answer.status_code == 400
    assert "Try again" in answer.content.decode()
    made.refresh_from_db()
    assert (made.state, Invitation.objects.get().open) == (State.NEEDS_REAUTHENTICATION, True)


@pytest.mark.usefixtures("mails")
def test_a_link_about_a_car_is_mailed_with_words_of_its_own(
    fleet: Fleet,
    owner: User,
    smartcar: str,
    run_enqueued: Callable[[], list[str]],
    django_capture_on_commit_callbacks: Any,
) -> None:
    made = shared(smartcar, fleet, owner, SmartcarApiVersion.V3)
    with django_capture_on_commit_callbacks(execute=True):
        services.create_link(
            connection=made,
            user=owner,
            purpose=AuthorizationPurpose.SIGN_IN,
            driver=Driver("Dana", "dana@example.com"),
            by_email=True,
        )
    run_enqueued()
    (letter,) = mail.outbox
    assert "sign in again" in letter.subject
    assert "/connect/invitation/" in letter.body


def test_the_partial_address_of_an_error_is_completed() -> None:
    url = reauthenticate_url(
        origin="https://connect.smartcar.com",
        application_id="app",
        vehicle_id="car",
        redirect_uri="https://site/connect/callback/",
        state="s",
        external_id="e",
        partial="https://connect.smartcar.com/oauth/reauthenticate?response_type=vehicle_id&client_id=app"
        "&vehicle_id=car&hint=x&state=theirs",
    )
    asked = {name: value[0] for name, value in parse_qs(urlsplit(url).query).items()}
    assert asked == {
        "response_type": "vehicle_id",
        "client_id": "app",
        "application_id": "app",
        "vehicle_id": "car",
        "hint": "x",
        "state": "s",
        "redirect_uri": "https://site/connect/callback/",
        "external_id": "e",
    }


STRANGE = [
    "https://connect.smartcar.com.evil.example/oauth/reauthenticate?vehicle_id=car&token=t",
    "https://user@smartcar.com/oauth/reauthenticate?vehicle_id=car&token=t",
    "http://connect.smartcar.com/oauth/reauthenticate?vehicle_id=car&token=t",
    "https://connect.smartcar.com/elsewhere?vehicle_id=car&token=t",
    "//evil.example/oauth/reauthenticate?vehicle_id=car",
    "https://[broken",
    "javascript:alert(1)",
]


@given(st.sampled_from(STRANGE) | st.text(max_size=60))
def test_an_address_of_anybody_else_is_never_followed(given_url: str) -> None:
    known = {
        "origin": "https://connect.smartcar.com",
        "application_id": "app",
        "vehicle_id": "car",
        "redirect_uri": "https://site/",
    }
    url = reauthenticate_url(**known, state="s", external_id="e", partial=given_url)
    assert url.startswith("https://connect.smartcar.com/oauth/reauthenticate?response_type=vehicle_id&")
    assert battery_url(**known, given=given_url).startswith("https://connect.smartcar.com/battery-capacity?")
    assert "token" not in battery_url(**known, given=given_url)


def test_a_driver_beside_the_manager_shares_a_car_anew_after_its_grant_ended(
    smartcar: str, fleet: Fleet, owner: User, browser_of: BrowserOf
) -> None:
    made = shared(smartcar, fleet, owner, SmartcarApiVersion.V3, State.REVOKED)
    browser = browser_of(owner)
    page = browser.get(f"/fleets/blue/connections/{made.pk}/").content.decode()
    assert f"/connections/{made.pk}/authorize/connect/" in page
    url = browser.get(f"/fleets/blue/connections/{made.pk}/authorize/connect/").headers["Location"]
    browser.get("/connect/callback/", authorize(smartcar, url, vehicleIds=[made.vehicle.smartcar_id]))
    made.refresh_from_db()
    assert (made.state, Connection.objects.count()) == (State.PENDING, 1)

"""Reauthentication, more permissions and the battery size: by a member, and by a driver's signed link."""

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
from connect.models import Connection, ConnectionState, DriverPortal, Invitation, UserToken
from connect.oauth_errors import AuthorizationFailedError
from connect.status.states import AuthorizationPurpose
from smartcar_api.reauth_urls import battery_url, reauthenticate_url
from tests.connect.control import switch
from tests.smartcar import SESSION, authorize, connect

pytestmark = pytest.mark.django_db
State = ConnectionState
BrowserOf = Callable[[User], Client]
both = pytest.mark.parametrize("api_version", [SmartcarApiVersion.V2, SmartcarApiVersion.V3])


def create_connection(
    smartcar: str,
    fleet: Fleet,
    owner: User,
    api_version: str,
    state: ConnectionState | None = None,
    **choices: Any,
) -> Connection:
    """Connects a vehicle and returns the connection in this state."""
    fleet.api_version = api_version
    fleet.save()
    (connection,) = connect(smartcar, fleet=fleet, user=owner, **({"count": 1} | choices)).connections
    if state is not None:
        connection.move_to(
            state, now=timezone.now(), error="CONNECTED_SERVICES_ACCOUNT:AUTHENTICATION_FAILED"
        )
    return connection


def start_authorization(
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
def test_member_reauthenticates_a_connection(
    smartcar: str, fleet: Fleet, owner: User, api_version: str, browser_of: BrowserOf
) -> None:
    connection = create_connection(smartcar, fleet, owner, api_version, State.NEEDS_REAUTHENTICATION)
    switch(smartcar, "troubles", reauthenticate=[connection.vehicle.smartcar_id])
    browser = browser_of(owner)
    url = browser.get(f"/fleets/blue/connections/{connection.pk}/authorize/sign_in/").headers["Location"]
    assert urlsplit(url).path.endswith("/oauth/reauthenticate")
    answer = browser.get("/connect/callback/", authorize(smartcar, url), follow=True)
    assert answer.redirect_chain == [(f"/fleets/blue/connections/{connection.pk}/", 302)]
    assert "was renewed. Data will arrive again within a few minutes" in answer.content.decode()
    connection.refresh_from_db()
    assert (connection.state, connection.state_reason_code) == (State.PENDING, StateReason.REAUTHENTICATED)
    assert Connection.objects.count() == 1
    assert AuditLogEntry.objects.filter(event=AuditEvent.CONNECTION_REAUTHENTICATED, actor=owner).exists()


@both
def test_driver_reauthenticates_by_a_link_without_an_account(
    smartcar: str, fleet: Fleet, owner: User, api_version: str
) -> None:
    connection = create_connection(smartcar, fleet, owner, api_version, State.NEEDS_REAUTHENTICATION)
    invitation = link(connection, owner)
    browser = Client()
    page = browser.get(invitation.path).content.decode()
    assert "Please sign in again" in page
    assert (
        "The manufacturer no longer accepts your sign-in, for example because your password changed" in page
    )
    url = browser.get(f"{invitation.path}start/").headers["Location"]
    answer = browser.get("/connect/callback/", authorize(smartcar, url), follow=True)
    assert "will start receiving data again shortly" in answer.content.decode()
    connection.refresh_from_db()
    invitation.refresh_from_db()
    assert (connection.state, invitation.used_at is not None) == (State.PENDING, True)
    again = browser.get(invitation.path)
    if api_version == SmartcarApiVersion.V3:
        assert again.headers["Location"] == DriverPortal.objects.get().path
    else:
        assert again.status_code == 410, "v2's redirect after a sign-in doesn't prove who signed in"
    assert Client().get(invitation.path).status_code == 410


@both
def test_callback_for_another_vehicle_changes_nothing(
    smartcar: str, fleet: Fleet, owner: User, api_version: str
) -> None:
    connection = create_connection(smartcar, fleet, owner, api_version, State.NEEDS_REAUTHENTICATION)
    params = authorize(smartcar, start_authorization(connection, owner))
    with pytest.raises(AuthorizationFailedError) as refusal:
        oauth.handle_callback(params=params | {"vehicle_id": "another"}, user=owner, session_secret=SESSION)
    assert refusal.value.error == oauth_errors.UNCONFIRMED_SIGN_IN
    connection.refresh_from_db()
    assert connection.state == State.NEEDS_REAUTHENTICATION


def test_on_v3_a_reauthentication_that_smartcar_does_not_list_is_not_accepted(
    smartcar: str, fleet: Fleet, owner: User
) -> None:
    connection = create_connection(
        smartcar, fleet, owner, SmartcarApiVersion.V3, State.NEEDS_REAUTHENTICATION
    )
    state = parse_qs(urlsplit(start_authorization(connection, owner)).query)["state"][0]
    forged = {"state": state, "vehicle_id": connection.vehicle.smartcar_id}
    with pytest.raises(AuthorizationFailedError) as refusal:
        oauth.handle_callback(params=forged, user=owner, session_secret=SESSION)
    assert refusal.value.error == oauth_errors.UNCONFIRMED_SIGN_IN
    connection.refresh_from_db()
    assert connection.state == State.NEEDS_REAUTHENTICATION


def test_callback_works_once_and_only_in_its_own_session(smartcar: str, fleet: Fleet, owner: User) -> None:
    connection = create_connection(
        smartcar, fleet, owner, SmartcarApiVersion.V3, State.NEEDS_REAUTHENTICATION
    )
    params = authorize(smartcar, start_authorization(connection, owner))

    def outcome(session: str) -> str:
        try:
            return oauth.handle_callback(params=params, user=owner, session_secret=session).purpose
        except AuthorizationFailedError as refusal:
            return refusal.error.title

    rejected = oauth_errors.UNKNOWN_STATE.title
    assert [outcome("another"), outcome(SESSION), outcome(SESSION)] == [
        rejected,
        AuthorizationPurpose.SIGN_IN,
        rejected,
    ]


def test_on_v2_a_dead_token_requires_the_full_authorization_of_the_same_connection(
    smartcar: str, fleet: Fleet, owner: User
) -> None:
    connection = create_connection(
        smartcar, fleet, owner, SmartcarApiVersion.V2, State.NEEDS_REAUTHENTICATION
    )
    UserToken.objects.update(revoked_at=timezone.now())
    url = start_authorization(Connection.objects.get(), owner)
    assert urlsplit(url).path.endswith("/oauth/authorize")
    params = authorize(smartcar, url, vehicleIds=[connection.vehicle.smartcar_id])
    result = oauth.handle_callback(params=params, user=owner, session_secret=SESSION)
    connection.refresh_from_db()
    assert result.connections == [connection]
    assert (connection.state, connection.tokens.revoked_at if connection.tokens else "") == (
        State.PENDING,
        None,
    )


@both
def test_more_permissions_are_granted_to_the_same_connection(
    smartcar: str, fleet: Fleet, owner: User, api_version: str
) -> None:
    connection = create_connection(
        smartcar, fleet, owner, api_version, State.ACTIVE, scopes=["read_vehicle_info", "read_battery"]
    )
    assert "control_security" not in connection.scopes
    invitation = link(connection, owner, AuthorizationPurpose.PERMISSIONS)
    browser = Client()
    assert "more permissions for" in browser.get(invitation.path).content.decode()
    url = browser.get(f"{invitation.path}start/").headers["Location"]
    browser.get(
        "/connect/callback/",
        authorize(smartcar, url, vehicleIds=[connection.vehicle.smartcar_id]),
        follow=True,
    )
    (repeated,) = Connection.objects.all()
    assert repeated.pk == connection.pk
    assert {"read_battery", "control_security"} <= set(repeated.scopes)


def test_different_account_is_reported_and_becomes_its_own_connection(
    smartcar: str, fleet: Fleet, owner: User, browser_of: BrowserOf
) -> None:
    connection = create_connection(smartcar, fleet, owner, SmartcarApiVersion.V3)
    browser = browser_of(owner)
    url = browser.get(f"/fleets/blue/connections/{connection.pk}/authorize/permissions/").headers["Location"]
    url = re.sub("&make=[^&]+", "", url)
    answer = browser.get(
        "/connect/callback/", authorize(smartcar, url, email="2-vehicles@smartcar.com"), follow=True
    )
    assert "t shared this time" in answer.content.decode()
    assert Connection.objects.count() == 2


def select_capacity(smartcar: str, url: str, *, known: bool) -> dict[str, str]:
    """Goes through the battery page. On v3, a sign-in precedes it."""
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


def find_vehicle_with_several_batteries(smartcar: str) -> str:
    vehicles = httpx.get(f"{smartcar}/control/vehicles", params={"limit": 100}, timeout=30).json()["vehicles"]
    for vehicle in vehicles:
        full = httpx.get(f"{smartcar}/control/vehicles/{vehicle['id']}", timeout=30).json()
        body = full.get("signals", {}).get("tractionbattery-nominalcapacity", {}).get("body")
        if vehicle["account"] and body and body["capacity"] is None:
            return str(vehicle["id"])
    raise AssertionError("no such car in this world")


@both
@pytest.mark.parametrize("known", [True, False])
def test_driver_selects_the_battery_size_or_does_not_know_it(
    smartcar: str, fleet: Fleet, owner: User, api_version: str, known: bool
) -> None:
    vehicle_id = find_vehicle_with_several_batteries(smartcar)
    connection = create_connection(smartcar, fleet, owner, api_version, vehicleIds=[vehicle_id])
    invitation = link(connection, owner, AuthorizationPurpose.BATTERY)
    browser = Client()
    assert "Which battery" in browser.get(invitation.path).content.decode()
    url = browser.get(f"{invitation.path}start/").headers["Location"]
    assert ("token=" in url) == (api_version == SmartcarApiVersion.V2)
    params = select_capacity(smartcar, url, known=known)
    answer = browser.get("/connect/callback/", params, follow=True)
    text = answer.content.decode()
    assert ("The battery size of" in text and "was selected" in text) == known
    assert ("No battery size was selected" in text) == (not known)
    invitation.refresh_from_db()
    assert (invitation.used_at is not None) == known


def test_battery_callback_belongs_to_the_session_that_started_it(
    smartcar: str, fleet: Fleet, owner: User
) -> None:
    connection = create_connection(smartcar, fleet, owner, SmartcarApiVersion.V3)
    start_authorization(connection, owner, AuthorizationPurpose.BATTERY)
    params = {
        "vehicle_id": connection.vehicle.smartcar_id,
        "selected_capacity": "80",
        "reason": "battery_capacity",
    }
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
def test_failed_authorization_leaves_the_connection_unchanged(
    smartcar: str, fleet: Fleet, owner: User, api_version: str, error: str
) -> None:
    connection = create_connection(smartcar, fleet, owner, api_version, State.NEEDS_REAUTHENTICATION)
    invitation = link(connection, owner)
    browser = Client()
    url = browser.get(f"{invitation.path}start/").headers["Location"]
    answer = browser.get("/connect/callback/", authorize(smartcar, url, outcome=error))
    assert answer.status_code == 400
    assert "Try again" in answer.content.decode()
    connection.refresh_from_db()
    assert (connection.state, Invitation.objects.get().open) == (State.NEEDS_REAUTHENTICATION, True)


@pytest.mark.usefixtures("mails")
def test_link_for_a_vehicle_has_its_own_email_text(
    fleet: Fleet,
    owner: User,
    smartcar: str,
    run_enqueued: Callable[[], list[str]],
    django_capture_on_commit_callbacks: Any,
) -> None:
    connection = create_connection(smartcar, fleet, owner, SmartcarApiVersion.V3)
    with django_capture_on_commit_callbacks(execute=True):
        services.create_link(
            connection=connection,
            user=owner,
            purpose=AuthorizationPurpose.SIGN_IN,
            driver=Driver("Dana", "dana@example.com"),
            by_email=True,
        )
    run_enqueued()
    (email,) = mail.outbox
    assert "sign in again" in email.subject
    assert "/connect/invitation/" in email.body


def test_partial_url_of_an_error_is_completed() -> None:
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
    query = {name: value[0] for name, value in parse_qs(urlsplit(url).query).items()}
    assert query == {
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
def test_urls_of_other_sites_are_never_followed(given_url: str) -> None:
    parameters = {
        "origin": "https://connect.smartcar.com",
        "application_id": "app",
        "vehicle_id": "car",
        "redirect_uri": "https://site/",
    }
    url = reauthenticate_url(**parameters, state="s", external_id="e", partial=given_url)
    assert url.startswith("https://connect.smartcar.com/oauth/reauthenticate?response_type=vehicle_id&")
    assert battery_url(**parameters, given=given_url).startswith(
        "https://connect.smartcar.com/battery-capacity?"
    )
    assert "token" not in battery_url(**parameters, given=given_url)


def test_driver_can_share_a_vehicle_again_after_the_grant_of_the_connection_has_ended(
    smartcar: str, fleet: Fleet, owner: User, browser_of: BrowserOf
) -> None:
    connection = create_connection(smartcar, fleet, owner, SmartcarApiVersion.V3, State.REVOKED)
    browser = browser_of(owner)
    page = browser.get(f"/fleets/blue/connections/{connection.pk}/").content.decode()
    assert f"/connections/{connection.pk}/authorize/connect/" in page
    url = browser.get(f"/fleets/blue/connections/{connection.pk}/authorize/connect/").headers["Location"]
    browser.get("/connect/callback/", authorize(smartcar, url, vehicleIds=[connection.vehicle.smartcar_id]))
    connection.refresh_from_db()
    assert (connection.state, Connection.objects.count()) == (State.PENDING, 1)

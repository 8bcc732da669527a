"""The authorization of an invited driver, on both API versions, against the simulator; and permissions to invite."""

from collections.abc import Callable
from datetime import timedelta
from html import escape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.audit import AuditEvent
from accounts.models import AuditLogEntry, Fleet, SmartcarApiVersion, User
from connect import oauth_errors
from connect.invitations import services
from connect.models import AuthorizationRequest, Connection, DriverPortal, Invitation
from connect.scopes import FLEET_SCOPES, SCOPES, with_reasons
from core.mail.models import EmailError, EmailState, OutgoingEmail
from tests.connect.invited import at_connect, invited, walk
from tests.outgoing import pending, send_pending
from tests.smartcar import authorize

pytestmark = pytest.mark.django_db
BrowserOf = Callable[[User], Client]
both = pytest.mark.parametrize("api_version", [SmartcarApiVersion.V2, SmartcarApiVersion.V3])
PAGE = "/fleets/blue/invitations/"


@pytest.fixture
def invitation(fleet: Fleet, teammate: User) -> Invitation:
    return invited(fleet=fleet, user=teammate)


def with_api_version(fleet: Fleet, api_version: SmartcarApiVersion) -> Fleet:
    fleet.api_version = api_version
    fleet.save()
    return fleet


# The driver's authorization


def test_link_opens_without_an_account_and_explains_who_requests_what_and_why(invitation: Invitation) -> None:
    answer = Client().get(invitation.path)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "Blue Fleet asks you to share your car" in page
    assert "manager@fleet.example invited you" in page
    assert all(scope.title in page and scope.reason in page for scope in with_reasons(FLEET_SCOPES))
    assert "withdraw" in page


def test_names_only_the_requested_permissions(fleet: Fleet, owner: User) -> None:
    page = Client().get(invited(fleet=fleet, user=owner, scopes=["read_odometer"]).path).content.decode()
    assert "Odometer" in page
    assert not any(scope.reason in page for scope in SCOPES if scope.name != "read_odometer")
    assert "The fleet only reads data and can" in page


@both
def test_invited_driver_connects_a_vehicle_and_the_invitation_is_used(
    smartcar: str, fleet: Fleet, owner: User, api_version: SmartcarApiVersion
) -> None:
    invitation = invited(fleet=with_api_version(fleet, api_version), user=owner)
    answer = walk(smartcar, Client(), invitation, count=1)
    connection = Connection.objects.get(fleet=fleet)
    assert connection.api_version == api_version
    assert answer.redirect_chain == [(DriverPortal.objects.get().path, 302)]
    assert f"{connection.vehicle.description} is connected to Blue Fleet" in answer.content.decode()
    assert AuditLogEntry.objects.filter(event=AuditEvent.VEHICLE_CONNECTED, actor=None).count() == 1
    used = Client().get(invitation.path)
    assert used.status_code == 410
    assert "was used" in used.content.decode()
    assert Client().get(f"{invitation.path}start/").headers["Location"] == invitation.path


@both
def test_driver_who_declined_can_use_the_invitation_again(
    smartcar: str, fleet: Fleet, owner: User, api_version: SmartcarApiVersion
) -> None:
    invitation = invited(fleet=with_api_version(fleet, api_version), user=owner)
    browser = Client()
    refused = walk(smartcar, browser, invitation, outcome="deny")
    page = refused.content.decode()
    assert refused.status_code == 400
    assert "You chose not to share your car" in page
    assert invitation.path in page
    assert not Connection.objects.exists()
    assert walk(smartcar, browser, invitation, count=1).status_code == 200
    assert Connection.objects.count() == 1


def test_the_link_works_on_another_device_until_it_is_used(smartcar: str, invitation: Invitation) -> None:
    at_connect(Client(), invitation)
    assert walk(smartcar, Client(), invitation, count=1).status_code == 200


def test_two_simultaneous_devices_connect_once(smartcar: str, invitation: Invitation) -> None:
    late, browser = Client(), Client()
    params = authorize(smartcar, at_connect(late, invitation), count=1)
    walk(smartcar, browser, invitation, count=1)
    before = Connection.objects.count()
    answer = late.get("/connect/callback/", params)
    assert answer.status_code == 400
    assert oauth_errors.INVITATION_OVER.title in answer.content.decode()
    assert Connection.objects.count() == before


@pytest.mark.parametrize(
    "change",
    [
        "another browser",
        "a made-up state",
        "no state",
        "too late",
    ],
)
def test_invalid_callback_changes_nothing_and_is_explained(
    smartcar: str, invitation: Invitation, change: str
) -> None:
    browser = Client()
    params = authorize(smartcar, at_connect(browser, invitation), count=1)
    if change == "another browser":
        browser = Client()
    elif change == "a made-up state":
        params["state"] = "made-up"
    elif change == "no state":
        del params["state"]
    else:
        age = AuthorizationRequest.LIFETIME + timedelta(seconds=1)
        AuthorizationRequest.objects.update(created_at=timezone.now() - age)
    before = Connection.objects.count()
    answer = browser.get("/connect/callback/", params)
    assert answer.status_code == 400
    assert "Nothing was changed" in answer.content.decode()
    assert Connection.objects.count() == before


def test_invited_authorization_cannot_connect_vehicles_of_another_user(
    smartcar: str, invitation: Invitation, fleet: Fleet, outsider: User
) -> None:
    walk(smartcar, Client(), invitation, count=1)
    victim = Connection.objects.get()
    red = Fleet.objects.get(slug="red")
    other = invited(fleet=red, user=outsider)
    browser = Client()
    params = authorize(smartcar, at_connect(browser, other), outcome="deny")
    forged = {"state": params["state"], "user_id": victim.smartcar_user_id, "code": "any"}
    answer = browser.get("/connect/callback/", forged)
    assert escape(oauth_errors.UNCONFIRMED_USER.title) in answer.content.decode()
    assert not Connection.objects.filter(fleet=red).exists()
    assert other.open


@pytest.mark.parametrize("end", ["revoked", "expired"])
def test_ended_invitation_connects_nothing_even_in_the_callback(
    smartcar: str, invitation: Invitation, teammate: User, end: str
) -> None:
    browser = Client()
    params = authorize(smartcar, at_connect(browser, invitation), count=1)
    if end == "revoked":
        services.revoke(invitation=invitation, user=teammate)
    else:
        Invitation.objects.update(expires_at=timezone.now())
    assert browser.get("/connect/callback/", params).status_code == 400
    assert Client().get(invitation.path).status_code == 410
    assert not Connection.objects.exists()


def test_forged_link_opens_nothing(invitation: Invitation) -> None:
    assert Client().get(f"/connect/invitation/{'0' * 64}/").status_code == 404
    assert Client().get(f"/connect/invitation/{invitation.nonce * 2}/").status_code == 404


def test_secret_of_the_link_is_not_stored(invitation: Invitation) -> None:
    assert len(invitation.secret) == 64
    assert invitation.secret not in str(Invitation.objects.values())


@both
def test_options_selected_by_the_manager_reach_connect(
    fleet: Fleet, owner: User, api_version: SmartcarApiVersion
) -> None:
    invitation = invited(
        fleet=with_api_version(fleet, api_version),
        user=owner,
        scopes=["read_vehicle_info", "read_odometer"],
        make="TESLA",
        vin="5YJ3E1EA7KF000001",
        country="DE",
        mode="live",
    )
    query = parse_qs(urlsplit(at_connect(Client(), invitation)).query)
    assert query["scope"] == ["read_vehicle_info read_odometer"]
    assert query["make"] == ["TESLA"]
    assert query["single_select_vin"] == ["5YJ3E1EA7KF000001"]
    assert query["flags"] == ["country:DE"]
    assert query["mode"] == ["live"]


@both
def test_required_permissions_reach_connect(
    fleet: Fleet, owner: User, api_version: SmartcarApiVersion
) -> None:
    invitation = invited(
        fleet=with_api_version(fleet, api_version),
        user=owner,
        scopes=["read_vehicle_info", "read_odometer"],
        required_scopes=["read_odometer"],
    )
    query = parse_qs(urlsplit(at_connect(Client(), invitation)).query)
    assert query["scope"] == ["read_vehicle_info required:read_odometer"]
    assert AuthorizationRequest.objects.get().scopes == ["read_vehicle_info", "read_odometer"]


# Messages


@pytest.mark.parametrize(
    "error",
    [*vars(oauth_errors).values(), *oauth_errors._BY_ERROR.values(), oauth_errors.error_for(error="new")],
    ids=lambda each: each.title[:30] if isinstance(each, oauth_errors.ConnectError) else "-",
)
def test_messages_for_drivers_do_not_mention_pages_for_members(error: object) -> None:
    if isinstance(error, oauth_errors.ConnectError):
        assert "Connect a vehicle" not in error.for_driver
        assert "runs this site" not in error.for_driver
        assert "driver" not in error.for_driver


# The manager's page


def form(**changes: Any) -> dict[str, Any]:
    return {"driver_name": "Dana", "mode": "simulated", "scopes": ["read_odometer"], **changes}


@pytest.mark.parametrize(
    ("person", "status"),
    [("owner", 200), ("teammate", 200), ("viewer", 403), ("driver", 403), ("outsider", 404)],
)
def test_only_owner_and_manager_can_invite_and_revoke(
    request: pytest.FixtureRequest, invitation: Invitation, browser_of: BrowserOf, person: str, status: int
) -> None:
    browser = browser_of(request.getfixturevalue(person))
    assert browser.get(PAGE).status_code == status
    done = 302 if status == 200 else status
    assert browser.post(PAGE, form()).status_code == done
    assert Invitation.objects.count() == (2 if status == 200 else 1)
    assert browser.post(f"{PAGE}{invitation.pk}/revoke/").status_code == done
    assert Invitation.objects.filter(revoked_at=None).count() == 1


def test_anonymous_user_has_no_access_to_the_managers_page(fleet: Fleet) -> None:
    assert Client().get(PAGE).headers["Location"].startswith("/accounts/")


def test_an_invitation_of_another_fleet_cannot_be_revoked(
    invitation: Invitation, outsider: User, browser_of: BrowserOf
) -> None:
    answer = browser_of(outsider).post(f"/fleets/red/invitations/{invitation.pk}/revoke/")
    assert answer.status_code == 404
    assert Invitation.objects.get().open


def test_link_is_shown_once_after_creation(fleet: Fleet, owner: User, browser_of: BrowserOf) -> None:
    browser = browser_of(owner)
    first = browser.post(PAGE, form(), follow=True).content.decode()
    created = Invitation.objects.get()
    assert created.url in first
    assert created.scopes == ["read_vehicle_info", "read_odometer"]
    assert created.expires_at - created.created_at > timedelta(days=6, hours=23)
    reloaded = browser.get(PAGE).content.decode()
    assert "Dana" in reloaded
    assert created.secret not in reloaded


def test_only_requested_permissions_are_required(fleet: Fleet, owner: User, browser_of: BrowserOf) -> None:
    browser_of(owner).post(PAGE, form(required_scopes=["read_odometer", "read_fuel"]))
    assert Invitation.objects.get().required_scopes == ["read_odometer"]


def test_new_link_has_a_qr_code(fleet: Fleet, owner: User, browser_of: BrowserOf) -> None:
    page = browser_of(owner).post(PAGE, form(), follow=True).content.decode()
    assert '<svg class="qr-code"' in page
    assert "style=" not in page.partition('<svg class="qr-code"')[2].partition("</svg>")[0]


def test_list_distinguishes_open_used_expired_and_revoked(
    fleet: Fleet, owner: User, browser_of: BrowserOf
) -> None:
    now = timezone.now()
    invited(fleet=fleet, user=owner)
    for end in ({"used_at": now}, {"expires_at": now}, {"revoked_at": now}):
        Invitation.objects.filter(pk=invited(fleet=fleet, user=owner).pk).update(**end)
    page = browser_of(owner).get(PAGE).content.decode()
    assert all(f">{state}</span>" in page for state in ("Pending", "Used", "Expired", "Revoked"))


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("vin", "123", "17 letters and digits"),
        ("country", "Germany", "Enter a two-letter country code, such as DE or US"),
        ("driver_email", "nobody", "valid email"),
        ("scopes", ["read_minds"], "t create the invitation"),
        ("mode", "dream", "t create the invitation"),
        ("driver_name", "", "required"),
        ("by_email", "on", "Enter an email address to send the link"),
    ],
)
def test_invalid_choice_is_reported_and_nothing_is_created(
    fleet: Fleet, owner: User, browser_of: BrowserOf, field: str, value: Any, words: str
) -> None:
    answer = browser_of(owner).post(PAGE, form(**{field: value}))
    assert answer.status_code == 400
    assert words in answer.content.decode()
    assert not Invitation.objects.exists()


def test_makes_and_countries_are_written_in_smartcars_form(
    fleet: Fleet, owner: User, browser_of: BrowserOf
) -> None:
    browser_of(owner).post(PAGE, form(make="Land Rover", country="de", vin=" 5yj3e1ea7kf000001 "))
    invitation = Invitation.objects.get()
    assert (invitation.make, invitation.country, invitation.vin) == ("LAND_ROVER", "DE", "5YJ3E1EA7KF000001")


# Email


@pytest.mark.usefixtures("mails")
@pytest.mark.django_db(transaction=True)
def test_email_is_sent_by_a_task_that_receives_only_the_row(
    fleet: Fleet, owner: User, run_enqueued: Callable[[], list[str]]
) -> None:
    invitation = invited(fleet=fleet, user=owner, by_email=True, driver_email="dana@home.example")
    assert "core.tasks.send_email" in run_enqueued()
    (email,) = mail.outbox
    assert email.to == ["dana@home.example"]
    assert invitation.url in email.body
    assert pending() == 0


@pytest.mark.usefixtures("mails")
def test_failed_email_is_shown_with_the_reason_and_can_be_sent_again(
    fleet: Fleet, owner: User, browser_of: BrowserOf
) -> None:
    invitation = invited(fleet=fleet, user=owner, by_email=True, driver_email="dana@home.example")
    browser = browser_of(owner)
    assert "Sending email" in browser.get(PAGE).content.decode()
    OutgoingEmail.objects.update(state=EmailState.FAILED, error=EmailError.RECIPIENT_REJECTED)
    page = browser.get(PAGE).content.decode()
    assert "Email not sent. The mail server rejected the recipient&#x27;s address." in page
    answer = browser.post(f"{PAGE}{invitation.pk}/retry-email/", follow=True).content.decode()
    assert "The email will be sent again." in answer
    assert len(send_pending()) == 1
    assert "Email sent" in browser.get(PAGE).content.decode()
    answer = browser.post(f"{PAGE}{invitation.pk}/retry-email/", follow=True).content.decode()
    assert "no failed email to resend." in answer
    assert send_pending() == []


@pytest.mark.usefixtures("mails")
@pytest.mark.parametrize(("who", "status"), [("viewer", 403), ("driver", 403), ("outsider", 404)])
def test_only_owner_and_manager_can_send_an_email_again(
    request: pytest.FixtureRequest, fleet: Fleet, owner: User, browser_of: BrowserOf, who: str, status: int
) -> None:
    invitation = invited(fleet=fleet, user=owner, by_email=True, driver_email="dana@home.example")
    OutgoingEmail.objects.update(state=EmailState.FAILED)
    browser = browser_of(request.getfixturevalue(who))
    assert browser.post(f"{PAGE}{invitation.pk}/retry-email/").status_code == status
    assert OutgoingEmail.objects.get().state == EmailState.FAILED


@pytest.mark.usefixtures("mails")
def test_email_of_another_fleets_invitation_cannot_be_sent_again(
    fleet: Fleet, owner: User, outsider: User, browser_of: BrowserOf
) -> None:
    invitation = invited(fleet=fleet, user=owner, by_email=True, driver_email="dana@home.example")
    OutgoingEmail.objects.update(state=EmailState.FAILED)
    answer = browser_of(outsider).post(f"/fleets/red/invitations/{invitation.pk}/retry-email/")
    assert answer.status_code == 404
    assert OutgoingEmail.objects.get().state == EmailState.FAILED


@pytest.mark.usefixtures("mails")
def test_ended_invitation_is_not_emailed(fleet: Fleet, owner: User) -> None:
    invitation = invited(fleet=fleet, user=owner, by_email=True, driver_email="dana@home.example")
    services.revoke(invitation=invitation, user=owner)
    assert send_pending() == []
    assert OutgoingEmail.objects.get().state == EmailState.CANCELED


@pytest.mark.parametrize("offered", [True, False])
def test_email_is_offered_only_with_a_mail_server(
    fleet: Fleet, owner: User, browser_of: BrowserOf, settings: Settings, offered: bool
) -> None:
    settings.EMAIL_ENABLED = offered
    page = browser_of(owner).get(PAGE).content.decode()
    assert ("Send link by email" in page) == offered


def test_every_permission_has_a_reason() -> None:
    assert len(SCOPES) == len({scope.reason for scope in SCOPES})

"""The driver's data and its files, commands to the car, lost links, time zone, and who asks."""

import csv
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from accounts.models import Fleet, User
from commands.models import Command, CommandState
from connect import make_hints
from connect.driver_language import TIME_ZONE_COOKIE
from connect.driver_portal import services
from connect.models import Connection, ConnectionState, DriverPortal
from connect.scopes import SCOPES
from connect.status.states import AuthorizationPurpose
from tests.connect.invited import invited
from tests.outgoing import send_pending
from vehicles import catalogue
from vehicles.models import LatestSignal, Vehicle
from vehicles.readings import NewReading, insert_readings

pytestmark = pytest.mark.django_db
BrowserOf = Callable[[User], Client]
LOCK = catalogue.IS_LOCKED.code
LOST = "/connect/my-link/"


@pytest.fixture
def connection(vehicle: Vehicle) -> Connection:
    return Connection.objects.create(
        fleet=vehicle.fleet,
        vehicle=vehicle,
        smartcar_user_id="user-1",
        api_version="v3",
        mode="live",
        scopes=["read_location", "read_security"],
        created_at=timezone.now() - timedelta(days=2),
    )


@pytest.fixture
def page(connection: Connection, owner: User) -> DriverPortal:
    invitation = invited(fleet=connection.fleet, user=owner, driver_email="dana@home.example")
    return services.portal_after_authorization(invitation=invitation, smartcar_user_id="user-1")


def shown(page: DriverPortal, browser: Client | None = None) -> str:
    return unescape((browser or Client()).get(page.path).content.decode())


def record(vehicle: Vehicle, at: datetime, locked: bool) -> None:
    insert_readings(readings=[NewReading(vehicle.pk, LOCK, at, {"value": locked})])
    LatestSignal.objects.update_or_create(
        vehicle=vehicle,
        code=LOCK,
        defaults={
            "body": {"value": locked},
            "status": "SUCCESS",
            "observed_at": at,
            "reported_at": at,
        },
    )


def command(vehicle: Vehicle, at: datetime, state: CommandState = CommandState.CONFIRMED) -> Command:
    return Command.objects.create(
        fleet=vehicle.fleet,
        vehicle=vehicle,
        kind="lock",
        api_version="v3",
        state=state,
        requested_at=at,
        sent_at=None if state == CommandState.EXPIRED else at,
        expires_at=at,
    )


def document(page: DriverPortal) -> dict[str, Any]:
    answer = Client().get(f"{page.path}my-data.json")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    found: dict[str, Any] = json.loads(answer.content)
    return found


# What is known


def test_document_has_the_driver_the_car_and_what_was_done(page: DriverPortal, vehicle: Vehicle) -> None:
    now = timezone.now()
    record(vehicle, now, locked=True)
    command(vehicle, now)
    found = document(page)
    assert found["driver"]["email"] == "dana@home.example"
    (car,) = found["vehicles"]
    assert (car["make"], car["model"], car["permissions"]) == (
        "TESLA",
        "Model 3",
        ["read_location", "read_security"],
    )
    assert [(each["signal"], each["value"]) for each in car["latest_values"]] == [(LOCK, True)]
    assert [each["command"] for each in car["commands"]] == ["lock"]
    assert vehicle.name not in json.dumps(found)


def test_recorded_values_are_those_of_the_time_in_which_the_driver_shared_the_car(
    page: DriverPortal, connection: Connection
) -> None:
    """Another driver shared the same car before and afterwards."""
    now = timezone.now()
    times = {"before": now - timedelta(days=3), "during": now - timedelta(hours=9), "after": now}
    for at in times.values():
        record(connection.vehicle, at, locked=True)
    command(connection.vehicle, times["before"])
    command(connection.vehicle, times["after"])
    Connection.objects.update(state=ConnectionState.REMOVED, state_since=now - timedelta(hours=1))
    answer: Any = Client().get(f"{page.path}recorded-values.csv")
    rows = list(csv.DictReader(b"".join(answer.streaming_content).decode().splitlines()))
    assert [(row["time"], row["signal"], row["value"]) for row in rows] == [
        (times["during"].isoformat(), LOCK, "True")
    ]
    (car,) = document(page)["vehicles"]
    assert (car["latest_values"], car["commands"]) == ([], [])


def test_files_of_a_closed_page_are_gone(page: DriverPortal) -> None:
    services.close(page=page)
    for name in ("my-data.json", "recorded-values.csv"):
        assert Client().get(f"{page.path}{name}").status_code == 404


def test_commands_that_were_sent_are_listed_without_the_person(
    page: DriverPortal, vehicle: Vehicle, owner: User
) -> None:
    command(vehicle, timezone.now())
    command(vehicle, timezone.now(), CommandState.EXPIRED)
    Command.objects.update(requested_by=owner, reason="Secret reason")
    text = shown(page)
    listed = text.partition("Commands sent to this car")[2].partition("Stop sharing")[0]
    assert listed.count("<li>") == 1
    assert "Confirmed" in listed
    assert owner.email not in listed
    assert "Secret reason" not in text


# A lost link


@pytest.fixture
def fresh_limits() -> None:
    cache.clear()


@pytest.mark.usefixtures("mails", "fresh_limits")
def test_lost_link_is_sent_to_the_address_on_record_and_the_answer_is_always_the_same(
    page: DriverPortal,
) -> None:
    known = Client().post(LOST, {"email": "Dana@Home.example"})
    unknown = Client().post(LOST, {"email": "Else@Home.example"})
    assert known.status_code == unknown.status_code == 200
    answers = [answer.content.decode().partition("<main")[2] for answer in (known, unknown)]
    assert answers[0].replace("Dana@", "Else@") == answers[1]
    assert "we're sending the links" in unescape(answers[0])
    send_pending()
    (email,) = mail.outbox
    assert email.to == ["dana@home.example"]
    assert page.url in email.body


@pytest.mark.usefixtures("mails", "fresh_limits")
def test_open_invitation_that_was_emailed_is_sent_again(fleet: Fleet, owner: User) -> None:
    address = {"driver_email": "kim@home.example"}
    invitation = invited(fleet=fleet, user=owner, by_email=True, **address)
    used = invited(fleet=fleet, user=owner, by_email=True, used_at=timezone.now(), **address)
    send_pending()
    mail.outbox.clear()
    Client().post(LOST, {"email": "kim@home.example"})
    send_pending()
    (email,) = mail.outbox
    assert invitation.url in email.body
    assert used.url not in email.body


@pytest.mark.usefixtures("mails", "fresh_limits")
def test_requests_for_a_link_are_limited_for_any_address(page: DriverPortal) -> None:
    for address in ("dana@home.example", "nobody@home.example"):
        answers = [Client().post(LOST, {"email": address}).status_code for _ in range(4)]
        assert answers == [200, 200, 200, 429]


def test_site_without_email_says_so(page: DriverPortal) -> None:
    assert "doesn't send email" in unescape(Client().post(LOST, {"email": "a@b.example"}).content.decode())


# Time zone


def test_times_are_in_the_time_zone_of_the_browser_until_the_driver_chooses_one(
    page: DriverPortal, connection: Connection
) -> None:
    connection.fleet.time_zone = "America/Los_Angeles"
    connection.fleet.save()
    Connection.objects.update(
        state=ConnectionState.REMOVED, state_since=datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
    )
    browser = Client()
    assert "05:00 PDT" in shown(page, browser)
    browser.cookies[TIME_ZONE_COOKIE] = "Europe/Berlin"
    assert "14:00 CEST" in shown(page, browser)
    browser.post(f"{page.path}time-zone/", {"time_zone": "Asia/Tokyo"})
    assert "21:00 JST" in shown(page, browser)
    browser.post(f"{page.path}time-zone/", {"time_zone": ""})
    browser.cookies[TIME_ZONE_COOKIE] = "Middle/Earth"
    assert "05:00 PDT" in shown(page, browser)


def test_unknown_time_zone_is_rejected(page: DriverPortal) -> None:
    assert Client().post(f"{page.path}time-zone/", {"time_zone": "../etc/passwd"}).status_code == 400
    assert DriverPortal.objects.get().time_zone == ""


# Who asks


@pytest.mark.usefixtures("mails")
def test_driver_sees_who_asks_and_replies_reach_them(fleet: Fleet, owner: User, page: DriverPortal) -> None:
    Fleet.objects.update(
        legal_name="Blue Fleet GmbH",
        contact_email="privacy@blue.example",
        privacy_notice_url="https://blue.example/privacy",
    )
    invitation = invited(fleet=fleet, user=owner, by_email=True, driver_email="kim@home.example")
    for path in (invitation.path, page.path):
        text = Client().get(path).content.decode()
        assert "Blue Fleet GmbH" in text
        assert 'href="mailto:privacy@blue.example"' in text
        assert 'href="https://blue.example/privacy"' in text
    send_pending()
    (email,) = mail.outbox
    assert email.reply_to == ["privacy@blue.example"]
    assert "Blue Fleet GmbH" in email.body


def test_owner_stores_who_asks(fleet: Fleet, owner: User, browser_of: BrowserOf) -> None:
    form = {
        "name": "Blue Fleet",
        "unit_system": "metric",
        "time_zone": "UTC",
        "raw_retention_months": "24",
        "rollup_retention_months": "60",
        "legal_name": " Blue  Fleet GmbH ",
        "contact_email": "privacy@blue.example",
        "privacy_notice_url": "blue.example/privacy",
    }
    browser = browser_of(owner)
    assert browser.post("/fleets/blue/settings/", form).status_code == 302
    fleet.refresh_from_db()
    assert (fleet.legal_name, fleet.contact_email, fleet.privacy_notice_url) == (
        "Blue Fleet GmbH",
        "privacy@blue.example",
        "https://blue.example/privacy",
    )
    wrong = browser.post("/fleets/blue/settings/", form | {"privacy_notice_url": "javascript:alert(1)"})
    assert wrong.status_code == 400


# Before Connect


def test_permissions_are_grouped_and_new_ones_marked_in_an_upgrade(
    fleet: Fleet, owner: User, connection: Connection
) -> None:
    invitation = invited(
        fleet=fleet, user=owner, connection=connection, purpose=AuthorizationPurpose.PERMISSIONS
    )
    text = unescape(Client().get(invitation.path).content.decode())
    assert "Tesla Model 3 2022" in text
    assert "Van 1" not in text
    new = text.partition("You already granted the others.")[2].partition("All permissions")[0]
    granted = {"read_location", "read_security"}
    for scope in SCOPES:
        if scope.name in invitation.scopes:
            assert (f"<dt>{scope.title} " in new) == (scope.name not in granted)
            assert scope.topic in text


def test_make_of_the_invitation_decides_the_hints(fleet: Fleet, owner: User) -> None:
    text = unescape(Client().get(invited(fleet=fleet, user=owner, make="BYD").path).content.decode())
    assert "BYD allows one active session per account" in text
    assert "Uconnect" not in text
    every = unescape(Client().get(invited(fleet=fleet, user=owner).path).content.decode())
    assert "BYD allows one active session" in every
    assert "Uconnect account" in every


def test_hints_are_found_by_any_spelling_and_each_make_has_a_subscription() -> None:
    for spelling in ("Mercedes-Benz", "mercedes benz", "MERCEDES_BENZ"):
        hints = make_hints.hints_for(spelling)
        assert hints is not None
        assert hints.name == "Mercedes-Benz"
    assert make_hints.hints_for("Trabant") is None
    assert all(hints.subscriptions for hints in make_hints.all_hints())
    assert make_hints._SIGN_IN.keys() <= make_hints._SUBSCRIPTIONS.keys()

"""Requests to several drivers at once: whom they ask, that nobody is asked twice, progress, and who may ask."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts.audit import AuditEvent
from accounts.models import AuditLogEntry, Fleet, User
from connect.bulk_requests import services
from connect.bulk_requests.selectors import count_by_make, drivers_to_ask, get_progress
from connect.models import BulkRequest, Connection, ConnectionState, DriverPortal, Invitation
from connect.permission_settings import services as permission_settings
from connect.scopes import FLEET_SCOPES
from connect.status.states import AuthorizationPurpose
from core.signed_links import hash_token
from tests.connect.invited import walk
from tests.outgoing import send_pending
from tests.smartcar import connect
from vehicles.models import Vehicle

pytestmark = pytest.mark.django_db
BrowserOf = Callable[[User], Client]
PAGE = "/fleets/blue/connections/requests/"
SIGN_IN, PERMISSIONS = AuthorizationPurpose.SIGN_IN, AuthorizationPurpose.PERMISSIONS


def shared(fleet: Fleet, user_id: str, make: str = "TESLA", **fields: Any) -> Connection:
    number = Vehicle.objects.count()
    vehicle = Vehicle.objects.create(
        fleet=fleet, smartcar_id=f"car-{number}", make=make, model=f"M{number}", mode="live"
    )
    defaults: dict[str, Any] = {
        "fleet": fleet,
        "smartcar_user_id": user_id,
        "api_version": "v3",
        "mode": "live",
        "state": ConnectionState.ACTIVE,
        "scopes": list(FLEET_SCOPES),
    }
    return Connection.objects.create(vehicle=vehicle, **(defaults | fields))


def portal(fleet: Fleet, user_id: str, name: str, email: str = "") -> None:
    page = DriverPortal(fleet=fleet, smartcar_user_id=user_id, driver_name=name, driver_email=email)
    page.secret_hash = hash_token(page.secret)
    page.save()


def links_of(request: BulkRequest) -> list[Invitation]:
    return list(request.invitations.order_by("driver_name"))


@pytest.fixture
def two_drivers(fleet: Fleet) -> None:
    portal(fleet, "ann", "Ann", "ann@drivers.example")
    portal(fleet, "bob", "Bob")
    shared(fleet, "ann")
    shared(fleet, "ann")
    shared(fleet, "bob")
    shared(fleet, "ann", make="FORD")


@pytest.mark.usefixtures("two_drivers", "mails")
def test_one_press_asks_every_driver_of_a_make_once(
    fleet: Fleet, teammate: User, browser_of: BrowserOf
) -> None:
    answer = browser_of(teammate).post(PAGE, {"purpose": "sign_in", "make": "TESLA"}, follow=True)
    request = BulkRequest.objects.get()
    ann, bob = links_of(request)
    assert (ann.purpose, ann.by_email, ann.single_select) == (SIGN_IN, True, False)
    assert (bob.purpose, bob.by_email, bob.single_select) == (SIGN_IN, False, True)
    assert set(ann.scopes) == set(FLEET_SCOPES)
    send_pending()
    assert [each.to for each in mail.outbox] == [["ann@drivers.example"]]
    page = answer.content.decode()
    assert bob.url in page
    assert ann.url not in page
    assert "0 of 2 drivers done" in page
    assert bob.url not in browser_of(teammate).get(f"{PAGE}{request.pk}/").content.decode()
    entry = AuditLogEntry.objects.get(event=AuditEvent.DRIVERS_ASKED)
    assert (entry.actor, entry.data["make"], entry.data["drivers"]) == (teammate, "TESLA", 2)


@pytest.mark.usefixtures("two_drivers", "mails")
def test_a_second_press_sends_nothing_twice(fleet: Fleet, owner: User) -> None:
    services.ask_drivers(fleet=fleet, purpose=SIGN_IN, make="tesla", user=owner)
    second = services.ask_drivers(fleet=fleet, purpose=SIGN_IN, make="TESLA", user=owner)
    assert Invitation.objects.count() == 2
    assert get_progress(second).total == 2
    send_pending()
    assert len(mail.outbox) == 1


@pytest.mark.usefixtures("two_drivers")
def test_progress_follows_the_links(fleet: Fleet, owner: User, browser_of: BrowserOf) -> None:
    request = services.ask_drivers(fleet=fleet, purpose=SIGN_IN, make="TESLA", user=owner)
    address = f"{PAGE}{request.pk}/progress/"
    version = get_progress(request).version
    browser = browser_of(owner)
    assert browser.get(f"{address}?version={version}").status_code == 204
    ann, bob = links_of(request)
    assert ann.use(now=timezone.now())
    assert bob.revoke(now=timezone.now())
    progress = get_progress(request)
    assert (progress.done, progress.waiting, progress.ended) == (1, 0, 1)
    assert "1 of 2 drivers done" in browser.get(f"{address}?version={version}").content.decode()
    assert "1 of 2 done" in browser.get(PAGE).content.decode()


@pytest.mark.usefixtures("two_drivers")
def test_a_new_link_replaces_the_old_one_and_is_shown_once(
    fleet: Fleet, owner: User, browser_of: BrowserOf
) -> None:
    request = services.ask_drivers(fleet=fleet, purpose=SIGN_IN, make="TESLA", user=owner)
    bob = links_of(request)[1]
    answer = browser_of(owner).post(f"{PAGE}{request.pk}/links/{bob.pk}/", follow=True)
    renewed = links_of(request)[1]
    assert renewed.pk != bob.pk
    bob.refresh_from_db()
    assert not bob.open
    assert renewed.url in answer.content.decode()
    assert get_progress(request).total == 2


def test_only_drivers_who_grant_less_than_requested_are_asked_for_permissions(
    fleet: Fleet, owner: User
) -> None:
    shared(fleet, "all")
    less = shared(fleet, "less", scopes=["read_vehicle_info", "read_user_profile"])
    shared(fleet, "unknown", scopes=[])
    shared(fleet, "gone", scopes=["read_vin"], state=ConnectionState.REVOKED)
    asked = drivers_to_ask(fleet=fleet, purpose=PERMISSIONS)
    assert [list(each.connections) for each in asked] == [[less]]
    request = services.ask_drivers(fleet=fleet, purpose=PERMISSIONS, user=owner)
    (link,) = links_of(request)
    assert set(link.scopes) == {*FLEET_SCOPES, "read_user_profile"}


def test_existing_drivers_are_asked_after_the_fleet_requests_more(fleet: Fleet, owner: User) -> None:
    shared(fleet, "ann")
    with pytest.raises(services.NobodyToAskError):
        services.ask_drivers(fleet=fleet, purpose=PERMISSIONS, user=owner)
    permission_settings.choose_scopes(fleet=fleet, scopes=[*FLEET_SCOPES, "read_diagnostics"], actor=owner)
    first = services.ask_drivers(fleet=fleet, purpose=PERMISSIONS, user=owner)
    assert "read_diagnostics" in links_of(first)[0].scopes
    # A link that asks for less than what is requested now is replaced.
    permission_settings.choose_scopes(
        fleet=fleet, scopes=[*FLEET_SCOPES, "read_diagnostics", "read_climate"], actor=owner
    )
    second = services.ask_drivers(fleet=fleet, purpose=PERMISSIONS, user=owner)
    assert "read_climate" in links_of(second)[0].scopes
    assert not links_of(first)[0].open


def test_makes_are_counted_by_driver(fleet: Fleet, two_drivers: None) -> None:
    shared(fleet, "gone", make="VOLVO", state=ConnectionState.REMOVED)
    counts = [(each.name, each.drivers, each.mailable) for each in count_by_make(fleet=fleet)]
    assert counts == [("Ford", 1, 1), ("Tesla", 2, 1)]


def test_without_a_make_or_a_driver_nobody_is_asked(fleet: Fleet, owner: User, browser_of: BrowserOf) -> None:
    browser = browser_of(owner)
    for data in (
        {"purpose": "sign_in"},
        {"purpose": "connect", "make": "TESLA"},
        {"purpose": "sign_in", "make": "X"},
    ):
        assert "Nobody was asked" in browser.post(PAGE, data, follow=True).content.decode()
    assert not BulkRequest.objects.exists()


@pytest.mark.parametrize(
    ("person", "status"),
    [("owner", 200), ("teammate", 200), ("viewer", 403), ("driver", 403), ("outsider", 404)],
)
def test_only_owners_and_managers_ask_drivers(
    request: pytest.FixtureRequest,
    fleet: Fleet,
    owner: User,
    two_drivers: None,
    browser_of: BrowserOf,
    person: str,
    status: int,
) -> None:
    asked = services.ask_drivers(fleet=fleet, purpose=SIGN_IN, make="TESLA", user=owner)
    link = links_of(asked)[0]
    browser = browser_of(request.getfixturevalue(person))
    for address in (PAGE, f"{PAGE}{asked.pk}/", f"{PAGE}{asked.pk}/progress/"):
        assert browser.get(address).status_code == status
    redirected = 302 if status == 200 else status
    assert browser.post(PAGE, {"purpose": "sign_in", "make": "FORD"}).status_code == redirected
    assert browser.post(f"{PAGE}{asked.pk}/links/{link.pk}/").status_code == redirected
    assert (BulkRequest.objects.count() == 2) == (status == 200)


def test_another_fleets_request_is_not_found(
    fleet: Fleet, owner: User, outsider: User, two_drivers: None, browser_of: BrowserOf
) -> None:
    asked = services.ask_drivers(fleet=fleet, purpose=SIGN_IN, make="TESLA", user=owner)
    browser = browser_of(outsider)
    assert browser.get(f"/fleets/red/connections/requests/{asked.pk}/").status_code == 404
    link = links_of(asked)[0]
    assert browser.post(f"/fleets/red/connections/requests/{asked.pk}/links/{link.pk}/").status_code == 404


@pytest.mark.django_db(transaction=True)
def test_one_sign_in_is_enough_for_all_vehicles_of_the_account(
    smartcar: str, fleet: Fleet, owner: User, run_enqueued: Callable[[], list[str]]
) -> None:
    connections = connect(smartcar, fleet=fleet, user=owner, count=2).connections
    for each in connections:
        each.move_to(ConnectionState.NEEDS_REAUTHENTICATION, now=timezone.now())
    run_enqueued()
    make = connections[0].vehicle.make
    request = services.ask_drivers(fleet=fleet, purpose=SIGN_IN, make=make, user=owner)
    (link,) = links_of(request)
    walk(smartcar, Client(), link)
    assert get_progress(request).done == 1
    assert run_enqueued().count("connect.tasks.probe_connection") == 2

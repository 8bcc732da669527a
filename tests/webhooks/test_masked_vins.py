"""VINs in deliveries, in the API and in the admin are masked, and shown on a press that the audit log records."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.audit import AuditEvent
from accounts.models import AuditLogEntry, Membership, User
from accounts.tokens.services import issue_token
from commands.models import BulkCommand, Command
from connect.models import Connection
from tests.connect.invited import invited
from tests.webhooks.helpers import post, state_of
from vehicles import catalogue
from vehicles.models import Vehicle
from webhooks import processing
from webhooks.models import InboxEntry

pytestmark = pytest.mark.django_db
BrowserOf = Callable[[User], Client]
VIN = "5YJ3E1EA7KF000316"
PLACE = {"latitude": 48.13713, "longitude": 11.57540}


@pytest.fixture
def entry(vehicle: Vehicle) -> InboxEntry:
    """A processed delivery with the vehicle's VIN."""
    Connection.objects.create(
        fleet=vehicle.fleet,
        vehicle=vehicle,
        smartcar_user_id="user-1",
        api_version="v3",
        mode="live",
        created_at=timezone.now() - timedelta(days=1),
    )
    now = int(timezone.now().timestamp() * 1000)
    body = json.loads(state_of(vehicle.smartcar_id, locked=True, at=now))
    signal = body["data"]["signals"][0] | {"name": "", "group": ""}
    body["data"]["signals"] += [
        signal | {"code": catalogue.VIN.code, "body": {"value": VIN}},
        signal | {"code": "cabin-label", "body": {"value": f"Car {VIN}"}},
    ]
    post(json.dumps(body).encode())
    processing.process_waiting()
    return InboxEntry.objects.get()


def events() -> list[str]:
    return list(AuditLogEntry.objects.order_by("pk").values_list("event", flat=True))


def program(user: User) -> Client:
    member = Membership.objects.select_related("user", "fleet").get(user=user)
    secret = issue_token(membership=member, name="Test", may_command=True).secret
    return Client(headers={"Authorization": f"Bearer {secret}"})


@pytest.mark.parametrize("person", ["owner", "teammate"])
def test_delivery_shows_its_vin_only_on_a_recorded_press(
    request: pytest.FixtureRequest, person: str, entry: InboxEntry, browser_of: BrowserOf
) -> None:
    user = request.getfixturevalue(person)
    browser, address = browser_of(user), f"/fleets/blue/webhook-log/{entry.pk}/"
    page = browser.get(address).content.decode()
    assert VIN not in page
    assert "Show VINs" in page
    assert browser.get(f"{address}vin/").status_code == 405
    assert events().count(AuditEvent.DELIVERY_VIN_VIEWED) == 0
    assert VIN in browser.post(f"{address}vin/").content.decode()
    seen = AuditLogEntry.objects.get(event=AuditEvent.DELIVERY_VIN_VIEWED)
    assert (seen.actor, seen.object_id) == (user, str(entry.pk))


def test_delivery_in_the_api_shows_its_vin_only_on_a_recorded_request(entry: InboxEntry, owner: User) -> None:
    client, address = program(owner), f"/api/v1/deliveries/{entry.pk}/"
    assert VIN not in client.get(address).content.decode()
    assert VIN in client.post(f"{address}vin/").content.decode()
    assert AuditEvent.DELIVERY_VIN_VIEWED in events()


@pytest.mark.parametrize(("person", "status"), [("viewer", 403), ("driver", 403), ("outsider", 404)])
def test_others_may_not_press(
    request: pytest.FixtureRequest,
    person: str,
    status: int,
    entry: InboxEntry,
    vehicle: Vehicle,
    browser_of: BrowserOf,
) -> None:
    browser = browser_of(request.getfixturevalue(person))
    assert browser.post(f"/fleets/blue/webhook-log/{entry.pk}/vin/").status_code == status
    assert browser.post(f"/api/v1/deliveries/{entry.pk}/vin/").status_code in (403, 404)
    assert browser.post(f"/api/v1/vehicles/{vehicle.smartcar_id}/vin/").status_code in (403, 404)
    assert AuditEvent.DELIVERY_VIN_VIEWED not in events()
    assert AuditEvent.VEHICLE_VIN_VIEWED not in events()


def test_api_masks_vins_in_all_signals_and_gives_the_vin_on_a_recorded_request(
    entry: InboxEntry, vehicle: Vehicle, owner: User
) -> None:
    client, address = program(owner), f"/api/v1/vehicles/{vehicle.smartcar_id}/"
    signals = {each["code"]: each for each in client.get(f"{address}signals/").json()["signals"]}
    assert signals[catalogue.VIN.code]["value"] == "•" * 13 + VIN[-4:]
    assert signals["cabin-label"]["value"] == "Car " + "•" * 13 + VIN[-4:]
    assert VIN not in json.dumps(signals, ensure_ascii=False)
    history = client.get(f"{address}signals/{catalogue.VIN.code}/history/").json()
    assert [point["value"] for point in history["points"]] == ["•" * 13 + VIN[-4:]]
    assert AuditEvent.VEHICLE_VIN_VIEWED not in events()
    assert client.post(f"{address}vin/").json() == {"vin": VIN}
    assert AuditEvent.VEHICLE_VIN_VIEWED in events()


def test_admin_masks_the_vin_of_an_invitation(owner: User, vehicle: Vehicle, browser_of: BrowserOf) -> None:
    staff = User.objects.create_superuser("staff@fleet.example")
    invitation = invited(fleet=vehicle.fleet, user=owner, vin=VIN)
    browser, address = browser_of(staff), f"/admin/connect/invitation/{invitation.pk}/"
    page = browser.get(f"{address}change/").content.decode()
    assert VIN not in page
    assert VIN[-4:] in page
    assert browser.get(f"{address}reveal/").status_code == 405
    assert VIN in browser.post(f"{address}reveal/").content.decode()
    seen = AuditLogEntry.objects.get(event=AuditEvent.DRIVER_INVITATION_VIN_VIEWED)
    assert (seen.actor, seen.fleet, seen.object_id) == (staff, vehicle.fleet, str(invitation.pk))


@pytest.mark.parametrize("model", [Command, BulkCommand])
def test_admin_masks_the_coordinates_of_commands(
    owner: User, vehicle: Vehicle, browser_of: BrowserOf, model: type[Command] | type[BulkCommand]
) -> None:
    staff = User.objects.create_superuser("staff@fleet.example")
    now = timezone.now()
    columns = {"kind": "set_destination", "parameters": PLACE, "requested_at": now, "expires_at": now}
    if model is Command:
        columns |= {"vehicle": vehicle, "api_version": "v3", "state": "expired"}
    row = model.objects.create(fleet=vehicle.fleet, **columns)
    browser, address = browser_of(staff), f"/admin/commands/{model._meta.model_name}/{row.pk}/"
    page = browser.get(f"{address}change/").content.decode()
    assert "48.137" not in page
    assert "(hidden)" in page
    assert "48.13713" in browser.post(f"{address}reveal/").content.decode()
    assert AuditLogEntry.objects.get(event=AuditEvent.COMMAND_PLACE_VIEWED).actor == staff


def test_staff_without_permission_reveal_nothing(
    owner: User, vehicle: Vehicle, browser_of: BrowserOf
) -> None:
    staff = User.objects.create_user("helper@fleet.example", is_staff=True)
    invitation = invited(fleet=vehicle.fleet, user=owner, vin=VIN)
    answer = browser_of(staff).post(f"/admin/connect/invitation/{invitation.pk}/reveal/")
    assert answer.status_code in (403, 404)
    assert not AuditLogEntry.objects.filter(event=AuditEvent.DRIVER_INVITATION_VIN_VIEWED).exists()

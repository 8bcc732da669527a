"""The settings of a vehicle: permissions, how input is stored, and who sees the VIN."""

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.audit import AuditEvent
from accounts.models import AuditLogEntry, User
from connect.models import DriverPortal
from tests.dashboard.vehicle_page.fixtures import create_connection
from vehicles.models import Vehicle

pytestmark = pytest.mark.django_db
BrowserOf = Callable[[User], Client]
VIN = "5YJ3E1EA7JF000316"
TYPED = {"name": "Van 7", "plate": "b-cd 123", "group": "North", "driver": "Ada", "unit_system": "imperial"}


@pytest.fixture
def page(vehicle: Vehicle) -> str:
    Vehicle.objects.update(vin=VIN)
    return f"/fleets/blue/vehicles/{vehicle.smartcar_id}/settings/"


@pytest.mark.parametrize(
    ("person", "status"),
    [("owner", 302), ("teammate", 302), ("viewer", 403), ("driver", 403), ("outsider", 404)],
)
@pytest.mark.parametrize("what", ["", "vin/"])
def test_only_members_who_may_connect_change_settings_and_see_the_vin(
    request: pytest.FixtureRequest,
    vehicle: Vehicle,
    browser_of: BrowserOf,
    page: str,
    what: str,
    person: str,
    status: int,
) -> None:
    answer = browser_of(request.getfixturevalue(person)).post(f"{page}{what}", TYPED)
    assert answer.status_code == (200 if what and status == 302 else status)
    changed = Vehicle.objects.get().name == "Van 7"
    assert changed == (status == 302 and not what)
    assert AuditLogEntry.objects.filter(event=AuditEvent.VEHICLE_VIN_VIEWED).exists() == (
        status == 302 and bool(what)
    )


def test_input_is_normalized_stored_and_logged(
    teammate: User, vehicle: Vehicle, browser_of: BrowserOf, page: str
) -> None:
    answer = browser_of(teammate).post(page, TYPED | {"name": "  Van   7 "}, follow=True)
    assert "Saved." in answer.content.decode()
    stored = Vehicle.objects.get()
    assert (stored.name, stored.plate, stored.group, stored.driver) == ("Van 7", "B-CD 123", "North", "Ada")
    assert stored.units == "imperial"
    entry = AuditLogEntry.objects.get(event=AuditEvent.VEHICLE_DETAILS_CHANGED)
    assert (entry.actor, entry.object_type, entry.object_id) == (teammate, "vehicle", stored.smartcar_id)
    assert entry.data == {"fields": ["name", "plate", "group", "driver", "unit_system"]}


def test_saving_without_changes_stores_nothing(
    owner: User, vehicle: Vehicle, browser_of: BrowserOf, page: str
) -> None:
    unchanged = {"name": "Van 1", "plate": "", "group": "", "driver": "", "unit_system": ""}
    answer = browser_of(owner).post(page, unchanged, follow=True)
    assert "Nothing was changed." in answer.content.decode()
    assert not AuditLogEntry.objects.filter(event=AuditEvent.VEHICLE_DETAILS_CHANGED).exists()


def test_invalid_input_shows_the_error_and_preserves_the_form(
    owner: User, vehicle: Vehicle, browser_of: BrowserOf, page: str
) -> None:
    answer = browser_of(owner).post(page, TYPED | {"plate": "X" * 21, "unit_system": "nautical"})
    shown = answer.content.decode()
    assert answer.status_code == 400
    assert "t save. Fix the highlighted fields" in shown
    assert "at most 20 characters" in shown
    assert "nautical is not one of the available choices" in shown
    assert 'value="Van 7"' in shown
    assert f'value="{"X" * 21}"' in shown
    assert "<h1>Van 1</h1>" in shown, "the head names the car as it is stored"
    assert Vehicle.objects.get().name == "Van 1"


def test_groups_and_drivers_of_the_fleet_and_the_vehicle_are_suggested(
    owner: User, outsider: User, vehicle: Vehicle, browser_of: BrowserOf, page: str
) -> None:
    for smartcar_id in ("one", "two"):
        Vehicle.objects.create(fleet=vehicle.fleet, smartcar_id=smartcar_id, group="South", driver="Kim")
    red = outsider.memberships.get().fleet
    Vehicle.objects.create(fleet=red, smartcar_id="three", group="Theirs", driver="Not ours")
    create_connection(vehicle, user="user-9")
    DriverPortal.objects.create(fleet=vehicle.fleet, smartcar_user_id="user-9", driver_name="Robin")
    context = browser_of(owner).get(page).context
    assert context["groups"] == ["South"]
    assert context["drivers"] == ["Robin", "Kim"]


def test_viewers_see_settings_without_fields_and_vin(
    viewer: User, vehicle: Vehicle, browser_of: BrowserOf, page: str
) -> None:
    Vehicle.objects.update(group="North")
    shown = browser_of(viewer).get(page).content.decode()
    assert "North" in shown
    assert "Only owners and managers of the fleet can edit these details." in shown
    assert "<input" not in shown.split("<main")[1].split("</main>")[0]
    assert VIN[-4:] not in shown
    assert "Disconnect" not in shown


def test_the_vin_is_masked_until_requested(
    owner: User, vehicle: Vehicle, browser_of: BrowserOf, page: str
) -> None:
    browser = browser_of(owner)
    shown = browser.get(page).content.decode()
    assert VIN not in shown
    assert f"{'•' * 13}0316" in shown
    fragment = browser.post(f"{page}vin/", headers={"HX-Request": "true"}).content.decode()
    assert VIN in fragment
    assert "<html" not in fragment
    assert VIN in browser.post(f"{page}vin/").content.decode(), "without JavaScript as well"
    seen = AuditLogEntry.objects.filter(actor=owner, event=AuditEvent.VEHICLE_VIN_VIEWED)
    assert [entry.object_id for entry in seen] == [vehicle.smartcar_id] * 2
    assert browser.get(f"{page}vin/").status_code == 405


def test_connected_vehicles_can_be_disconnected_and_others_erased(
    owner: User, vehicle: Vehicle, browser_of: BrowserOf, page: str
) -> None:
    assert "Delete recorded data" in browser_of(owner).get(page).content.decode()
    create_connection(vehicle)
    assert "Disconnect vehicle" in browser_of(owner).get(page).content.decode()

"""A manager's offboarding pages: permissions, confirmation, and the content of the receipt."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone

from accounts.audit import AuditEvent
from accounts.models import AuditLogEntry, User
from connect.models import Connection, ConnectionState, OffboardingRequest
from connect.offboarding import services, worker
from connect.offboarding.models import ErasureScope, RemoteStatus, RevocationStatus
from vehicles.models import Vehicle

pytestmark = pytest.mark.django_db
VIN = "5YJ3E1EA7KF000316"


@pytest.fixture
def connection(vehicle: Vehicle) -> Connection:
    Vehicle.objects.update(vin=VIN)
    return Connection.objects.create(
        fleet=vehicle.fleet, vehicle=vehicle, smartcar_user_id="user-1", api_version="v3", mode="live"
    )


def address(vehicle: Vehicle, slug: str = "blue") -> str:
    return f"/fleets/{slug}/vehicles/{vehicle.smartcar_id}/disconnect/"


def test_only_owner_and_manager_can_offboard(
    connection: Connection,
    browser_of: Callable[[User], Client],
    owner: User,
    teammate: User,
    viewer: User,
    driver: User,
    outsider: User,
) -> None:
    offboarding = services.offboard_vehicle(
        vehicle=connection.vehicle, extent=ErasureScope.PLACES, user=owner
    )
    pages = [
        address(connection.vehicle),
        "/fleets/blue/offboarding/",
        f"/fleets/blue/offboarding/{offboarding.pk}/",
        f"/fleets/blue/offboarding/{offboarding.pk}/progress/",
    ]
    for person, status in ((owner, 200), (teammate, 200), (viewer, 403), (driver, 403), (outsider, 404)):
        browser = browser_of(person)
        assert [browser.get(page).status_code for page in pages] == [status] * 4, person
    for person, status in ((viewer, 403), (driver, 403), (outsider, 404)):
        answer = browser_of(person).post(pages[0], {"extent": "everything", "sure": "on"})
        assert answer.status_code == status
    assert OffboardingRequest.objects.count() == 1


def test_vehicle_and_receipt_of_another_fleet_are_not_found(
    connection: Connection, browser_of: Callable[[User], Client], owner: User, outsider: User
) -> None:
    offboarding = services.offboard_vehicle(
        vehicle=connection.vehicle, extent=ErasureScope.PLACES, user=owner
    )
    browser = browser_of(outsider)
    assert browser.get(address(connection.vehicle, "red")).status_code == 404
    assert browser.get(f"/fleets/red/offboarding/{offboarding.pk}/").status_code == 404
    assert "Disconnected vehicles" in browser.get("/fleets/red/offboarding/").content.decode()


def test_disconnecting_a_vehicle_can_retain_its_history(
    connection: Connection, browser_of: Callable[[User], Client], owner: User
) -> None:
    answer = browser_of(owner).post(address(connection.vehicle), {"extent": "nothing"})
    offboarding = OffboardingRequest.objects.get()
    assert answer.headers["Location"] == f"/fleets/blue/offboarding/{offboarding.pk}/"
    connection.refresh_from_db()
    assert (connection.state, connection.state_reason) == (
        ConnectionState.REMOVED,
        "Disconnected by the fleet.",
    )
    assert AuditLogEntry.objects.filter(event=AuditEvent.VEHICLE_DISCONNECTED, actor=owner).count() == 1


def test_erasing_requires_confirmation(
    connection: Connection, browser_of: Callable[[User], Client], owner: User
) -> None:
    browser = browser_of(owner)
    answer = browser.post(address(connection.vehicle), {"extent": "everything"})
    assert answer.status_code == 400
    assert "t be undone. Select the checkbox to confirm" in answer.content.decode()
    assert not OffboardingRequest.objects.exists()
    browser.post(address(connection.vehicle), {"extent": "everything", "sure": "on"})
    assert OffboardingRequest.objects.get().extent == ErasureScope.EVERYTHING


def test_one_of_several_drivers_can_be_chosen(
    connection: Connection, browser_of: Callable[[User], Client], owner: User
) -> None:
    other = Connection.objects.create(
        fleet=connection.fleet,
        vehicle=connection.vehicle,
        smartcar_user_id="user-2",
        api_version="v3",
        mode="live",
    )
    browser = browser_of(owner)
    assert "2 drivers share this vehicle" in browser.get(address(connection.vehicle)).content.decode()
    browser.post(address(connection.vehicle), {"extent": "nothing", "connection": str(other.pk)})
    connection.refresh_from_db()
    other.refresh_from_db()
    assert (connection.state, other.state) == (ConnectionState.PENDING, ConnectionState.REMOVED)
    foreign = {"extent": "nothing", "connection": str(other.pk + 999)}
    assert browser.post(address(connection.vehicle), foreign).status_code == 404


def test_receipt_shows_counts_and_request_id_but_no_vin_name_or_user(
    connection: Connection, browser_of: Callable[[User], Client], owner: User
) -> None:
    offboarding = services.offboard_vehicle(
        vehicle=connection.vehicle, extent=ErasureScope.EVERYTHING, user=owner
    )
    offboarding.grants.update(
        end=RevocationStatus.ENDED, listing=RemoteStatus.GONE, request_id="req-123", ended_at=timezone.now()
    )
    browser = browser_of(owner)
    in_progress = browser.get(f"/fleets/blue/offboarding/{offboarding.pk}/")
    assert "In progress" in in_progress.content.decode()
    fragment = f"/fleets/blue/offboarding/{offboarding.pk}/progress/?version={in_progress.context['receipt'].version}"
    assert browser.get(fragment).status_code == 204
    worker.run(offboarding_id=offboarding.pk)
    assert "Completed on" in browser.get(fragment).content.decode()
    text = browser.get(f"/fleets/blue/offboarding/{offboarding.pk}/").content.decode()
    assert "req-123" in text
    assert "No longer listed by Smartcar" in text
    assert "VIN, name and plate" in text
    for secret in (VIN, "Van 1", "user-1"):
        assert secret not in text

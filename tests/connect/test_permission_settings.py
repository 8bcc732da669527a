"""Which permissions a fleet requests: choosing them, by whom, and where the choice takes effect."""

from collections.abc import Callable
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from accounts.audit import AuditEvent
from accounts.models import AuditLogEntry, Fleet, SmartcarApiVersion, User
from connect import gateway, oauth
from connect.connections.selectors import Driver
from connect.connections.services import create_link
from connect.models import Connection, ConnectionState
from connect.permission_settings import services
from connect.permission_settings.reports import REPORTS, get_report, missing_permissions, reports_using
from connect.permission_settings.selectors import count_grants, requested_scopes
from connect.scopes import FLEET_SCOPES, NEEDED, SCOPES
from connect.status.states import AuthorizationPurpose
from tests.connect.invited import invited, walk
from tests.smartcar import SESSION
from vehicles.models import Vehicle
from vehicles.signal_permissions import PERMISSIONS

pytestmark = pytest.mark.django_db
BrowserOf = Callable[[User], Client]
PAGE = "/fleets/blue/connections/permissions/"
ALL = [scope.name for scope in SCOPES]


def connection_of(vehicle: Vehicle, **fields: Any) -> Connection:
    defaults: dict[str, Any] = {
        "fleet": vehicle.fleet,
        "smartcar_user_id": "user",
        "api_version": "v3",
        "mode": "live",
        "state": ConnectionState.ACTIVE,
        "scopes": list(FLEET_SCOPES),
    }
    return Connection.objects.create(vehicle=vehicle, **(defaults | fields))


def test_a_fleet_without_a_choice_requests_what_fleets_requested_before(fleet: Fleet) -> None:
    assert set(requested_scopes(fleet=fleet)) == set(FLEET_SCOPES)


def test_a_fleet_can_request_all_permissions(fleet: Fleet, teammate: User, browser_of: BrowserOf) -> None:
    answer = browser_of(teammate).post(PAGE, {"scopes": ALL}, follow=True)
    assert "New invitations request these permissions" in answer.content.decode()
    assert requested_scopes(fleet=fleet) == tuple(ALL)
    assert set(requested_scopes(fleet=fleet)) == set(PERMISSIONS)
    entry = AuditLogEntry.objects.get(event=AuditEvent.FLEET_PERMISSIONS_CHANGED)
    assert entry.actor == teammate
    assert set(entry.data["added"]) == set(PERMISSIONS) - set(FLEET_SCOPES)
    assert "removed" not in entry.data


def test_the_required_permission_cannot_be_left_out(fleet: Fleet, owner: User, browser_of: BrowserOf) -> None:
    browser_of(owner).post(PAGE, {"scopes": ["read_fuel"]})
    assert requested_scopes(fleet=fleet) == (NEEDED, "read_fuel")


def test_a_permission_that_smartcar_does_not_have_changes_nothing(
    fleet: Fleet, owner: User, browser_of: BrowserOf
) -> None:
    answer = browser_of(owner).post(PAGE, {"scopes": ["read_fuel", "read_minds"]}, follow=True)
    assert "Nothing was changed" in answer.content.decode()
    assert set(requested_scopes(fleet=fleet)) == set(FLEET_SCOPES)


def test_saving_the_same_choice_logs_nothing(fleet: Fleet, owner: User, browser_of: BrowserOf) -> None:
    browser_of(owner).post(PAGE, {"scopes": list(FLEET_SCOPES)})
    assert not AuditLogEntry.objects.filter(event=AuditEvent.FLEET_PERMISSIONS_CHANGED).exists()


def test_a_report_adds_the_permissions_it_needs(fleet: Fleet, owner: User, browser_of: BrowserOf) -> None:
    browser = browser_of(owner)
    assert "Not requested:" in browser.get(PAGE).content.decode()
    browser.post(PAGE, {"report": "warnings"})
    assert set(requested_scopes(fleet=fleet)) == {*FLEET_SCOPES, "read_diagnostics"}
    assert browser.post(PAGE, {"report": "horoscope"}).status_code == 302
    assert set(requested_scopes(fleet=fleet)) == {*FLEET_SCOPES, "read_diagnostics"}


def test_every_report_needs_permissions_that_its_signals_or_commands_have() -> None:
    for report in REPORTS:
        assert report.permissions
        assert report.permissions <= set(PERMISSIONS)
        assert bool(report.commands) == bool(report.control)
        assert report.signals or report.commands
    oil = get_report("oil")
    assert oil is not None
    assert missing_permissions(oil, granted=FLEET_SCOPES) == {"read_engine_oil"}
    assert not oil.applies_to("BEV")
    assert oil.applies_to("PHEV")
    assert oil.applies_to("")
    assert [report.code for report in reports_using("read_charge_records")] == ["charge_records"]


def test_the_page_counts_for_how_many_vehicles_a_permission_is_granted(
    fleet: Fleet, vehicle: Vehicle
) -> None:
    connection_of(vehicle, scopes=["read_fuel", "read_vin"])
    connection_of(vehicle, smartcar_user_id="other", scopes=["read_fuel"])
    connection_of(vehicle, smartcar_user_id="unknown", scopes=[])
    connection_of(vehicle, smartcar_user_id="gone", scopes=["read_fuel"], state=ConnectionState.REVOKED)
    grants = count_grants(fleet=fleet)
    assert (grants.known, grants.by_scope["read_fuel"], grants.by_scope["read_vin"]) == (2, 2, 1)


@pytest.mark.parametrize(
    ("person", "status"),
    [("owner", 200), ("teammate", 200), ("viewer", 403), ("driver", 403), ("outsider", 404)],
)
def test_only_owners_and_managers_see_and_change_the_permissions(
    request: pytest.FixtureRequest, fleet: Fleet, browser_of: BrowserOf, person: str, status: int
) -> None:
    browser = browser_of(request.getfixturevalue(person))
    assert browser.get(PAGE).status_code == status
    assert browser.post(PAGE, {"scopes": ALL}).status_code == (302 if status == 200 else status)
    assert (requested_scopes(fleet=fleet) == tuple(ALL)) == (status == 200)


def test_the_choice_is_preselected_for_a_new_invitation_and_can_be_changed_there(
    fleet: Fleet, owner: User, browser_of: BrowserOf
) -> None:
    services.choose_scopes(fleet=fleet, scopes=["read_diagnostics"], actor=owner)
    page = browser_of(owner).get("/fleets/blue/invitations/")
    assert page.context["chosen"] == [NEEDED, "read_diagnostics"]
    assert page.content.decode().count('name="scopes"') == 28
    browser_of(owner).post(
        "/fleets/blue/invitations/",
        {"driver_name": "Dana", "mode": "live", "scopes": ["control_pin", "read_compass"]},
    )
    assert fleet.invitations.get().scopes == [NEEDED, "read_compass", "control_pin"]


def test_the_choice_is_requested_when_a_member_connects_a_vehicle(fleet: Fleet, owner: User) -> None:
    services.choose_scopes(fleet=fleet, scopes=["read_climate"], actor=owner)
    url = oauth.start(fleet=fleet, user=owner, session_secret=SESSION)
    assert parse_qs(urlsplit(url).query)["scope"] == [f"{NEEDED} read_climate"]


def test_smartcar_gives_data_only_with_its_permission(smartcar: str, fleet: Fleet, owner: User) -> None:
    """Diagnostics come from a vehicle once the fleet requests them, and not before."""
    Fleet.objects.update(api_version=SmartcarApiVersion.V2)
    fleet.refresh_from_db()

    def code() -> int:
        (response,) = gateway.call(
            connection=Connection.objects.get(),
            purpose=gateway.CallPurpose.PERSON,
            request=lambda api, access: cast("Any", api).read(
                access,
                vehicle_id=Connection.objects.get().vehicle.smartcar_id,
                paths=("/diagnostics/system_status",),
            ),
        ).body["responses"]
        return int(response["code"])

    walk(smartcar, Client(), invited(fleet=fleet, user=owner), make="FORD", count=1)
    connection = Connection.objects.get()
    assert code() == 403
    services.choose_scopes(fleet=fleet, scopes=ALL, actor=owner)
    more = create_link(
        connection=connection,
        user=owner,
        purpose=AuthorizationPurpose.PERMISSIONS,
        driver=Driver("Dana"),
        by_email=False,
    )
    walk(smartcar, Client(), more, vehicleIds=[connection.vehicle.smartcar_id])
    assert set(Connection.objects.get().scopes) == set(PERMISSIONS)
    assert code() == 200

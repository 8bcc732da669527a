"""The connection tab of a vehicle: status and permissions for all members who see it, actions only for some."""

from collections.abc import Callable

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from connect.models import Connection, ConnectionState, DriverPortal
from connect.scopes import FLEET_SCOPES
from tests.dashboard.vehicle_page.fixtures import create_connection
from vehicles.models import Vehicle

pytestmark = pytest.mark.django_db
BrowserOf = Callable[[User], Client]


def tab(browser: Client, vehicle: Vehicle) -> str:
    return browser.get(f"/fleets/blue/vehicles/{vehicle.smartcar_id}/connection/").content.decode()


def test_a_degraded_connection_shows_its_cause_and_the_next_step(
    owner: User, viewer: User, vehicle: Vehicle, browser_of: BrowserOf
) -> None:
    connection = create_connection(
        vehicle,
        state=ConnectionState.NEEDS_REAUTHENTICATION,
        state_reason_code="text",
        state_reason_params={"text": "The maker asks for it."},
        scopes=["read_vehicle_info", "read_battery"],
    )
    DriverPortal.objects.create(fleet=vehicle.fleet, smartcar_user_id="user-1", driver_name="Robin")
    shown = tab(browser_of(owner), vehicle)
    for words in (
        "Connected by Robin",
        "Reauthentication required",
        "The maker asks for it.",
        "Battery level and range",
    ):
        assert words in shown
    assert f'href="/fleets/blue/connections/{connection.pk}/#next"' in shown
    assert "Ask the driver to sign in" in shown
    seen = tab(browser_of(viewer), vehicle)
    assert "Reauthentication required" in seen
    assert "Ask an owner or manager of the fleet to fix this" in seen
    assert "/connections/" not in seen


def test_permissions_that_the_driver_was_not_asked_for_are_listed(
    owner: User, vehicle: Vehicle, browser_of: BrowserOf
) -> None:
    create_connection(vehicle, scopes=[scope for scope in FLEET_SCOPES if scope != "read_location"])
    shown = tab(browser_of(owner), vehicle).split("The driver hasn't been asked for")[1]
    assert "Location" in shown
    assert "Odometer" not in shown


def test_every_driver_has_a_section_except_removed_ones(
    owner: User, vehicle: Vehicle, browser_of: BrowserOf
) -> None:
    for user in ("user-1", "user-2"):
        create_connection(vehicle, user=user)
    create_connection(vehicle, user="user-3", state=ConnectionState.REMOVED)
    assert tab(browser_of(owner), vehicle).count('class="card grant"') == 2
    Connection.objects.all().delete()
    assert "Invite the driver" in tab(browser_of(owner), vehicle)


def test_only_members_who_see_api_usage_see_the_calls(
    owner: User, viewer: User, vehicle: Vehicle, browser_of: BrowserOf
) -> None:
    create_connection(vehicle)
    assert "API calls this month" in tab(browser_of(owner), vehicle)
    assert "API calls this month" not in tab(browser_of(viewer), vehicle)


def test_the_number_of_queries_does_not_grow_with_drivers(
    owner: User, vehicle: Vehicle, browser_of: BrowserOf, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    browser = browser_of(owner)
    for users in (["user-1"], ["user-2", "user-3"]):
        for user in users:
            create_connection(vehicle, user=user)
        with django_assert_num_queries(16):
            tab(browser, vehicle)

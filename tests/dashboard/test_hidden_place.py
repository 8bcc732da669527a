"""Pages state that a location is hidden wherever they would show it."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from connect.driver_portal import privacy
from connect.models import Connection
from vehicles.models import Vehicle

pytestmark = pytest.mark.django_db


def test_the_fleet_and_vehicle_pages_state_that_the_location_is_hidden(
    vehicle: Vehicle, owner: User, browser_of: Callable[[User], Client]
) -> None:
    connection = Connection.objects.create(
        fleet=vehicle.fleet, vehicle=vehicle, smartcar_user_id="user-1", api_version="v3", mode="live"
    )
    browser = browser_of(owner)
    table = "/fleets/blue/list/"
    assert "Hidden by the driver" not in browser.get(table).content.decode()
    now = timezone.now()
    privacy.pause(connection=connection, duration=timedelta(hours=1), now=now)
    assert "Hidden by the driver" in browser.get(table).content.decode()
    assert (
        "Hidden by the driver"
        in browser.get(f"/fleets/blue/vehicles/{vehicle.smartcar_id}/").content.decode()
    )
    privacy.resume(connection=connection, now=now)
    assert "Hidden by the driver" not in browser.get(table).content.decode()


def test_only_members_who_may_connect_can_disconnect(
    vehicle: Vehicle, owner: User, viewer: User, browser_of: Callable[[User], Client]
) -> None:
    page = f"/fleets/blue/vehicles/{vehicle.smartcar_id}/settings/"
    offer = f"/fleets/blue/vehicles/{vehicle.smartcar_id}/disconnect/"
    assert offer in browser_of(owner).get(page).content.decode()
    assert offer not in browser_of(viewer).get(page).content.decode()

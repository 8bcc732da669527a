"""Every example delivery of Smartcar's documentation, posted with a valid signature, is shown on the page."""

import html
from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import Fleet, User
from connect.models import Connection, PermissionSettings
from connect.scopes import SCOPES
from tests import payloads
from tests.webhooks.helpers import post
from vehicles import catalogue
from vehicles.formatting import format_value
from vehicles.models import Vehicle
from vehicles.observations import SignalStatus
from webhooks import processing
from webhooks.models import EntryState, InboxEntry
from webhooks.parsing import parse_delivery
from webhooks.parsing.types import VEHICLE_ERROR, VEHICLE_STATE

pytestmark = pytest.mark.django_db
DELIVERIES = [
    name
    for name in payloads.deliveries()
    if parse_delivery(payloads.read(name)).event_type in (VEHICLE_STATE, VEHICLE_ERROR)
    and parse_delivery(payloads.read(name)).mode != "test"
]


def connect(fleet: Fleet, smartcar_id: str) -> Vehicle:
    vehicle = Vehicle.objects.create(fleet=fleet, smartcar_id=smartcar_id)
    Connection.objects.create(
        fleet=fleet, vehicle=vehicle, smartcar_user_id="user-1", api_version="v3", mode="live"
    )
    return vehicle


@pytest.mark.parametrize("name", DELIVERIES)
def test_a_documented_delivery_is_shown_on_the_vehicles_page(
    fleet: Fleet, owner: User, browser_of: Callable[[User], Client], name: str
) -> None:
    body = payloads.read(name)
    delivery = parse_delivery(body)
    assert delivery.reports
    PermissionSettings.objects.create(fleet=fleet, scopes=[scope.name for scope in SCOPES])
    for report in delivery.reports:
        connect(fleet, report.facts.smartcar_id)
    assert post(body).status_code == 200
    processing.process_waiting()
    assert InboxEntry.objects.get().state == EntryState.PROCESSED
    for report in delivery.reports:
        page = _signals_page(browser_of(owner), report.facts.smartcar_id)
        for reading in report.observations:
            assert reading.code in page
            if reading.status == SignalStatus.SUCCESS:
                formatted = format_value(code=reading.code, body=reading.body, units="metric")
                # A VIN is shown only on request, in the vehicle's settings.
                assert (formatted in page) is (reading.code != catalogue.VIN.code)
        for error in report.errors:
            assert all(code in page for code in error.signals)


def _signals_page(browser: Client, smartcar_id: str) -> str:
    answer = browser.get(f"/fleets/blue/vehicles/{smartcar_id}/signals/")
    assert answer.status_code == 200
    return html.unescape(answer.content.decode())

"""The command panel: which button is suggested, which is disabled and why, and the vehicle's own charge limit."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from commands.models import Command
from connect.models import Connection
from vehicles import catalogue
from vehicles.catalogue import Signal
from vehicles.models import LatestSignal, Vehicle

pytestmark = pytest.mark.django_db
BrowserOf = Callable[[User], Client]
HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def electric(vehicle: Vehicle, connection: Connection) -> None:
    Vehicle.objects.update(powertrain="BEV")


def report(vehicle: Vehicle, signal: Signal, body: Any, *, age: timedelta = timedelta(minutes=1)) -> None:
    at = timezone.now() - age
    body = body if isinstance(body, dict) else {"value": body}
    LatestSignal.objects.create(
        vehicle=vehicle, code=signal.code, body=body, observed_at=at, reported_at=at, status="SUCCESS"
    )


def panel(browser: Client, vehicle: Vehicle) -> str:
    return browser.get(f"/fleets/blue/vehicles/{vehicle.smartcar_id}/commands/").content.decode()


def button(page: str, kind: str) -> str:
    """The opening tag of a command's button."""
    form = page[page.index(f'/commands/{kind}/"') :]
    return re.search(r"<button[^>]*>", form)[0]  # type: ignore[index]


@pytest.mark.parametrize(("locked", "filled"), [(False, {"lock"}), (True, set()), (None, set())])
def test_locking_is_suggested_only_for_a_vehicle_that_is_surely_unlocked(
    vehicle: Vehicle, owner: User, browser_of: BrowserOf, locked: bool | None, filled: set[str]
) -> None:
    if locked is not None:
        report(vehicle, catalogue.IS_LOCKED, locked)
    page = panel(browser_of(owner), vehicle)
    assert {kind for kind in ("lock", "unlock") if "btn-primary" in button(page, kind)} == filled


@pytest.mark.parametrize(
    ("plugged", "age", "disabled"),
    [(False, 1, True), (True, 1, False), (None, 0, False), (False, 60 * 24 * 9, False)],
)
def test_starting_to_charge_is_disabled_only_while_surely_unplugged(
    vehicle: Vehicle, owner: User, browser_of: BrowserOf, plugged: bool | None, age: int, disabled: bool
) -> None:
    if plugged is not None:
        report(vehicle, catalogue.CABLE_CONNECTED, plugged, age=timedelta(minutes=age))
    page = panel(browser_of(owner), vehicle)
    assert ("disabled" in button(page, "start_charge")) is disabled
    assert ("Send anyway: Start charging" in page) is disabled
    assert "disabled" not in button(page, "stop_charge")


def test_charging_is_suggested_for_a_plugged_vehicle_that_does_not_charge(
    vehicle: Vehicle, owner: User, browser_of: BrowserOf
) -> None:
    report(vehicle, catalogue.CABLE_CONNECTED, True)
    report(vehicle, catalogue.IS_CHARGING, False)
    page = panel(browser_of(owner), vehicle)
    assert "btn-primary" in button(page, "start_charge")
    assert "btn-primary" not in button(page, "stop_charge")


def test_an_obstacle_refuses_the_command_unless_it_is_sent_anyway(
    vehicle: Vehicle, owner: User, browser_of: BrowserOf
) -> None:
    report(vehicle, catalogue.CABLE_CONNECTED, False)
    address = f"/fleets/blue/vehicles/{vehicle.smartcar_id}/commands/start_charge/"
    assert "t plugged in." in browser_of(owner).post(address, headers=HTMX).content.decode()
    assert not Command.objects.exists()
    browser_of(owner).post(address, {"anyway": "yes"}, headers=HTMX)
    assert Command.objects.get().kind == "start_charge"


def test_what_the_driver_did_not_permit_cannot_be_sent_anyway(
    vehicle: Vehicle, connection: Connection, owner: User, browser_of: BrowserOf
) -> None:
    Connection.objects.update(scopes=["control_security"])
    report(vehicle, catalogue.CABLE_CONNECTED, False)
    browser = browser_of(owner)
    page = panel(browser, vehicle)
    assert "disabled" in button(page, "start_charge")
    assert "Send anyway" not in page
    browser.post(
        f"/fleets/blue/vehicles/{vehicle.smartcar_id}/commands/start_charge/", {"anyway": "yes"}, headers=HTMX
    )
    assert not Command.objects.exists()


AC, DC = {"chargingType": "AC"}, {"chargingType": "DC"}


@pytest.mark.parametrize(
    ("body", "words", "value"),
    [
        ({"activeLimit": 70, "values": []}, "The vehicle&#x27;s limit: 70%", "70"),
        ({"activeLimit": 45, "values": []}, "The vehicle&#x27;s limit: 45%", ""),
        (
            {
                "values": [
                    {"type": "CONNECTOR", "limit": 80, "condition": AC},
                    {"type": "CONNECTOR", "limit": 90, "condition": DC},
                ]
            },
            "The vehicle&#x27;s limits: AC 80%, DC 90%",
            "80",
        ),
        (
            {"values": [{"type": "LOCATION", "limit": 60}, {"type": "LOCATION", "limit": 100}]},
            "by location: 60% – 100%",
            "",
        ),
        (None, "", ""),
    ],
)
def test_the_charge_limit_is_the_vehicles_own(
    vehicle: Vehicle,
    owner: User,
    browser_of: BrowserOf,
    body: dict[str, Any] | None,
    words: str,
    value: str,
) -> None:
    if body is not None:
        report(vehicle, catalogue.CHARGE_LIMITS, body)
    page = panel(browser_of(owner), vehicle)
    assert words in page
    field = re.search(r'<input[^>]*name="percent"[^>]*>', page)
    assert field
    assert f'value="{value}"' in field[0]

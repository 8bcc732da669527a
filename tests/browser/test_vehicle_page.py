"""A vehicle's page in a browser: values with ages, signal errors, the live top view, and settings."""

import re

import httpx
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from accounts.audit import AuditEvent
from accounts.models import AuditLogEntry, Fleet, User
from tests.browser.scenarios import set_vehicle_state, sign_in
from tests.dashboard.vehicle_page.fixtures import store_error, store_signal
from tests.smartcar import connect
from vehicles import catalogue
from vehicles.models import LatestSignal, Vehicle

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.fixture
def tesla(smartcar: str, fleet: Fleet, owner: User) -> Vehicle:
    """A parked, closed and locked Tesla that was just connected."""
    for candidate in httpx.get(f"{smartcar}/control/vehicles?make=TESLA", timeout=30).json()["vehicles"]:
        if candidate["state"]["driving"]:
            continue  # Its arrival would reset the doors and locks that are set here.
        address = f"{smartcar}/control/vehicles/{candidate['id']}"
        state = {"speed": 0, "asleep": False, "reachable": True, "doors": [], "is_locked": True}
        if httpx.patch(address, json=state, timeout=30).is_success:
            (connection,) = connect(
                smartcar, fleet=fleet, user=owner, vehicleIds=[candidate["id"]]
            ).connections
            return connection.vehicle
    pytest.fail("no Tesla would stand still")


def address(site: object, vehicle: Vehicle, tab: str = "") -> str:
    return f"{site.SITE_URL}/fleets/blue/vehicles/{vehicle.smartcar_id}/{tab}"  # type: ignore[attr-defined]


@pytest.mark.usefixtures("worker")
def test_values_have_ages_and_the_top_view_follows_reported_data(
    page: Page, smartcar: str, settings: object, owner: User, tesla: Vehicle
) -> None:
    sign_in(page, settings.SITE_URL, owner)  # type: ignore[attr-defined]
    page.goto(address(settings, tesla))
    page.evaluate("window.stillTheSamePage = true")
    drawing = page.get_by_role("img", name=re.compile("Top view of"))
    expect(drawing).to_have_accessible_description(re.compile("closed. Locked."))
    expect(page.locator(".energy-number")).to_contain_text(re.compile(r"\d+%"))
    expect(page.locator("#as-of")).to_contain_text(re.compile("alues as of (just now|.+ ago)"))

    source = page.locator(f"#source-{catalogue.STATE_OF_CHARGE.code}")
    source.locator("summary").press("Enter")
    expect(source).to_contain_text("Retrieved by Smartcar")
    page.get_by_text("Show as list").click()
    expect(page.locator("#parts")).to_contain_text(re.compile("Front left door\\s*closed, locked"))

    set_vehicle_state(smartcar, tesla, doors=[[0, 0]])
    expect(drawing).to_have_accessible_description(re.compile("Open: Front left door"))
    expect(page.locator("#openings")).to_contain_text("Open: Front left door")
    expect(page.locator(".door-open")).to_have_count(1)
    expect(page.locator("#parts li", has_text="Front left door")).to_contain_text("open")
    assert page.evaluate("window.stillTheSamePage"), "without a reload"

    # The vehicle reports nothing from now on.
    set_vehicle_state(smartcar, tesla, asleep=True, reachable=False)
    # The map isn't replaced when values are updated; only its marker moves.
    expect(page.locator("#vehicle-map .marker")).to_have_count(1)
    page.evaluate("document.querySelector('#vehicle-map canvas').dataset.same = 'yes'")
    store_signal(
        tesla, catalogue.PRECISE_LOCATION, {"latitude": 48.1371, "longitude": 11.5754}, minutes_ago=0
    )
    expect(page.locator("#place")).to_contain_text("48.13710, 11.57540")
    expect(page.locator("#vehicle-map canvas")).to_have_attribute("data-same", "yes")
    expect(page.locator("#vehicle-map .marker")).to_have_count(1)

    LatestSignal.objects.filter(vehicle=tesla, code=catalogue.ODOMETER.code).delete()
    store_error(tesla, catalogue.ODOMETER, "COMPATIBILITY")
    missing = page.locator("#missing")
    expect(missing).to_contain_text("Not supported by this vehicle.")
    expect(missing).to_contain_text("Odometer")


def test_settings_are_saved_and_invalid_ones_are_rejected(
    page: Page, settings: object, owner: User, tesla: Vehicle
) -> None:
    Vehicle.objects.update(vin="5YJ3E1EA7JF000316")
    sign_in(page, settings.SITE_URL, owner)  # type: ignore[attr-defined]
    page.goto(address(settings, tesla))
    tabs = page.get_by_role("navigation", name="Vehicle navigation")
    tabs.get_by_role("link", name="Settings").click()
    expect(tabs.get_by_role("link", name="Settings")).to_have_attribute("aria-current", "page")
    expect(tabs.get_by_role("link", name="Settings")).to_be_in_viewport()

    page.get_by_label("Name").fill("Courier 07")
    page.get_by_label("Plate").fill("much too long for any plate")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("t save. Fix the highlighted fields")
    expect(page.get_by_label("Plate")).to_have_accessible_description(re.compile("at most 20 characters"))
    expect(page.get_by_label("Name")).to_have_value("Courier 07")

    page.get_by_label("Plate").fill("b-cd 123")
    page.get_by_label("Units").select_option("Imperial")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("main").get_by_role("status")).to_contain_text("Saved.")
    expect(page.get_by_role("heading", level=1)).to_have_text("Courier 07")
    expect(page.locator(".vehicle-head .sub")).to_contain_text("B-CD 123")

    expect(page.get_by_text("5YJ3E1EA7JF000316")).to_have_count(0)
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("5YJ3E1EA7JF000316")).to_be_visible()
    assert AuditLogEntry.objects.filter(actor=owner, event=AuditEvent.VEHICLE_VIN_VIEWED).count() == 1

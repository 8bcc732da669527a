"""The main flow in a browser, on each API version: sign in, connect, view data, send commands, deny other users."""

import re

import httpx
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from accounts.models import Fleet, User
from tests.browser.scenarios import View, collect_problems, set_vehicle_state, sign_in, walk_through_connect
from vehicles.models import Vehicle

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def send_command(page: Page, smartcar: str, vehicle: Vehicle, button: str) -> None:
    """Press Lock or Unlock for a parked vehicle. Try again if the vehicle leaves at that moment and rejects."""
    newest = page.locator(".command-log li").first
    for _ in range(3):
        set_vehicle_state(smartcar, vehicle, speed=0, asleep=False, reachable=True)
        page.get_by_role("button", name=button, exact=True).click()
        if button == "Unlock":
            page.get_by_role("dialog").get_by_role("button", name="Unlock").click()
        results = "Accepted|Confirmed|in motion"
        expect(newest).to_contain_text(re.compile(f"{button}.*({results})", re.DOTALL))
        if "in motion" not in newest.inner_text():
            return
    pytest.fail("the car would not stand still")


@pytest.mark.usefixtures("worker")
def test_a_manager_connects_views_and_locks_a_vehicle(
    context: BrowserContext,
    view: View,
    smartcar: str,
    settings: object,
    fleet: Fleet,
    teammate: User,
    outsider: User,
) -> None:
    site: str = settings.SITE_URL  # type: ignore[attr-defined]
    fleet.api_version = view.api_version
    fleet.save()
    page = context.new_page()
    problems = collect_problems(page)
    sign_in(page, site, teammate)

    page.get_by_role("link", name="Connect a vehicle").first.click()
    walk_through_connect(page)
    expect(page.locator(".alert-success")).to_contain_text("is connected")
    row = page.locator("#vehicle-table tbody tr")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("Tesla")
    # The first delivery appears without a reload: battery, place, lock and age.
    expect(row.locator(".cell-energy")).to_contain_text(re.compile(r"\d+%"))
    expect(row.locator(".cell-place .place")).to_contain_text(re.compile(r"\w"))
    expect(row.locator(".cell-lock")).to_contain_text(re.compile("Locked|Unlocked"))
    expect(row.locator(".cell-age")).to_contain_text(re.compile("just now|ago"))
    page.reload()
    if page.get_by_role("button", name="Map", exact=True).is_visible():
        page.get_by_role("button", name="Map", exact=True).click()
    expect(page.locator("#fleet-map")).to_have_attribute("data-vehicles", "1")

    vehicle = Vehicle.objects.get(fleet=fleet)
    # Parked, awake and reachable, regardless of its daily plan.
    set_vehicle_state(smartcar, vehicle, speed=0, asleep=False, reachable=True, is_locked=False)
    if page.get_by_role("button", name="List", exact=True).is_visible():
        page.get_by_role("button", name="List", exact=True).click()
    row.locator("[data-vehicle]").click()
    if not view.on_phone:
        page.locator("#side-panel").get_by_role("link", name="Open vehicle").click()
    expect(page.locator(".lock-state")).to_contain_text("Unlocked")
    # Delay the vehicle's report, so that the page shows the command as accepted first.
    httpx.post(f"{smartcar}/control/troubles", json={"delay": 4}, timeout=30).raise_for_status()
    send_command(page, smartcar, vehicle, "Lock")
    newest = page.locator(".command-log li").first
    expect(newest).to_contain_text("Accepted")
    expect(newest).to_contain_text("Confirmed")
    expect(page.locator(".lock-state")).to_contain_text("Locked")
    httpx.delete(f"{smartcar}/control/troubles", timeout=30)

    send_command(page, smartcar, vehicle, "Unlock")
    expect(newest).to_contain_text("Unlock")
    expect(newest).to_contain_text("Confirmed")
    expect(page.locator(".lock-state")).to_contain_text("Unlocked")
    assert problems == []

    context.clear_cookies()
    stranger = context.new_page()
    sign_in(stranger, site, outsider)
    expect(stranger.get_by_role("heading", name="Red Fleet", exact=True)).to_be_visible()
    expect(stranger.get_by_role("heading", name="Set up Red Fleet")).to_be_visible()
    response = stranger.goto(f"{site}/fleets/blue/vehicles/{vehicle.smartcar_id}/")
    assert response is not None
    assert response.status == 404


def test_denied_access_at_connect_shows_what_to_do_next(
    context: BrowserContext, smartcar: str, settings: object, fleet: Fleet, owner: User
) -> None:
    page = context.new_page()
    sign_in(page, settings.SITE_URL, owner)  # type: ignore[attr-defined]
    page.get_by_role("link", name="Connect a vehicle").first.click()
    page.get_by_role("link", name="Tesla").click()
    page.locator("section.hint a").first.click()
    page.get_by_label("Password").fill("any")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Don't allow").click()
    expect(page.get_by_role("heading", name="Access wasn't allowed")).to_be_visible()
    page.get_by_role("link", name="Back to fleet").click()
    expect(page.get_by_role("heading", name="Blue Fleet", exact=True)).to_be_visible()

"""The notification badge in a browser: a low battery appears without a reload, is acknowledged and resolved."""

import httpx
import pytest
from playwright.sync_api import BrowserContext, expect

from accounts.models import Fleet, User
from alerts.models import Alert
from tests.browser.scenarios import View, collect_problems, set_vehicle_state, sign_in
from tests.smartcar import connect
from vehicles.models import Vehicle

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("worker"),
]
# Parked and unplugged, so that only the test changes the battery level.
PARKED: dict[str, object] = {
    "speed": 0,
    "asleep": False,
    "reachable": True,
    "charging": False,
    "plugged_in": False,
}
# In milliseconds. The badge polls twice a minute.
SOON = 45_000


def connect_tesla(smartcar: str, *, fleet: Fleet, owner: User) -> Vehicle:
    """Connect a parked Tesla with a half-full battery."""
    candidates = httpx.get(f"{smartcar}/control/vehicles?make=TESLA", timeout=30).json()["vehicles"]
    state = PARKED | {"state_of_charge": 55}
    for candidate in candidates:
        if httpx.patch(f"{smartcar}/control/vehicles/{candidate['id']}", json=state, timeout=30).is_success:
            authorization = connect(smartcar, fleet=fleet, user=owner, vehicleIds=[candidate["id"]])
            return authorization.connections[0].vehicle
    pytest.fail("no Tesla stands still")


def test_a_low_battery_alert_is_shown_acknowledged_and_resolved(
    context: BrowserContext, view: View, smartcar: str, settings: object, fleet: Fleet, owner: User
) -> None:
    fleet.api_version = view.api_version
    fleet.save()
    vehicle = connect_tesla(smartcar, fleet=fleet, owner=owner)
    page = context.new_page()
    sign_in(page, settings.SITE_URL, owner)  # type: ignore[attr-defined]
    # Every page has the badge. This page makes no other requests.
    page.goto(f"{settings.SITE_URL}/fleets/blue/alerts/settings/")  # type: ignore[attr-defined]
    problems = collect_problems(page)
    summary = page.locator(".alerts-menu summary")
    expect(summary).to_contain_text("No vehicle needs attention")
    page.evaluate("window.stillTheSamePage = true")

    set_vehicle_state(smartcar, vehicle, **PARKED, state_of_charge=12)
    expect(summary).to_contain_text("1 vehicle needs attention", timeout=SOON)
    summary.click()
    menu = page.locator(".alerts-menu-list")
    expect(menu).to_contain_text("Low battery")
    expect(menu).to_contain_text("The state of charge fell to 12%, below 20%.")
    assert page.evaluate("window.stillTheSamePage") is True
    page.keyboard.press("Escape")
    expect(menu).to_be_hidden()

    summary.click()
    menu.get_by_role("link", name="All alerts").click()
    expect(page.get_by_role("heading", name="Alerts", exact=True)).to_be_visible()
    page.get_by_role("button", name="Acknowledge: Low battery").click()
    expect(
        page.get_by_role("main").get_by_role("status").filter(has_text="1 alert acknowledged")
    ).to_be_visible()
    expect(page.locator(".alerts-item")).to_contain_text(f"acknowledged by {owner}")
    expect(summary).to_contain_text("No vehicle needs attention")

    set_vehicle_state(smartcar, vehicle, **PARKED, state_of_charge=60)
    expect(page.locator(".alerts-item")).to_have_count(1)
    for _ in range(20):
        if not Alert.objects.filter(resolved_at=None).exists():
            break
        page.wait_for_timeout(500)
    page.reload()
    expect(page.locator(".alerts-badge-resolved")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert problems == []

"""The bell in a browser: a car runs low, the bell tells without a reload, somebody takes it in hand."""

import httpx
import pytest
from playwright.sync_api import BrowserContext, expect

from accounts.models import Fleet, User
from alerts.models import Alert
from tests.browser.scenarios import View, problems_of, set_car, sign_in
from tests.smartcar import connect
from vehicles.models import Vehicle

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("worker"),
]
# Parked and unplugged, so that nothing but the test changes it.
PARKED: dict[str, object] = {
    "speed": 0,
    "asleep": False,
    "reachable": True,
    "charging": False,
    "plugged_in": False,
}
# The bell asks twice a minute.
SOON = 45_000


def tesla(smartcar: str, *, fleet: Fleet, owner: User) -> Vehicle:
    """A connected car that stands, half full."""
    cars = httpx.get(f"{smartcar}/control/vehicles?make=TESLA", timeout=30).json()["vehicles"]
    given = PARKED | {"state_of_charge": 55}
    for car in cars:
        if httpx.patch(f"{smartcar}/control/vehicles/{car['id']}", json=given, timeout=30).is_success:
            arrival = connect(smartcar, fleet=fleet, user=owner, vehicleIds=[car["id"]])
            return arrival.connections[0].vehicle
    pytest.fail("no Tesla stands still")


def test_a_car_runs_low_the_bell_tells_it_and_somebody_takes_it_in_hand(
    context: BrowserContext, view: View, smartcar: str, settings: object, fleet: Fleet, owner: User
) -> None:
    fleet.api_version = view.api_version
    fleet.save()
    car = tesla(smartcar, fleet=fleet, owner=owner)
    page = context.new_page()
    sign_in(page, settings.SITE_URL, owner)  # type: ignore[attr-defined]
    # Any page has the bell; this one asks for nothing else.
    page.goto(f"{settings.SITE_URL}/fleets/blue/alerts/settings/")  # type: ignore[attr-defined]
    problems = problems_of(page)
    summary = page.locator(".alerts-menu summary")
    expect(summary).to_contain_text("No open alerts")
    page.evaluate("window.stillTheSamePage = true")

    set_car(smartcar, car, **PARKED, state_of_charge=12)
    expect(summary).to_contain_text("1 open alert", timeout=SOON)
    summary.click()
    newest = page.locator(".alerts-menu-list")
    expect(newest).to_contain_text("Low battery")
    expect(newest).to_contain_text("The state of charge fell to 12 %, below 20 %.")
    assert page.evaluate("window.stillTheSamePage") is True
    page.keyboard.press("Escape")
    expect(newest).to_be_hidden()

    summary.click()
    newest.get_by_role("link", name="All alerts").click()
    expect(page.get_by_role("heading", name="Alerts", exact=True)).to_be_visible()
    page.get_by_role("button", name="Acknowledge: Low battery").click()
    expect(
        page.get_by_role("main").get_by_role("status").filter(has_text="1 notice is acknowledged")
    ).to_be_visible()
    expect(page.locator(".alerts-item")).to_contain_text(f"acknowledged by {owner}")
    expect(summary).to_contain_text("No open alerts")

    set_car(smartcar, car, **PARKED, state_of_charge=60)
    expect(page.locator(".alerts-item")).to_have_count(1)
    for _ in range(20):
        if not Alert.objects.filter(resolved_at=None).exists():
            break
        page.wait_for_timeout(500)
    page.reload()
    expect(page.locator(".notice-badge-done")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert problems == []

"""An invitation in two browsers: the manager copies the link, and the driver connects without an account."""

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from accounts.models import Fleet, User
from tests.browser.scenarios import View, collect_problems, sign_in, walk_through_connect

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def test_a_driver_connects_a_vehicle_with_a_copied_link(
    context: BrowserContext,
    chromium: Browser,
    view: View,
    smartcar: str,
    settings: object,
    fleet: Fleet,
    teammate: User,
) -> None:
    site: str = settings.SITE_URL  # type: ignore[attr-defined]
    manager = context.new_page()
    manager_problems = collect_problems(manager)
    sign_in(manager, site, teammate)
    manager.get_by_role("link", name="Invite a driver").first.click()
    manager.get_by_label("Driver's name").fill("Dana")
    manager.get_by_role("button", name="Create invitation").click()
    manager.get_by_role("button", name="Copy").click()
    expect(manager.get_by_role("button", name="Copied")).to_be_visible()
    link = manager.evaluate("navigator.clipboard.readText()")
    assert link == manager.get_by_label("Invitation link").input_value()

    driver_context = chromium.new_context(
        viewport=view.screen, color_scheme=view.theme, timezone_id="Asia/Tokyo"
    )
    driver = driver_context.new_page()
    driver_problems = collect_problems(driver)
    driver.goto(link)
    expect(driver.get_by_role("heading", name="Blue Fleet asks you to share your car")).to_be_visible()
    # The browser's time zone, which the server learns from the page.
    expect(driver.get_by_text("JST")).to_be_visible()
    driver.get_by_role("link", name="Continue to Smartcar").click()
    walk_through_connect(driver)
    expect(driver.get_by_role("main").get_by_role("status")).to_contain_text("is connected to Blue Fleet")
    expect(driver.get_by_role("heading", name="Sharing with Blue Fleet")).to_be_visible()
    driver.get_by_role("button", name="Hide for 1 hour").click()
    expect(driver.get_by_text("Hidden until")).to_contain_text("JST")
    driver.get_by_text("Stop sharing", exact=True).click()
    driver.get_by_role("button", name="Stop sharing").click()
    expect(driver.get_by_role("main").get_by_role("status")).to_contain_text(
        "You can follow the progress below"
    )
    expect(driver.get_by_text("Not shared")).to_be_visible()
    assert driver.evaluate("document.documentElement.scrollWidth") <= view.screen["width"]
    assert driver_problems == []

    manager.reload()
    expect(manager.get_by_role("row", name="Dana")).to_contain_text("Used")
    assert manager_problems == []
    driver_context.close()

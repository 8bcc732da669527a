"""A user's preferences in a browser: keyboard only, language and theme."""

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from accounts.models import Fleet, User
from commands.models import Command
from tests.browser.scenarios import sign_in
from tests.dashboard.vehicle_list.fixtures import create_vehicle

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("live_server"),
]


def tab_to(page: Page, element: Locator) -> None:
    """Press Tab until the element has the focus."""
    for _ in range(150):
        page.keyboard.press("Tab")
        if element.evaluate("(element) => element === document.activeElement"):
            return
    pytest.fail(f"Tab does not come to {element}")


def test_many_vehicles_are_locked_with_the_keyboard_only(
    context: BrowserContext, settings: object, fleet: Fleet, owner: User
) -> None:
    for name in ("Ada", "Bea", "Cem"):
        create_vehicle(fleet, name, charge=60, locked=False, make="TESLA")
    page = context.new_page()
    sign_in(page, settings.SITE_URL, owner)  # type: ignore[attr-defined]
    expect(page.get_by_role("link", name="Ada")).to_be_visible()
    # Wait for the last of the page's scripts.
    expect(page.locator("#live-sign[data-state]")).to_be_visible()
    for _ in ("Ada", "Bea"):
        page.keyboard.press("ArrowDown")
        page.keyboard.press("x")
    expect(page.get_by_text("2 selected")).to_be_visible()
    tab_to(page, page.locator("#bulk").get_by_role("button", name="Lock", exact=True))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Lock: 2 vehicles?")).to_be_visible()
    tab_to(page, page.get_by_role("button", name="Send to 2 vehicles"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name="Lock: 2 vehicles")).to_be_visible()
    locked_names = Command.objects.values_list("vehicle__name", flat=True)
    assert set(locked_names) == {"Ada", "Bea"}


def test_language_and_theme_of_the_user_override_the_browser(
    context: BrowserContext, settings: object, fleet: Fleet, owner: User
) -> None:
    page, site = context.new_page(), settings.SITE_URL  # type: ignore[attr-defined]
    sign_in(page, site, owner)
    root = page.locator("html")
    preferred = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'")
    other = {"dark": "light", "light": "dark"}[preferred]
    expect(root).to_have_attribute("data-bs-theme", preferred)
    expect(root).to_have_attribute("lang", "en")

    page.goto(f"{site}/accounts/")
    page.get_by_label("Language").select_option("de")
    page.get_by_label("Theme").select_option(other)
    page.get_by_role("button", name="Save").click()
    expect(root).to_have_attribute("lang", "de")
    for path in ("/accounts/", "/fleets/blue/"):
        page.goto(f"{site}{path}")
        expect(root).to_have_attribute("lang", "de")
        expect(root).to_have_attribute("data-bs-theme", other)

    page.goto(f"{site}/accounts/")
    page.locator("[name=language]").select_option("")
    page.locator("[name=theme]").select_option("")
    page.locator("form:has([name=language]) [type=submit]").click()
    expect(root).to_have_attribute("lang", "en")
    expect(root).to_have_attribute("data-bs-theme", preferred)

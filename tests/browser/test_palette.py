"""The command palette in a browser: opened, searched and followed with the keyboard only."""

import pytest
from playwright.sync_api import BrowserContext, expect

from accounts.models import Fleet, User
from tests.browser.scenarios import sign_in
from tests.dashboard.vehicle_list.fixtures import create_vehicle

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("live_server"),
]


def test_a_vehicle_is_opened_with_the_keyboard_and_escape_returns_the_focus(
    context: BrowserContext, settings: object, fleet: Fleet, owner: User
) -> None:
    for name in ("Ada", "Bea 1", "Bea 2"):
        create_vehicle(fleet, name, charge=60, locked=False, make="TESLA")
    page = context.new_page()
    sign_in(page, settings.SITE_URL, owner)  # type: ignore[attr-defined]
    # The list of vehicles may be replaced meanwhile, and the focused link with it.
    link = page.get_by_role("link", name="Skip to content")
    link.focus()
    field = page.get_by_role("combobox", name="Search this fleet")
    page.keyboard.press("Control+k")
    expect(field).to_be_focused()
    page.keyboard.press("Escape")
    expect(field).to_be_hidden()
    expect(link).to_be_focused()
    page.evaluate("document.dispatchEvent(new CustomEvent('open-palette'))")
    expect(page.get_by_role("option", name="Invite a driver")).to_be_visible()
    page.keyboard.type("bea")
    options = page.get_by_role("listbox", name="Results").get_by_role("option")
    expect(options).to_have_count(2)
    expect(options.nth(0)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowDown")
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name="Bea 2")).to_be_visible()

"""The frame of all pages in a browser: the rail, its widths, and the phone's bar and sheet."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.page_checks import DESKTOP, MAX_LAYOUT_SHIFT, PHONE, Site, open_checker

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db]


def width(page: Page) -> float:
    """The width of the rail in pixels."""
    box = page.locator(".rail-column").bounding_box()
    assert box is not None
    return box["width"]


def test_the_rail_stays_as_narrow_as_it_was_made(chromium: Browser, site: Site) -> None:
    checker = open_checker(chromium, site, role="owner", screen=DESKTOP)
    page = checker.open("/fleets/blue/places/")
    assert width(page) > 200
    page.get_by_role("button", name="Collapse menu").click()
    assert width(page) < 64
    page.get_by_role("link", name="Alerts", exact=True).click()
    expect(page.get_by_role("heading", name="Alerts", exact=True)).to_be_visible()
    assert width(page) < 64
    assert page.evaluate("window.shifted") < MAX_LAYOUT_SHIFT
    assert checker.check() == []
    page.locator(".rail-fold > summary").first.click()
    assert width(page) > 200
    expect(page.get_by_role("link", name="Webhook log", exact=True)).to_be_visible()
    checker.context.close()


def test_rows_become_higher_for_who_prefers_it(chromium: Browser, site: Site) -> None:
    checker = open_checker(chromium, site, role="owner", screen=DESKTOP)
    page = checker.open("/fleets/blue/connections/")
    page.evaluate("document.body.click()")
    row = page.locator("tbody tr").first
    compact = row.evaluate("(row) => row.offsetHeight")
    page.locator(".account-menu > summary").click()
    page.get_by_role("button", name="Comfortable rows").click()
    page.reload()
    assert row.evaluate("(row) => row.offsetHeight") > compact
    checker.context.close()


def test_search_asks_for_the_command_palette(chromium: Browser, site: Site) -> None:
    checker = open_checker(chromium, site, role="owner", screen=DESKTOP)
    page = checker.open("/fleets/blue/places/")
    page.evaluate("document.addEventListener('open-palette', () => { window.asked = true; })")
    page.get_by_role("button", name="Search", exact=True).click()
    assert page.evaluate("window.asked") is True
    checker.context.close()


def test_phones_have_a_bar_a_sheet_and_the_map(chromium: Browser, site: Site) -> None:
    checker = open_checker(chromium, site, role="owner", screen=PHONE)
    page = checker.open("/fleets/blue/places/")
    more = page.get_by_role("button", name="More")
    sheet = page.locator("#rail")
    expect(sheet).to_be_hidden()
    more.click()
    expect(sheet.get_by_role("link", name="Audit log")).to_be_visible()
    assert checker.check() == []
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    expect(more).to_be_focused()
    page.get_by_role("link", name="Map", exact=True).click()
    expect(page.locator("#fleet-map")).to_be_visible()
    expect(page.locator("#vehicle-table")).to_be_hidden()
    expect(page.get_by_role("link", name="Map", exact=True)).to_have_attribute("aria-current", "page")
    checker.context.close()

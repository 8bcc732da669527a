"""A fleet's places in a browser: adding with a click on the map, and editing with the keyboard only."""

import pytest
from django.conf import settings as django_settings
from django.test import Client
from playwright.sync_api import BrowserContext, Page, expect

from accounts.models import Fleet, User
from tests.browser.axe import violations
from tests.browser.scenarios import collect_problems
from vehicles.models import Place

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def page(context: BrowserContext, live_server: object, owner: User, fleet: Fleet) -> Page:
    """The list of places with one place, opened as the owner."""
    Place.objects.create(
        fleet=fleet, name="Depot", kind="depot", latitude=37.77, longitude=-122.41, radius=400
    )
    client = Client()
    client.force_login(owner)
    name = django_settings.SESSION_COOKIE_NAME
    context.add_cookies(
        [{"name": name, "value": client.cookies[name].value, "url": django_settings.SITE_URL}]
    )
    page = context.new_page()
    page.emulate_media(reduced_motion="reduce")
    page.goto(f"{django_settings.SITE_URL}/fleets/blue/places/")
    return page


def test_a_click_on_the_map_adds_a_place(page: Page) -> None:
    problems = collect_problems(page)
    expect(page.locator("#places-map .place-label")).to_have_text("Depot")
    page.locator("#places-map canvas").click(position={"x": 60, "y": 60})
    page.get_by_role("button", name="Add a place here").click()
    latitude = float(page.get_by_label("Latitude").input_value())
    assert 37.7 < latitude < 37.85
    page.get_by_label("Name", exact=True).fill("Yard")
    page.get_by_label("Radius (meters)").fill("250")
    # A second click moves the new place.
    expect(page.locator("#places-map .place-center")).to_be_visible()
    page.locator("#places-map canvas").click(position={"x": 80, "y": 100})
    expect(page.get_by_label("Latitude")).not_to_have_value(f"{latitude:.6f}")
    assert violations(page) == []
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("main").get_by_role("status")).to_contain_text("Place “Yard” saved.")
    expect(page.locator("#places-map .place-label")).to_have_count(2)
    assert violations(page) == []
    assert problems == []


def test_places_can_be_edited_with_the_keyboard_only(page: Page) -> None:
    page.get_by_role("link", name="Edit Depot").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Depot")).to_be_visible()
    page.get_by_label("Latitude").fill("52.5200, 13.4050")
    page.get_by_label("Longitude").fill("")
    page.keyboard.press("Enter")
    expect(page.get_by_role("main").get_by_role("status")).to_contain_text("Place “Depot” saved.")
    page.get_by_role("link", name="Edit Depot").click()
    expect(page.get_by_label("Latitude")).to_have_value("52.52")
    page.get_by_text("Delete place…").press("Enter")
    page.get_by_role("button", name="Delete", exact=True).press("Enter")
    expect(page.get_by_role("main").get_by_role("status")).to_contain_text("Place “Depot” deleted.")
    expect(page.get_by_role("heading", name="No places yet")).to_be_visible()

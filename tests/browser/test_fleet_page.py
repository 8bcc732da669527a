"""The fleet page in a browser: filters, keyboard, selection, saved views, the map and live updates."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import BrowserContext, Locator, Page, Route, expect

from accounts.models import Fleet, Membership, User
from core import pubsub
from core.pubsub import Channel
from tests.browser.scenarios import View, desktop_only, phone_only
from tests.browser.serving import serving
from tests.dashboard.vehicle_list.fixtures import create_vehicle, report_signal
from vehicles import catalogue
from vehicles.models import Vehicle

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
OAKLAND, BERLIN = (37.8044, -122.2712), (52.52, 13.405)
OpenPage = Callable[..., Page]


@pytest.fixture(scope="module")
def server_url(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("web")) as url:
        yield url


@pytest.fixture
def open_page(context: BrowserContext, server_url: str, owner: User, fleet: Fleet) -> Iterator[OpenPage]:
    """A function that opens the fleet page as its owner. The test fails at its end if there were script errors."""
    client = Client()
    client.force_login(owner)
    session = client.cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": session, "url": server_url}])
    script_errors: list[str] = []

    def open_fleet_page(query: str = "") -> Page:
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: script_errors.append(str(error)))
        page.goto(f"{server_url}/fleets/blue/{query}")
        # Wait for the last of the page's scripts.
        expect(page.locator("#live-sign[data-state]")).to_be_visible()
        return page

    yield open_fleet_page
    assert script_errors == []


@pytest.fixture
def vehicles(fleet: Fleet) -> dict[str, Vehicle]:
    created = [
        create_vehicle(fleet, "Ada", charge=80, locked=True, place=OAKLAND, make="TESLA"),
        create_vehicle(fleet, "Bea", charge=50, locked=False, place=BERLIN, make="BMW", group="North"),
        create_vehicle(fleet, "Cem", fuel=50, locked=True, make="FORD"),
    ]
    return {vehicle.name: vehicle for vehicle in created}


def rows(page: Page) -> Any:
    return page.locator("#vehicle-table [data-vehicle]")


def go_back(page: Page) -> None:
    """Go back without waiting for a page load, like the browser's own button."""
    page.evaluate("history.back()")


def wait_until_still(fleet_map: Locator) -> None:
    """Wait for the end of the map's animation, because a click would stop it."""
    current = None
    for _ in range(40):
        fleet_map.page.wait_for_timeout(700)
        previous, current = current, fleet_map.screenshot()
        if current == previous:
            return
    pytest.fail("the map does not come to rest")


def report(vehicle: Vehicle, signal: catalogue.Signal, value: object) -> None:
    """Store a signal as reported now, and publish the change to open pages."""
    body = value if isinstance(value, dict) else {"value": value}
    report_signal(vehicle, signal, body, minutes_ago=0)
    pubsub.publish_on_commit(channel=Channel.SIGNALS, vehicles={vehicle.fleet_id: [vehicle.pk]})


def expect_live(page: Page) -> None:
    expect(page.locator("#live-sign")).to_have_text("Live")


def test_filters_change_list_and_url_and_going_back_undoes_them(
    open_page: OpenPage, vehicles: dict[str, Vehicle]
) -> None:
    page = open_page()
    expect(rows(page)).to_have_text(["Ada", "Bea", "Cem"])
    page.get_by_role("link", name=re.compile("Unlocked")).click()
    expect(rows(page)).to_have_text(["Bea"])
    expect(page).to_have_url(re.compile(r"\?show=unlocked$"))
    expect(page.locator("#tile-unlocked")).to_have_attribute("aria-current", "true")
    expect(page.locator("#tile-unlocked")).to_be_in_viewport(ratio=1)  # on a phone the tiles scroll sideways
    expect(page.locator("#voice")).to_have_text("1–1 of 1 vehicle")
    page.get_by_label("Search vehicles").fill("ada")
    expect(page.locator("#vehicles").get_by_text("All reporting vehicles are locked.")).to_be_visible()
    # Each step back is a different URL, which the browser requests again.
    go_back(page)
    expect(rows(page)).to_have_text(["Bea"])
    go_back(page)
    expect(rows(page)).to_have_text(["Ada", "Bea", "Cem"])
    page.get_by_text("Filters", exact=True).click()
    page.get_by_label("Make", exact=True).select_option("FORD")
    expect(rows(page)).to_have_text(["Cem"])


@desktop_only
def test_going_back_twice_matches_the_url_whichever_response_arrives_last(
    open_page: OpenPage, vehicles: dict[str, Vehicle]
) -> None:
    page = open_page()
    page.get_by_role("link", name=re.compile("^Unlocked")).click()
    expect(rows(page)).to_have_text(["Bea"])
    page.get_by_label("Search vehicles").fill("ada")
    expect(page.locator("#vehicles").get_by_text("All reporting vehicles are locked.")).to_be_visible()
    delayed: list[Route] = []

    def delay(route: Route) -> None:
        if route.request.is_navigation_request():
            route.fulfill(status=204)  # the page stays open, as with a slow response
        else:
            delayed.append(route)

    page.route(re.compile(r"\?show=unlocked$"), delay)
    go_back(page)
    expect(page).to_have_url(re.compile(r"\?show=unlocked$"))
    go_back(page)
    expect(page).to_have_url(re.compile("/fleets/blue/$"))
    expect(rows(page)).to_have_text(["Ada", "Bea", "Cem"])
    for route in delayed:
        route.continue_()
    page.wait_for_timeout(1_000)
    expect(rows(page)).to_have_text(["Ada", "Bea", "Cem"])
    expect(page.locator("#live-sign[data-state]")).to_be_visible()
    page.keyboard.press("/")
    expect(page.get_by_label("Search vehicles")).to_be_focused()


@desktop_only
def test_going_back_while_the_page_loads_matches_the_url(
    open_page: OpenPage, vehicles: dict[str, Vehicle]
) -> None:
    page = open_page()
    page.get_by_role("link", name=re.compile("^Unlocked")).click()
    expect(rows(page)).to_have_text(["Bea"])
    delayed: list[Route] = []
    page.route("**/htmx-2.min*.js", lambda route: delayed.append(route), times=1)
    page.reload(wait_until="commit")
    expect(rows(page)).to_have_text(["Bea"])
    go_back(page)
    expect(page).to_have_url(re.compile("/fleets/blue/$"))
    expect(rows(page)).to_have_text(["Ada", "Bea", "Cem"])


def test_everything_works_with_the_keyboard(
    open_page: OpenPage, vehicles: dict[str, Vehicle], view: View
) -> None:
    page = open_page()
    expect(rows(page)).to_have_count(3)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    expect(page.get_by_label("Search vehicles")).to_be_focused()
    page.keyboard.type("b")
    expect(rows(page)).to_have_text(["Bea"])
    page.keyboard.press("Backspace")
    expect(rows(page)).to_have_count(3)
    page.keyboard.press("ArrowDown")
    expect(rows(page).nth(0)).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("x")
    expect(page.get_by_label("Select Bea")).to_be_checked()
    expect(page.get_by_text("1 selected")).to_be_visible()
    rows(page).nth(1).focus()
    page.keyboard.press("Enter")
    if view.on_phone:
        expect(page).to_have_url(re.compile("/vehicles/car-Bea/$"))
        return
    expect(page).to_have_url(re.compile(r"[?&]vehicle=car-Bea$"))
    page.keyboard.press("Escape")
    expect(rows(page).nth(1)).to_be_focused()


def test_new_data_appears_in_place(open_page: OpenPage, vehicles: dict[str, Vehicle]) -> None:
    page = open_page()
    expect_live(page)
    page.get_by_label("Select Ada").check()
    rows(page).nth(1).focus()
    page.evaluate("window.unharmed = true")
    report(vehicles["Ada"], catalogue.STATE_OF_CHARGE, 15)
    expect(page.locator(f"#vehicle-{vehicles['Ada'].pk}")).to_contain_text("15%")
    expect(page.locator("#tile-low .tile-count")).to_have_text("1")
    report(vehicles["Bea"], catalogue.IS_LOCKED, True)
    expect(page.locator("#tile-unlocked .tile-count")).to_have_text("0")
    expect(rows(page).nth(1)).to_be_focused()
    expect(page.get_by_label("Select Ada")).to_be_checked()
    assert page.evaluate("window.unharmed")


def test_a_vehicle_that_starts_to_match_the_filter_joins_the_list(
    open_page: OpenPage, vehicles: dict[str, Vehicle]
) -> None:
    page = open_page("?show=unlocked")
    expect_live(page)
    expect(rows(page)).to_have_text(["Bea"])
    report(vehicles["Ada"], catalogue.IS_LOCKED, False)
    expect(rows(page)).to_have_text(["Ada", "Bea"])


@pytest.mark.slow
def test_without_a_stream_the_page_polls_and_shows_not_live(
    open_page: OpenPage, vehicles: dict[str, Vehicle]
) -> None:
    page = open_page("?show=low")
    page.context.route("**/live/**", lambda route: route.abort())
    page.reload()
    expect(page.locator("#live-sign")).to_contain_text("Not live")
    report(vehicles["Ada"], catalogue.STATE_OF_CHARGE, 11)
    expect(rows(page)).to_have_text(["Ada"])
    page.context.unroute("**/live/**")
    expect(page.locator("#live-sign")).to_have_text("Live", timeout=40_000)


@pytest.mark.slow
@desktop_only
def test_many_changes_do_not_make_polling_more_frequent(
    open_page: OpenPage, vehicles: dict[str, Vehicle]
) -> None:
    page = open_page()
    page.context.route("**/live/**", lambda route: route.fulfill(status=204))  # as without Redis
    page.reload()
    expect(page.locator("#live-sign")).to_contain_text("Not live")
    requested: list[str] = []
    page.on(
        "request",
        lambda request: (
            requested.append(request.url) if "/list/" in request.url or "/map-data/" in request.url else None
        ),
    )
    for step in range(24):
        report(vehicles["Ada"], catalogue.STATE_OF_CHARGE, 30 + step)
        page.wait_for_timeout(500)
    list_requests = [url for url in requested if "/map-data/" not in url]
    assert 1 <= len(list_requests) <= 4, requested
    assert len(requested) - len(list_requests) <= 1, requested  # the map data is a hundred times larger


@desktop_only
def test_vehicle_data_is_not_stored_in_the_browser(open_page: OpenPage, vehicles: dict[str, Vehicle]) -> None:
    page = open_page()
    page.get_by_role("link", name=re.compile("^Unlocked")).click()
    expect(rows(page)).to_have_text(["Bea"])
    stored = page.evaluate("JSON.stringify({ ...localStorage, ...sessionStorage })")
    assert "Bea" not in stored
    assert "Ada" not in stored


def test_after_a_lost_connection_the_page_catches_up(
    open_page: OpenPage, vehicles: dict[str, Vehicle]
) -> None:
    page = open_page()
    expect_live(page)
    page.context.set_offline(True)
    page.evaluate("window.dispatchEvent(new Event('offline'))")
    report(vehicles["Ada"], catalogue.STATE_OF_CHARGE, 33)
    page.context.set_offline(False)
    expect(page.locator(f"#vehicle-{vehicles['Ada'].pk}")).to_contain_text("33%", timeout=60_000)
    expect(page.locator("#live-sign")).to_have_text("Live", timeout=60_000)


@desktop_only
def test_land_that_failed_to_load_is_fetched_again_once_online(
    open_page: OpenPage, vehicles: dict[str, Vehicle]
) -> None:
    page = open_page()
    page.route("**/topojson-client*", lambda route: route.abort(), times=1)
    with page.expect_event("requestfailed", lambda request: "topojson" in request.url, timeout=40_000):
        page.reload()
    with page.expect_response("**/land-*.json*"):
        page.evaluate("window.dispatchEvent(new Event('online'))")


def test_the_map_shows_vehicles_follows_one_and_opens_its_popup(
    open_page: OpenPage, vehicles: dict[str, Vehicle], view: View
) -> None:
    page = open_page()
    fleet_map = page.locator("#fleet-map")
    if view.on_phone:
        page.get_by_role("button", name="Map", exact=True).click()
    expect(fleet_map).to_have_attribute("data-vehicles", "2", timeout=40_000)
    page.get_by_role("link", name=re.compile("^Unlocked")).click()
    expect(fleet_map).to_have_attribute("data-vehicles", "1")
    page.get_by_role("link", name=re.compile("^All vehicles")).click()
    expect(fleet_map).to_have_attribute("data-vehicles", "2")
    if view.on_phone:
        page.get_by_role("button", name="List", exact=True).click()
    rows(page).nth(0).focus()
    page.keyboard.press("f")
    if view.on_phone:
        page.get_by_role("button", name="Map", exact=True).click()
    expect(page.get_by_role("button", name="Stop following")).to_be_visible()
    wait_until_still(fleet_map)
    fleet_map.click()  # in the center, where the vehicle is
    # A wide screen has the panel beside the list instead of a popup.
    shown = page.locator(".map-popup" if view.on_phone else "#side-panel")
    expect(shown).to_contain_text("Ada")
    expect(shown).to_contain_text("80%")
    name = "Ada" if view.on_phone else "Open vehicle"
    expect(shown.get_by_role("link", name=name)).to_have_attribute("href", "/fleets/blue/vehicles/car-Ada/")


@desktop_only
def test_the_map_updates_while_a_filter_hides_the_followed_vehicle(
    open_page: OpenPage, vehicles: dict[str, Vehicle]
) -> None:
    page = open_page()
    expect_live(page)
    fleet_map = page.locator("#fleet-map")
    expect(fleet_map).to_have_attribute("data-vehicles", "2", timeout=40_000)
    rows(page).nth(0).focus()
    page.keyboard.press("f")
    expect(page.get_by_role("button", name="Stop following")).to_be_visible()
    page.get_by_role("link", name=re.compile("^Unlocked")).click()
    expect(fleet_map).to_have_attribute("data-vehicles", "1")
    latitude, longitude = BERLIN
    report(vehicles["Ada"], catalogue.PRECISE_LOCATION, {"latitude": latitude, "longitude": longitude})
    report(vehicles["Ada"], catalogue.IS_LOCKED, False)
    expect(rows(page)).to_have_text(["Ada", "Bea"])
    expect(fleet_map).to_have_attribute("data-vehicles", "2")


@desktop_only
def test_a_page_without_access_offers_a_reload(
    open_page: OpenPage, vehicles: dict[str, Vehicle], fleet: Fleet, owner: User
) -> None:
    page = open_page()
    page.get_by_role("link", name="Ada").click()
    page.get_by_role("link", name="Open vehicle").click()
    expect(page.locator("#values")).to_be_visible()
    Membership.objects.filter(fleet=fleet, user=owner).delete()
    page.evaluate("document.body.dispatchEvent(new CustomEvent('vehicle:updated'))")
    message = page.locator("#not-live")
    expect(
        message.get_by_text("Part of this page is no longer available, or you no longer have access.")
    ).to_be_visible()
    page.set_viewport_size({"width": 390, "height": 500})
    page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    expect(message.get_by_text("Part of this page is no longer available")).to_be_in_viewport()
    # A later successful request doesn't hide the message.
    with page.expect_response("**/accounts/") as response:
        page.evaluate("htmx.ajax('GET', '/accounts/', { swap: 'none' })")
    assert response.value.ok
    page.wait_for_timeout(300)
    assert message.get_by_text("Part of this page is no longer available").is_visible()
    message.get_by_role("link", name="Reload page").click()
    expect(page.get_by_text("Part of this page is no longer available")).to_be_hidden()
    expect(page.get_by_role("heading", level=1)).to_have_text("Page not found")


@phone_only
def test_on_a_phone_the_map_library_loads_with_the_map_tab(
    open_page: OpenPage, vehicles: dict[str, Vehicle]
) -> None:
    page = open_page()
    expect_live(page)
    library_requested = (
        "performance.getEntriesByType('resource').some((entry) => entry.name.includes('maplibre'))"
    )
    assert not page.evaluate(library_requested)
    page.get_by_role("button", name="Map", exact=True).click()
    expect(page.locator("#fleet-map")).to_have_attribute("data-vehicles", "2", timeout=40_000)
    expect(rows(page).first).to_be_hidden()
    page.get_by_role("button", name="List", exact=True).click()
    expect(rows(page).first).to_be_visible()


def test_a_view_is_saved_opened_and_deleted(
    open_page: OpenPage, vehicles: dict[str, Vehicle], view: View
) -> None:
    page = open_page("?make=BMW")
    if not view.on_phone:  # the phone layout has no columns
        page.get_by_text("Columns", exact=True).click()
        page.get_by_label("Odometer").uncheck()
        page.get_by_label("Group", exact=True).last.check()
        page.locator("#columns").get_by_role("button", name="Apply").click()
        expect(page.get_by_role("columnheader", name="Group")).to_be_visible()
        expect(page.get_by_role("columnheader", name="Odometer")).to_have_count(0)
    page.get_by_text("Views", exact=True).click()
    page.get_by_label("View name").fill("The north")
    page.get_by_role("button", name="Save view").click()
    expect(page.get_by_role("main").get_by_role("status").filter(has_text="The north")).to_be_visible()
    page.goto(page.url.partition("?")[0])
    expect(rows(page)).to_have_count(3)
    tab = page.locator("#views").get_by_role("link", name="The north")
    tab.click()
    expect(rows(page)).to_have_text(["Bea"])
    expect(tab).to_have_attribute("aria-current", "page")
    page.get_by_text("Views", exact=True).click()
    page.get_by_role("button", name="Delete view The north").click()
    expect(page.get_by_text(re.compile("deleted"))).to_be_visible()


def test_all_vehicles_of_a_long_list_are_selected_for_a_command(open_page: OpenPage, fleet: Fleet) -> None:
    for number in range(60):
        create_vehicle(fleet, f"Car {number:02}", locked=False)
    page = open_page()
    page.get_by_label("Select all vehicles on this page").check()
    expect(page.get_by_text("50 selected")).to_be_visible()
    page.get_by_role("button", name="Select all 60 vehicles").click()
    expect(page.get_by_text("60 selected")).to_be_visible()
    page.get_by_role("link", name="Next").click()
    expect(page.get_by_label("Select Car 59")).to_be_checked()
    page.get_by_label("Select Car 59").uncheck()
    page.get_by_role("form", name="Selected vehicles").get_by_role("button", name="Lock", exact=True).click()
    expect(page.get_by_text(re.compile(r"\b59\b")).first).to_be_visible()


@desktop_only
def test_a_panel_opens_beside_the_list_and_the_url_keeps_it(
    open_page: OpenPage, vehicles: dict[str, Vehicle], context: BrowserContext
) -> None:
    page = open_page()
    expect_live(page)
    link = page.get_by_role("link", name="Bea", exact=True)
    panel = page.locator("#side-panel")
    with context.expect_page() as opened:
        link.click(modifiers=["ControlOrMeta"])
    expect(opened.value).to_have_url(re.compile("/vehicles/car-Bea/$"))
    opened.value.close()
    expect(panel).to_have_count(0)

    link.click()
    expect(panel.get_by_role("heading", name="Bea")).to_be_focused()
    expect(page).to_have_url(re.compile(r"\?vehicle=car-Bea$"))
    expect(panel).to_contain_text("50%")
    report(vehicles["Bea"], catalogue.STATE_OF_CHARGE, 49)
    expect(panel).to_contain_text("49%")

    page.get_by_role("link", name=re.compile("^Unlocked")).click()
    expect(rows(page)).to_have_text(["Bea"])
    expect(page).to_have_url(re.compile("show=unlocked.*vehicle=car-Bea"))
    page.reload()
    expect(panel).to_contain_text("Bea")
    page.keyboard.press("Escape")
    expect(panel).to_have_count(0)
    expect(link).to_be_focused()
    expect(page).to_have_url(re.compile(r"\?show=unlocked$"))
    go_back(page)
    expect(panel).to_contain_text("Bea")


@phone_only
def test_on_a_phone_a_vehicles_link_opens_its_page(open_page: OpenPage, vehicles: dict[str, Vehicle]) -> None:
    page = open_page()
    page.get_by_role("link", name="Bea", exact=True).click()
    expect(page).to_have_url(re.compile("/vehicles/car-Bea/$"))


@desktop_only
def test_a_vehicle_is_locked_from_the_panel(open_page: OpenPage, vehicles: dict[str, Vehicle]) -> None:
    page = open_page("?vehicle=car-Bea")
    panel = page.locator("#side-panel")
    panel.get_by_role("button", name="Lock", exact=True).click()
    expect(panel.locator(".side-panel-last")).to_contain_text("Lock")


def test_removing_a_chip_empties_its_field_too(open_page: OpenPage, vehicles: dict[str, Vehicle]) -> None:
    page = open_page("?q=ada&make=TESLA")
    expect(rows(page)).to_have_text(["Ada"])
    page.locator("#chip-search").click()
    expect(page.locator("#chip-search")).to_have_count(0)
    expect(page.get_by_role("searchbox")).to_have_value("")
    page.locator("#chip-filter-make").click()
    expect(rows(page)).to_have_text(["Ada", "Bea", "Cem"])
    expect(page.locator("#filter-make")).to_have_value("")

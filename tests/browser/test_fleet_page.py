"""The fleet page in a browser: filters, keyboard, choosing, saved views, the map, and what happens by itself."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import BrowserContext, Locator, Page, Route, expect

from accounts.models import Fleet, Membership, User
from core import pubsub
from core.pubsub import Channel
from tests.browser.scenarios import View, only_at_a_desk, only_on_a_phone
from tests.browser.serving import serving
from tests.dashboard.vehicle_list.fixtures import create_vehicle, report_signal
from vehicles import catalogue
from vehicles.models import Vehicle

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
OAKLAND, BERLIN = (37.8044, -122.2712), (52.52, 13.405)
Open = Callable[..., Page]


@pytest.fixture(scope="module")
def address(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("web")) as url:
        yield url


@pytest.fixture
def open_page(context: BrowserContext, address: str, owner: User, fleet: Fleet) -> Iterator[Open]:
    """The fleet page as its owner opens it; fails at the end for what the browser complained about."""
    client = Client()
    client.force_login(owner)
    session = client.cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": session, "url": address}])
    complaints: list[str] = []

    def opened(query: str = "") -> Page:
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{address}/fleets/blue/{query}")
        # The last of the page's scripts has run.
        expect(page.locator("#live-sign[data-state]")).to_be_visible()
        return page

    yield opened
    assert complaints == []


@pytest.fixture
def cars(fleet: Fleet) -> dict[str, Vehicle]:
    made = [
        create_vehicle(fleet, "Ada", charge=80, locked=True, place=OAKLAND, make="TESLA"),
        create_vehicle(fleet, "Bea", charge=50, locked=False, place=BERLIN, make="BMW", group="North"),
        create_vehicle(fleet, "Cem", fuel=50, locked=True, make="FORD"),
    ]
    return {vehicle.name: vehicle for vehicle in made}


def rows(page: Page) -> Any:
    return page.locator("#car-table [data-car]")


def press_back(page: Page) -> None:
    """Waits for no page, as the browser's own button doesn't."""
    page.evaluate("history.back()")


def wait_until_at_rest(drawn: Locator) -> None:
    """Until the map has flown where it is to be: a click meanwhile would stop it."""
    seen = None
    for _ in range(40):
        drawn.page.wait_for_timeout(700)
        before, seen = seen, drawn.screenshot()
        if seen == before:
            return
    pytest.fail("the map does not come to rest")


def tell(vehicle: Vehicle, signal: catalogue.Signal, value: object) -> None:
    """The car tells it, and the open pages are told."""
    body = value if isinstance(value, dict) else {"value": value}
    report_signal(vehicle, signal, body, minutes_ago=0)
    pubsub.publish_on_commit(channel=Channel.SIGNALS, vehicles={vehicle.fleet_id: [vehicle.pk]})


def is_live(page: Page) -> None:
    expect(page.locator("#live-sign")).to_have_text("Live")


def test_tiles_search_and_filters_narrow_list_and_address_and_going_back_widens_them(
    open_page: Open, cars: dict[str, Vehicle]
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
    expect(page.locator("#cars").get_by_text("All reporting vehicles are locked.")).to_be_visible()
    # Each step back is another address, which the browser asks for anew.
    press_back(page)
    expect(rows(page)).to_have_text(["Bea"])
    press_back(page)
    expect(rows(page)).to_have_text(["Ada", "Bea", "Cem"])
    page.get_by_text("Filters", exact=True).click()
    page.get_by_label("Make", exact=True).select_option("FORD")
    expect(rows(page)).to_have_text(["Cem"])


@only_at_a_desk
def test_going_back_twice_shows_what_the_address_says_whichever_answer_comes_last(
    open_page: Open, cars: dict[str, Vehicle]
) -> None:
    page = open_page()
    page.get_by_role("link", name=re.compile("^Unlocked")).click()
    expect(rows(page)).to_have_text(["Bea"])
    page.get_by_label("Search vehicles").fill("ada")
    expect(page.locator("#cars").get_by_text("All reporting vehicles are locked.")).to_be_visible()
    slow: list[Route] = []

    def hold(route: Route) -> None:
        if route.request.is_navigation_request():
            route.fulfill(status=204)  # and so the page stays for the next step, as with a slow answer
        else:
            slow.append(route)

    page.route(re.compile(r"\?show=unlocked$"), hold)
    press_back(page)
    expect(page).to_have_url(re.compile(r"\?show=unlocked$"))
    press_back(page)
    expect(page).to_have_url(re.compile("/fleets/blue/$"))
    expect(rows(page)).to_have_text(["Ada", "Bea", "Cem"])
    for route in slow:
        route.continue_()
    page.wait_for_timeout(1_000)
    expect(rows(page)).to_have_text(["Ada", "Bea", "Cem"])
    expect(page.locator("#live-sign[data-state]")).to_be_visible()
    page.keyboard.press("/")
    expect(page.get_by_label("Search vehicles")).to_be_focused()


@only_at_a_desk
def test_going_back_while_the_page_loads_shows_what_the_address_says(
    open_page: Open, cars: dict[str, Vehicle]
) -> None:
    page = open_page()
    page.get_by_role("link", name=re.compile("^Unlocked")).click()
    expect(rows(page)).to_have_text(["Bea"])
    slow: list[Route] = []
    page.route("**/htmx-2.min*.js", lambda route: slow.append(route), times=1)
    page.reload(wait_until="commit")
    expect(rows(page)).to_have_text(["Bea"])
    press_back(page)
    expect(page).to_have_url(re.compile("/fleets/blue/$"))
    expect(rows(page)).to_have_text(["Ada", "Bea", "Cem"])


def test_the_keyboard_does_everything(open_page: Open, cars: dict[str, Vehicle]) -> None:
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
    expect(page).to_have_url(re.compile("/vehicles/car-Bea/$"))


def test_what_is_new_shows_in_place_by_itself(open_page: Open, cars: dict[str, Vehicle]) -> None:
    page = open_page()
    is_live(page)
    page.get_by_label("Select Ada").check()
    rows(page).nth(1).focus()
    page.evaluate("window.unharmed = true")
    tell(cars["Ada"], catalogue.STATE_OF_CHARGE, 15)
    expect(page.locator(f"#car-{cars['Ada'].pk}")).to_contain_text("15 %")
    expect(page.locator("#tile-low .tile-count")).to_have_text("1")
    tell(cars["Bea"], catalogue.IS_LOCKED, True)
    expect(page.locator("#tile-unlocked .tile-count")).to_have_text("0")
    expect(rows(page).nth(1)).to_be_focused()
    expect(page.get_by_label("Select Ada")).to_be_checked()
    assert page.evaluate("window.unharmed")


def test_a_car_that_leaves_the_filter_leaves_the_list(open_page: Open, cars: dict[str, Vehicle]) -> None:
    page = open_page("?show=unlocked")
    is_live(page)
    expect(rows(page)).to_have_text(["Bea"])
    tell(cars["Ada"], catalogue.IS_LOCKED, False)
    expect(rows(page)).to_have_text(["Ada", "Bea"])


@pytest.mark.slow
def test_without_a_stream_the_page_polls_and_says_so(open_page: Open, cars: dict[str, Vehicle]) -> None:
    page = open_page("?show=low")
    page.context.route("**/live/**", lambda route: route.abort())
    page.reload()
    expect(page.locator("#live-sign")).to_contain_text("Not live")
    tell(cars["Ada"], catalogue.STATE_OF_CHARGE, 11)
    expect(rows(page)).to_have_text(["Ada"])
    page.context.unroute("**/live/**")
    expect(page.locator("#live-sign")).to_have_text("Live", timeout=40_000)


@pytest.mark.slow
@only_at_a_desk
def test_while_it_polls_a_page_asks_no_more_often_however_much_is_new(
    open_page: Open, cars: dict[str, Vehicle]
) -> None:
    page = open_page()
    page.context.route("**/live/**", lambda route: route.fulfill(status=204))  # as without Redis
    page.reload()
    expect(page.locator("#live-sign")).to_contain_text("Not live")
    asked: list[str] = []
    page.on(
        "request",
        lambda request: (
            asked.append(request.url) if "/list/" in request.url or "/map-data/" in request.url else None
        ),
    )
    for turn in range(24):
        tell(cars["Ada"], catalogue.STATE_OF_CHARGE, 30 + turn)
        page.wait_for_timeout(500)
    lists = [url for url in asked if "/map-data/" not in url]
    assert 1 <= len(lists) <= 4, asked
    assert len(asked) - len(lists) <= 1, asked  # the map's data weigh a hundred times as much


@only_at_a_desk
def test_what_was_seen_is_not_kept_in_the_browser(open_page: Open, cars: dict[str, Vehicle]) -> None:
    page = open_page()
    page.get_by_role("link", name=re.compile("^Unlocked")).click()
    expect(rows(page)).to_have_text(["Bea"])
    held = page.evaluate("JSON.stringify({ ...localStorage, ...sessionStorage })")
    assert "Bea" not in held
    assert "Ada" not in held


def test_after_a_lost_connection_the_page_catches_up(open_page: Open, cars: dict[str, Vehicle]) -> None:
    page = open_page()
    is_live(page)
    page.context.set_offline(True)
    page.evaluate("window.dispatchEvent(new Event('offline'))")
    tell(cars["Ada"], catalogue.STATE_OF_CHARGE, 33)
    page.context.set_offline(False)
    expect(page.locator(f"#car-{cars['Ada'].pk}")).to_contain_text("33 %", timeout=60_000)
    expect(page.locator("#live-sign")).to_have_text("Live", timeout=60_000)


@only_at_a_desk
def test_land_that_could_not_be_fetched_is_drawn_once_the_line_is_back(
    open_page: Open, cars: dict[str, Vehicle]
) -> None:
    page = open_page()
    page.route("**/topojson-client*", lambda route: route.abort(), times=1)
    with page.expect_event("requestfailed", lambda request: "topojson" in request.url, timeout=40_000):
        page.reload()
    with page.expect_response("**/land-*.json*"):
        page.evaluate("window.dispatchEvent(new Event('online'))")


def test_the_map_has_the_cars_follows_one_and_tells_of_it(
    open_page: Open, cars: dict[str, Vehicle], view: View
) -> None:
    page = open_page()
    drawn = page.locator("#fleet-map")
    if view.on_phone:
        page.get_by_role("button", name="Map", exact=True).click()
    expect(drawn).to_have_attribute("data-cars", "2", timeout=40_000)
    page.get_by_role("link", name=re.compile("^Unlocked")).click()
    expect(drawn).to_have_attribute("data-cars", "1")
    page.get_by_role("link", name=re.compile("^All vehicles")).click()
    expect(drawn).to_have_attribute("data-cars", "2")
    if view.on_phone:
        page.get_by_role("button", name="List", exact=True).click()
    rows(page).nth(0).focus()
    page.keyboard.press("f")
    if view.on_phone:
        page.get_by_role("button", name="Map", exact=True).click()
    expect(page.get_by_role("button", name="Stop following")).to_be_visible()
    wait_until_at_rest(drawn)
    drawn.click()  # in its middle, where the car is
    peek = page.locator(".peek")
    expect(peek).to_contain_text("Ada")
    expect(peek).to_contain_text("80 %")
    expect(peek.get_by_role("link", name="Ada")).to_have_attribute("href", "/fleets/blue/vehicles/car-Ada/")


@only_at_a_desk
def test_the_map_goes_on_while_a_filter_hides_the_car_that_it_follows(
    open_page: Open, cars: dict[str, Vehicle]
) -> None:
    page = open_page()
    is_live(page)
    drawn = page.locator("#fleet-map")
    expect(drawn).to_have_attribute("data-cars", "2", timeout=40_000)
    rows(page).nth(0).focus()
    page.keyboard.press("f")
    expect(page.get_by_role("button", name="Stop following")).to_be_visible()
    page.get_by_role("link", name=re.compile("^Unlocked")).click()
    expect(drawn).to_have_attribute("data-cars", "1")
    latitude, longitude = BERLIN
    tell(cars["Ada"], catalogue.PRECISE_LOCATION, {"latitude": latitude, "longitude": longitude})
    tell(cars["Ada"], catalogue.IS_LOCKED, False)
    expect(rows(page)).to_have_text(["Ada", "Bea"])
    expect(drawn).to_have_attribute("data-cars", "2")


@only_at_a_desk
def test_who_may_no_longer_see_a_car_is_told_to_load_the_page_again(
    open_page: Open, cars: dict[str, Vehicle], fleet: Fleet, owner: User
) -> None:
    page = open_page()
    page.get_by_role("link", name="Ada").click()
    expect(page.locator("#values")).to_be_visible()
    Membership.objects.filter(fleet=fleet, user=owner).delete()
    page.evaluate("document.body.dispatchEvent(new CustomEvent('vehicle:updated'))")
    sign = page.locator("#not-live")
    expect(
        sign.get_by_text("Part of this page is no longer available, or you no longer have access.")
    ).to_be_visible()
    page.set_viewport_size({"width": 390, "height": 500})
    page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    expect(sign.get_by_text("Part of this page is no longer available")).to_be_in_viewport()
    # What is asked for next and is well does not take it away.
    with page.expect_response("**/accounts/") as answer:
        page.evaluate("htmx.ajax('GET', '/accounts/', { swap: 'none' })")
    assert answer.value.ok
    page.wait_for_timeout(300)
    assert sign.get_by_text("Part of this page is no longer available").is_visible()
    sign.get_by_role("link", name="Reload page").click()
    expect(page.get_by_text("Part of this page is no longer available")).to_be_hidden()
    expect(page.get_by_role("heading", level=1)).to_have_text("Page not found")


@only_on_a_phone
def test_on_a_phone_the_map_waits_behind_its_tab_and_its_library_with_it(
    open_page: Open, cars: dict[str, Vehicle]
) -> None:
    page = open_page()
    is_live(page)
    asked = "performance.getEntriesByType('resource').some((entry) => entry.name.includes('maplibre'))"
    assert not page.evaluate(asked)
    page.get_by_role("button", name="Map", exact=True).click()
    expect(page.locator("#fleet-map")).to_have_attribute("data-cars", "2", timeout=40_000)
    expect(rows(page).first).to_be_hidden()
    page.get_by_role("button", name="List", exact=True).click()
    expect(rows(page).first).to_be_visible()


def test_a_view_is_kept_offered_and_dropped(open_page: Open, cars: dict[str, Vehicle], view: View) -> None:
    page = open_page("?make=BMW")
    if not view.on_phone:  # where a row is no row of columns
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
    page.get_by_text("Views", exact=True).click()
    page.get_by_role("link", name="The north").click()
    expect(rows(page)).to_have_text(["Bea"])
    page.get_by_text("Views", exact=True).click()
    page.get_by_role("button", name="Delete view The north").click()
    expect(page.get_by_text(re.compile("deleted"))).to_be_visible()


def test_all_cars_of_a_long_list_are_chosen_for_a_command(open_page: Open, fleet: Fleet) -> None:
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

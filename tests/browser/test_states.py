"""What pages become when somebody acts on them, or has no business there: as fit for everybody as the pages."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from django.template.loader import render_to_string
from playwright.sync_api import Browser, Page, expect

from tests.browser.page_checks import DESK, PHONE, Screen, Site, look_at

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db]
FLEET = "/fleets/blue/"


@dataclass(frozen=True)
class State:
    """What somebody does on a page; `path` is filled with the world's arguments."""

    says: str
    path: str
    person: str = "owner"
    act: Callable[[Page], None] = lambda page: None

    def __str__(self) -> str:
        return self.says


def _ask_to_unlock(page: Page) -> None:
    page.get_by_role("button", name="Unlock", exact=True).click()
    expect(page.get_by_role("dialog")).to_be_visible()


def _review_of_many(page: Page) -> None:
    # Leaving while the map still loads would be told as a failure to load it.
    if page.locator("#fleet-map").is_visible():
        page.locator(".maplibregl-canvas").first.wait_for()
    page.locator("[data-choose-all]").check()
    page.locator("#bulk").get_by_role("button", name="Lock", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Lock:")


def _wrong_password(page: Page) -> None:
    page.get_by_label("Email").fill("owner@fleet.example")
    page.get_by_label("Password").fill("not mine")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_be_visible()


def _invite(page: Page) -> None:
    page.get_by_label("Driver's name").fill("Dana")
    page.get_by_role("button", name="Create invitation").click()
    expect(page.get_by_label("Invitation link")).to_be_visible()


def _menus(page: Page) -> None:
    for menu in page.locator("details.menu > summary:visible").all():
        menu.click()


def _all_details(page: Page) -> None:
    page.evaluate("document.querySelectorAll('main details').forEach((each) => { each.open = true; })")


STATES = [
    State("nothing there", "/fleets/nowhere/"),
    State("nothing there, signed out", "/nowhere/", person=""),
    State("Access wasn", FLEET, person="driver"),
    State("in no fleet", "/", person="driver"),
    State("only looking", FLEET, person="viewer"),
    State("only looking at a car", FLEET + "vehicles/{smartcar_id}/", person="viewer"),
    State("a refusal at Connect", "/connect/callback/?error=access_denied&state=none"),
    State("wrong password", "/accounts/sign-in/", person="", act=_wrong_password),
    State("menus open", FLEET, act=_menus),
    State("unlocking", FLEET + "vehicles/{smartcar_id}/", act=_ask_to_unlock),
    State("details open", FLEET + "vehicles/{smartcar_id}/", act=_all_details),
    State("many cars", FLEET, act=_review_of_many),
    State("an invitation made", "/fleets/blue/invitations/", act=_invite),
]


@pytest.mark.parametrize("screen", [DESK, PHONE], ids=str)
@pytest.mark.parametrize("state", STATES, ids=str)
def test_states_of_pages_are_fit_for_everybody(
    chromium: Browser, site: Site, screen: Screen, state: State
) -> None:
    look = look_at(chromium, site, person=state.person, screen=screen)
    state.act(look.go(state.path.format(**site.world.arguments)))
    assert look.faults() == []
    look.context.close()


@pytest.mark.parametrize("screen", [DESK, PHONE], ids=str)
def test_a_page_that_broke_is_fit_for_everybody(chromium: Browser, site: Site, screen: Screen) -> None:
    look = look_at(chromium, site, person="owner", screen=screen)
    broken = render_to_string("500.html")
    look.page.route(
        "**/broken/", lambda route: route.fulfill(status=200, body=broken, content_type="text/html")
    )
    look.go("/broken/")
    assert look.faults() == []
    look.context.close()

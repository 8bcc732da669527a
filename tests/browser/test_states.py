"""Accessibility and layout of page states: after an action, without permission, and error pages."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from django.template.loader import render_to_string
from playwright.sync_api import Browser, Page, expect

from tests.browser.page_checks import DESKTOP, PHONE, Screen, Site, open_checker

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db]
FLEET = "/fleets/blue/"


@dataclass(frozen=True)
class State:
    """An action on a page. `path` is formatted with `World.arguments`."""

    name: str
    path: str
    role: str = "owner"
    act: Callable[[Page], None] = lambda page: None

    def __str__(self) -> str:
        return self.name


def _open_unlock_dialog(page: Page) -> None:
    page.get_by_role("button", name="Unlock", exact=True).click()
    expect(page.get_by_role("dialog")).to_be_visible()


def _review_bulk_command(page: Page) -> None:
    # Leaving the page while the map loads would be reported as a failed request.
    if page.locator("#fleet-map").is_visible():
        page.locator(".maplibregl-canvas").first.wait_for()
    page.locator("[data-choose-all]").check()
    page.locator("#bulk").get_by_role("button", name="Lock", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Lock:")


def _enter_wrong_password(page: Page) -> None:
    page.get_by_label("Email").fill("owner@fleet.example")
    page.get_by_label("Password").fill("not mine")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_be_visible()


def _create_invitation(page: Page) -> None:
    page.get_by_label("Driver's name").fill("Dana")
    page.get_by_role("button", name="Create invitation").click()
    expect(page.get_by_label("Invitation link")).to_be_visible()


def _open_menus(page: Page) -> None:
    for menu in page.locator("details.menu > summary:visible").all():
        menu.click()


def _open_all_details(page: Page) -> None:
    page.evaluate("document.querySelectorAll('main details').forEach((each) => { each.open = true; })")


STATES = [
    State("nothing there", "/fleets/nowhere/"),
    State("nothing there, signed out", "/nowhere/", role=""),
    State("not allowed", FLEET, role="driver"),
    State("in no fleet", "/", role="driver"),
    State("only looking", FLEET, role="viewer"),
    State("only looking at a car", FLEET + "vehicles/{smartcar_id}/", role="viewer"),
    State("a refusal at Connect", "/connect/callback/?error=access_denied&state=none"),
    State("wrong password", "/accounts/sign-in/", role="", act=_enter_wrong_password),
    State("menus open", FLEET, act=_open_menus),
    State("unlocking", FLEET + "vehicles/{smartcar_id}/", act=_open_unlock_dialog),
    State("details open", FLEET + "vehicles/{smartcar_id}/", act=_open_all_details),
    State("many cars", FLEET, act=_review_bulk_command),
    State("an invitation made", "/fleets/blue/invitations/", act=_create_invitation),
]


@pytest.mark.parametrize("screen", [DESKTOP, replace(PHONE, theme="dark")], ids=str)
@pytest.mark.parametrize("state", STATES, ids=str)
def test_page_states_are_accessible(chromium: Browser, site: Site, screen: Screen, state: State) -> None:
    checker = open_checker(chromium, site, role=state.role, screen=screen)
    state.act(checker.open(state.path.format(**site.world.arguments)))
    assert checker.check() == []
    checker.context.close()


@pytest.mark.parametrize("screen", [DESKTOP, replace(PHONE, theme="dark")], ids=str)
def test_the_error_page_is_accessible(chromium: Browser, site: Site, screen: Screen) -> None:
    checker = open_checker(chromium, site, role="owner", screen=screen)
    html = render_to_string("500.html")
    checker.page.route(
        "**/broken/", lambda route: route.fulfill(status=200, body=html, content_type="text/html")
    )
    checker.open("/broken/")
    assert checker.check() == []
    checker.context.close()

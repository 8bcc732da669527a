"""Screens, themes and common steps of the browser tests."""

import os
from dataclasses import dataclass
from typing import Literal

import httpx
import pytest
from playwright.sync_api import ConsoleMessage, Page, ViewportSize, expect

from accounts.models import SmartcarApiVersion, User
from vehicles.models import Vehicle

PASSWORD = "a long enough passphrase"


@dataclass(frozen=True)
class View:
    """A screen size and the theme that the system prefers."""

    screen: ViewportSize
    theme: Literal["light", "dark"]

    @property
    def on_phone(self) -> bool:
        return self.screen["width"] < 600

    @property
    def api_version(self) -> SmartcarApiVersion:
        """The API version that is tested in this view, chosen so that each version is tested at both widths."""
        return SmartcarApiVersion.V3 if self.theme == "light" else SmartcarApiVersion.V2

    def __str__(self) -> str:
        return f"{'phone' if self.on_phone else 'desktop'}-{self.theme}"


DESKTOP: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
ON_DESKTOP = View(DESKTOP, "light")
ON_PHONE = View(PHONE, "dark")
# `make test` runs each scenario on a light desktop, `make soak` on a dark phone, too: each width, theme and API version
# once. With TEST_ALL_VIEWS=1, the other two combinations are added.
_SLOW_VIEWS = [ON_PHONE]
if os.environ.get("TEST_ALL_VIEWS"):
    _SLOW_VIEWS += [View(DESKTOP, "dark"), View(PHONE, "light")]
VIEWS = [
    pytest.param(ON_DESKTOP, id=str(ON_DESKTOP)),
    *(pytest.param(view, id=str(view), marks=pytest.mark.slow) for view in _SLOW_VIEWS),
]
# For tests that don't depend on the view.
desktop_only = pytest.mark.parametrize("view", [ON_DESKTOP], ids=str, indirect=True)
phone_only = pytest.mark.parametrize("view", [ON_PHONE], ids=str, indirect=True)


def open_pages(page: Page) -> None:
    """Open the sheet with all pages, which phones have in place of the rail."""
    more = page.get_by_role("button", name="More", exact=True)
    if more.is_visible():
        more.click()


def sign_in(page: Page, site: str, user: User) -> None:
    user.set_password(PASSWORD)
    user.save()
    page.goto(site)
    page.get_by_label("Email").fill(user.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def walk_through_connect(page: Page) -> None:
    page.get_by_role("link", name="Tesla").click()
    page.locator("section.hint a").first.click()
    page.get_by_label("Password").fill("any")
    page.get_by_role("button", name="Sign in").click()
    for checkbox in page.get_by_role("checkbox").all()[1:]:
        checkbox.uncheck()
    expect(page.get_by_text("It will be able to control")).to_be_visible()
    page.get_by_role("button", name="Allow access").click()


def set_vehicle_state(smartcar: str, vehicle: Vehicle, **state: object) -> None:
    httpx.patch(
        f"{smartcar}/control/vehicles/{vehicle.smartcar_id}", json=state, timeout=30
    ).raise_for_status()


def collect_problems(page: Page) -> list[str]:
    """Collect errors of the page in the returned list: script errors and violations of the content security policy.

    The test server can't stream, so it rejects the fleet page's stream (503), and the page polls instead.
    """
    problems: list[str] = []

    def on_console(message: ConsoleMessage) -> None:
        if message.type == "error" and "/live/" not in message.location.get("url", ""):
            problems.append(message.text)

    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", on_console)
    return problems

"""What the stories share: how somebody sees the product, and what people and cars do in it."""

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
    """A screen's size and the theme that its system asks for."""

    screen: ViewportSize
    theme: Literal["light", "dark"]

    @property
    def on_phone(self) -> bool:
        return self.screen["width"] < 600

    @property
    def api_version(self) -> SmartcarApiVersion:
        """Which of Smartcar's API versions is told of in this view, so that each is at both widths."""
        return SmartcarApiVersion.V3 if self.theme == "light" else SmartcarApiVersion.V2

    def __str__(self) -> str:
        return f"{'phone' if self.on_phone else 'desktop'}-{self.theme}"


DESKTOP: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
AT_A_DESK = View(DESKTOP, "light")
ON_A_PHONE = View(PHONE, "dark")
# Every story runs in all four; what is not marked as slow is told at a desk in light by `make test`.
VIEWS = [
    pytest.param(AT_A_DESK, id=str(AT_A_DESK)),
    *(
        pytest.param(view, id=str(view), marks=pytest.mark.slow)
        for view in (ON_A_PHONE, View(DESKTOP, "dark"), View(PHONE, "light"))
    ),
]
# For what is the same in every view.
only_at_a_desk = pytest.mark.parametrize("view", [AT_A_DESK], ids=str, indirect=True)
only_on_a_phone = pytest.mark.parametrize("view", [ON_A_PHONE], ids=str, indirect=True)


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
    for extra in page.get_by_role("checkbox").all()[1:]:
        extra.uncheck()
    expect(page.get_by_text("It will be able to control")).to_be_visible()
    page.get_by_role("button", name="Allow access").click()


def set_car(smartcar: str, vehicle: Vehicle, **state: object) -> None:
    httpx.patch(
        f"{smartcar}/control/vehicles/{vehicle.smartcar_id}", json=state, timeout=30
    ).raise_for_status()


def problems_of(page: Page) -> list[str]:
    """What the browser complains about: script errors, and what the content security policy refused.

    The tests' server cannot stream, so it refuses the fleet page's stream (503), and the page polls instead.
    """
    found: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type == "error" and "/live/" not in message.location.get("url", ""):
            found.append(message.text)

    page.on("pageerror", lambda error: found.append(str(error)))
    page.on("console", hear)
    return found

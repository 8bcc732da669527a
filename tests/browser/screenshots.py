"""Takes the screenshots in docs/images: `make screenshots`. Not part of the test suite."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.core.management import call_command
from PIL import Image
from playwright.sync_api import Browser, Page
from pytest_django.plugin import DjangoDbBlocker

from accounts.models import SmartcarApiVersion, User
from accounts.services import create_fleet
from tests.browser import demo_data
from tests.browser.fixtures import World
from tests.browser.page_checks import Screen, Site, Theme, open_checker
from tests.browser.pages import PageInventory
from tests.browser.serving import serving
from tests.servers import Simulator
from tests.smartcar import reset
from webhooks import processing

pytestmark = [pytest.mark.browser, pytest.mark.django_db]

FOLDER = Path(settings.BASE_DIR) / "docs/images"
DESKTOP, PHONE, WALL = Screen(1440, 900), Screen(390, 844), Screen(3840, 2160)
COLORS = 200
# Whether the map has loaded the detailed coastline, which takes longest.
COAST = "performance.getEntriesByType('resource').some((each) => each.name.includes('land-10m') && each.responseEnd)"
FLEET = "/fleets/bay-couriers/"
VEHICLE = FLEET + "vehicles/{car}/"


@dataclass(frozen=True)
class Shot:
    """One screenshot. `name` is the file name without its extension."""

    name: str
    path: str
    screen: Screen = DESKTOP
    theme: Theme = "light"
    role: str = "owner"
    act: Callable[[Page], None] = lambda page: None

    def __str__(self) -> str:
        return self.name


def _select_30_days(page: Page) -> None:
    page.get_by_role("link", name="30 d", exact=True).or_(
        page.get_by_role("button", name="30 d", exact=True)
    ).click()
    page.wait_for_timeout(2000)


def _open_unlock_dialog(page: Page) -> None:
    page.get_by_role("button", name="Unlock", exact=True).first.click()
    page.get_by_role("dialog").wait_for()


SHOTS = [
    Shot("vehicles", FLEET),
    Shot("vehicles-dark", FLEET, theme="dark"),
    Shot("vehicles-phone", FLEET, PHONE),
    Shot("vehicles-wall", FLEET, WALL),
    Shot("vehicle", VEHICLE),
    Shot("vehicle-dark", VEHICLE, theme="dark"),
    Shot("vehicle-phone", VEHICLE, PHONE),
    Shot("vehicle-phone-dark", VEHICLE, PHONE, theme="dark"),
    Shot("vehicle-unlock", VEHICLE, act=_open_unlock_dialog),
    Shot("vehicle-history", VEHICLE + "history/", act=_select_30_days),
    Shot("vehicle-events", VEHICLE + "events/"),
    Shot("vehicle-signals", VEHICLE + "signals/"),
    Shot("vehicle-connection", VEHICLE + "connection/"),
    Shot("vehicle-settings", VEHICLE + "settings/"),
    Shot("commands", "/fleets/bay-couriers/commands/"),
    Shot("connections", FLEET + "connections/"),
    Shot("webhook-log", "/fleets/bay-couriers/webhook-log/"),
    Shot("places", FLEET + "places/"),
    Shot("alerts", FLEET + "alerts/"),
    Shot("alerts-phone", FLEET + "alerts/", PHONE),
    Shot("invitations", "/fleets/bay-couriers/invitations/"),
    Shot("usage", FLEET + "usage/"),
    Shot("onboarding", "/fleets/marin-shuttles/onboarding/"),
    Shot("account", "/accounts/"),
    Shot("members", "/fleets/bay-couriers/members/"),
    Shot("sign-in", "/accounts/sign-in/", role=""),
    Shot("sign-in-phone-dark", "/accounts/sign-in/", PHONE, theme="dark", role=""),
]


@pytest.fixture(scope="module")
def courier_site(
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    chromium: Browser,
    simulator: Simulator,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Site]:
    """The site with the fleet of tests.browser.demo_data and a new fleet, at the address of the webhook."""
    port = urlsplit(settings.SITE_URL).port or 80
    with django_db_blocker.unblock():
        reset(simulator.url)
        try:
            with serving(tmp_path_factory.mktemp("web"), port=port) as address:
                # Browsers allow passkeys for a host name, not for an IP address.
                url = address.replace("127.0.0.1", "localhost")
                fleet, owner = demo_data.build(simulator.url)
                new_fleet = create_fleet(
                    name="Marin Shuttles",
                    slug="marin-shuttles",
                    owner=owner,
                    api_version=SmartcarApiVersion.V3,
                )
                vehicle = fleet.vehicles.order_by("pk")[demo_data.SHOWN_INDEX]
                world = World(fleet, new_fleet, {"owner": owner}, [vehicle], {"car": vehicle.smartcar_id})
                yield Site(
                    url, world, PageInventory([], []), {"owner": sign_in_with_form(chromium, url, owner)}
                )
        finally:
            call_command("flush", verbosity=0, interactive=False)
            reset(simulator.url)


def sign_in_with_form(chromium: Browser, url: str, user: User) -> str:
    """Sign in with the form, so that the session is listed on the account page, and return the session key."""
    context = chromium.new_context()
    page = context.new_page()
    page.goto(url)
    page.get_by_label("Email").fill(user.email)
    page.get_by_label("Password").fill(demo_data.PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("heading", level=1).wait_for()
    cookies = {cookie.get("name"): cookie.get("value", "") for cookie in context.cookies()}
    context.close()
    return cookies[settings.SESSION_COOKIE_NAME]


@pytest.mark.parametrize("shot", SHOTS, ids=str)
def test_take_screenshot(chromium: Browser, courier_site: Site, shot: Shot) -> None:
    processing.process_waiting()
    checker = open_checker(
        chromium, courier_site, role=shot.role, screen=replace(shot.screen, theme=shot.theme)
    )
    page = checker.open(shot.path.format(**courier_site.world.arguments))
    wait_until_drawn(page)
    shot.act(page)
    FOLDER.mkdir(exist_ok=True)
    reduce_colors(page.screenshot()).save(FOLDER / f"{shot.name}.png", optimize=True)
    checker.context.close()
    assert checker.problems == []


def wait_until_drawn(page: Page) -> None:
    """Wait until charts and the map are drawn. No event reports this."""
    page.wait_for_timeout(1500)
    if not page.locator("[data-land]:visible").count():
        return
    for _ in range(
        60
    ):  # wait_for_function would evaluate in the page, which the content security policy blocks
        if page.evaluate(COAST):
            break
        page.wait_for_timeout(1000)
    page.wait_for_timeout(12_000)  # drawing the coastline is slow without a GPU


def reduce_colors(picture: bytes) -> Image.Image:
    """Reduce a picture to a palette: a third of the size without a visible difference."""
    return Image.open(BytesIO(picture)).convert("RGB").quantize(COLORS, dither=Image.Dither.NONE)

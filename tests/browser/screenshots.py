"""Takes the pictures of docs/images: `make screenshots`. Not among the tests, since it proves nothing."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
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
from tests.browser.page_checks import Screen, Site, Theme, look_at
from tests.browser.pages import Found
from tests.browser.serving import serving
from tests.servers import Simulator
from tests.smartcar import reset
from webhooks import processing

pytestmark = [pytest.mark.browser, pytest.mark.django_db]

FOLDER = Path(settings.BASE_DIR) / "docs/images"
DESK, PHONE, WALL = Screen(1440, 900), Screen(390, 844), Screen(3840, 2160)
COLOURS = 200
# The map has fetched the fine coast, which is what it waits for longest.
COAST = "performance.getEntriesByType('resource').some((each) => each.name.includes('land-10m') && each.responseEnd)"
FLEET = "/fleets/bay-couriers/"
CAR = FLEET + "vehicles/{car}/"


@dataclass(frozen=True)
class Shot:
    """One picture: `name` is that of the file."""

    name: str
    path: str
    screen: Screen = DESK
    theme: Theme = "light"
    person: str = "owner"
    act: Callable[[Page], None] = lambda page: None

    def __str__(self) -> str:
        return self.name


def _month(page: Page) -> None:
    page.get_by_role("link", name="30 d", exact=True).or_(
        page.get_by_role("button", name="30 d", exact=True)
    ).click()
    page.wait_for_timeout(2000)


def _unlock(page: Page) -> None:
    page.get_by_role("button", name="Unlock", exact=True).first.click()
    page.get_by_role("dialog").wait_for()


SHOTS = [
    Shot("vehicles", FLEET),
    Shot("vehicles-dark", FLEET, theme="dark"),
    Shot("vehicles-phone", FLEET, PHONE),
    Shot("vehicles-wall", FLEET, WALL),
    Shot("vehicle", CAR),
    Shot("vehicle-dark", CAR, theme="dark"),
    Shot("vehicle-phone", CAR, PHONE),
    Shot("vehicle-phone-dark", CAR, PHONE, theme="dark"),
    Shot("vehicle-unlock", CAR, act=_unlock),
    Shot("vehicle-history", CAR + "history/", act=_month),
    Shot("vehicle-events", CAR + "events/"),
    Shot("vehicle-signals", CAR + "signals/"),
    Shot("vehicle-connection", CAR + "connection/"),
    Shot("vehicle-settings", CAR + "settings/"),
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
    Shot("sign-in", "/accounts/sign-in/", person=""),
    Shot("sign-in-phone-dark", "/accounts/sign-in/", PHONE, theme="dark", person=""),
]


@pytest.fixture(scope="module")
def courier_site(
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    chromium: Browser,
    simulator: Simulator,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Site]:
    """The fleet of tests.browser.demo_data, and a new one beside it, on the address that Smartcar delivers to."""
    port = urlsplit(settings.SITE_URL).port or 80
    with django_db_blocker.unblock():
        reset(simulator.url)
        try:
            with serving(tmp_path_factory.mktemp("web"), port=port) as address:
                # By its name, under which browsers allow passkeys.
                url = address.replace("127.0.0.1", "localhost")
                fleet, owner = demo_data.build(simulator.url)
                new = create_fleet(
                    name="Marin Shuttles",
                    slug="marin-shuttles",
                    owner=owner,
                    api_version=SmartcarApiVersion.V3,
                )
                car = fleet.vehicles.order_by("pk")[demo_data.SHOWN]
                shown = World(fleet, new, {"owner": owner}, [car], {"car": car.smartcar_id})
                yield Site(url, shown, Found([], []), {"owner": signed_in(chromium, url, owner)})
        finally:
            call_command("flush", verbosity=0, interactive=False)
            reset(simulator.url)


def signed_in(chromium: Browser, url: str, user: User) -> str:
    """The key of a session that the person began by the form, so that their page of sessions tells of it."""
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
def test_take(chromium: Browser, courier_site: Site, shot: Shot) -> None:
    processing.process_waiting()
    look = look_at(chromium, courier_site, person=shot.person, screen=shot.screen)
    page = look.go(shot.path.format(**courier_site.world.arguments), theme=shot.theme)
    settle(page)
    shot.act(page)
    FOLDER.mkdir(exist_ok=True)
    small(page.screenshot()).save(FOLDER / f"{shot.name}.png", optimize=True)
    look.context.close()
    assert look.troubles == []


def settle(page: Page) -> None:
    """Waits until charts and the map have drawn; nothing tells when they have."""
    page.wait_for_timeout(1500)
    if not page.locator("[data-land]:visible").count():
        return
    for _ in range(60):  # Playwright's own waiting would be evaluated in the page, whose policy refuses that
        if page.evaluate(COAST):
            break
        page.wait_for_timeout(1000)
    page.wait_for_timeout(12_000)  # without a graphics card the coast takes its time


def small(picture: bytes) -> Image.Image:
    """The picture in a palette of its own: a third of the bytes, and nobody sees the difference."""
    return Image.open(BytesIO(picture)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)

"""Fixtures for browser tests: a browser, the site on a live server, and a real Celery worker."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright
from pytest_django.plugin import DjangoDbBlocker

from tests.browser import fixtures, pages
from tests.browser.page_checks import Site, create_sessions
from tests.browser.scenarios import VIEWS, View
from tests.browser.serving import serving
from tests.servers import Simulator
from tests.smartcar import register_webhook, reset
from tests.worker import running_worker

CHROMIUM = Path("/usr/bin/chromium")
INSTALL = (
    "Chromium is not installed. Install it with: apt-get install chromium   (or leave out: -m 'not browser')"
)
# The sandbox doesn't work as root. The other flags disable background requests and enable WebGL for MapLibre.
FLAGS = [
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--enable-unsafe-swiftshader",
]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium. If it isn't installed, the tests fail with the command that installs it.

    The scope is one module, because Playwright's event loop runs in this thread and other tests need their own.
    """
    if not CHROMIUM.exists():
        pytest.fail(INSTALL, pytrace=False)
    # The vehicle, the delivery and the page's next poll take a few seconds each.
    expect.set_options(timeout=20_000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(params=VIEWS)
def view(request: pytest.FixtureRequest) -> View:
    """The screen and theme: desktop or phone, light or dark."""
    view: View = request.param
    return view


@pytest.fixture
def context(chromium: Browser, view: View) -> Iterator[BrowserContext]:
    """A browser without a session, in a time zone far from the fleet's."""
    context = chromium.new_context(
        viewport=view.screen, color_scheme=view.theme, locale="en-US", timezone_id="Asia/Tokyo"
    )
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    context.set_default_timeout(15_000)
    yield context
    context.close()


@pytest.fixture
def worker(transactional_db: None, tmp_path: Path) -> Iterator[None]:
    """A running Celery worker."""
    with running_worker(tmp_path / "worker.log"):
        yield


@pytest.fixture
def smartcar(simulator: Simulator, live_server: object) -> Iterator[str]:
    """The URL of the simulator, without grants and with its webhook pointing at the live server."""
    reset(simulator.url)
    register_webhook(simulator.url, f"{settings.SITE_URL}/webhooks/smartcar/")
    yield simulator.url
    reset(simulator.url)


@pytest.fixture(scope="module")
def site(
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    simulator: Simulator,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Site]:
    """The web server with one `World` for all tests of a module, which must not change shared data."""
    with django_db_blocker.unblock():
        reset(simulator.url)
        try:
            world = fixtures.build(simulator.url)
            with serving(tmp_path_factory.mktemp("web")) as url:
                yield Site(url, world, pages.find_pages(world), create_sessions(world))
        finally:
            call_command("flush", verbosity=0, interactive=False)
            reset(simulator.url)

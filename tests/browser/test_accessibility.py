"""Every page, in both themes, on a desk and on a phone: axe finds nothing, nothing overflows, breaks or jumps."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page
from pytest_django.live_server_helper import LiveServer
from pytest_django.plugin import DjangoDbBlocker

from tests.browser import pages, world
from tests.browser.axe import violations
from tests.browser.pages import Found, Visit
from tests.browser.world import World
from tests.servers import Simulator
from tests.smartcar import reset

# The mark has the database made; the world in it outlives the tests.
pytestmark = [pytest.mark.browser, pytest.mark.django_db]

PARTS = 4
MOST_SHIFT = 0.1
# What the browser tells of itself from the first moment on.
WATCH = """
window.shifted = 0;
new PerformanceObserver((list) => list.getEntries().forEach((entry) => {
  if (!entry.hadRecentInput) window.shifted += entry.value;
})).observe({ type: "layout-shift", buffered: true });
"""
# The innermost element that sticks out furthest.
WIDEST = """
() => {
  const right = (element) => element.getBoundingClientRect().right;
  const all = [...document.querySelectorAll("main *, header *, nav *")].sort((a, b) => right(a) - right(b));
  return all.at(-1).outerHTML.slice(0, 160);
}
"""


@dataclass(frozen=True)
class Screen:
    """How somebody looks at the site."""

    width: int
    height: int
    language: str

    def __str__(self) -> str:
        return f"{self.width}-{self.language}"


SCREENS = [Screen(1440, 900, "en"), Screen(375, 812, "de")]


@dataclass(frozen=True)
class Site:
    """A server, what there is to see on it, and the sessions of those who are signed in."""

    url: str
    pages: Found
    sessions: dict[str, str]


@pytest.fixture(scope="module")
def site(django_db_setup: None, django_db_blocker: DjangoDbBlocker, simulator: Simulator) -> Iterator[Site]:
    """One world for all tests of this module."""
    with django_db_blocker.unblock():
        reset(simulator.url)
        server = LiveServer("127.0.0.1")
        try:
            shown = world.build(simulator.url)
            yield Site(server.url, pages.find(shown), sessions(shown))
        finally:
            server.stop()
            call_command("flush", verbosity=0, interactive=False)
            reset(simulator.url)


def sessions(shown: World) -> dict[str, str]:
    """The session key of each person."""
    keys = {}
    for person, user in shown.people.items():
        client = Client()
        client.force_login(user)
        keys[person] = client.cookies[settings.SESSION_COOKIE_NAME].value
    return keys


@dataclass
class Look:
    """One browser on the site, with what went wrong on the page that it shows."""

    context: BrowserContext
    site: str
    troubles: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.context.add_init_script(WATCH)
        self.page = self.context.new_page()
        self.page.on("pageerror", lambda error: self.troubles.append(f"script error: {error}"))
        self.page.on("console", lambda said: self._said(said.type, said.text))
        self.page.on("request", lambda request: self._asked(request.url))

    def _said(self, kind: str, text: str) -> None:
        # A page that is not there says so, which is no trouble of the page that says it.
        if kind == "error" and "the server responded with a status of 4" not in text:
            self.troubles.append(f"console: {text}")

    def _asked(self, url: str) -> None:
        if not url.startswith((self.site, "data:", "blob:")):
            self.troubles.append(f"asked another origin: {url}")


def look_at(browser: Browser, site: Site, *, person: str, screen: Screen) -> Look:
    """A browser in which the person is signed in, whose language is the screen's."""
    context = browser.new_context(
        viewport={"width": screen.width, "height": screen.height},
        locale=screen.language,
        reduced_motion="reduce",
    )
    context.set_default_timeout(15_000)
    if person:
        cookie = {"name": settings.SESSION_COOKIE_NAME, "value": site.sessions[person], "url": site.url}
        context.add_cookies([cookie])  # type: ignore[list-item]
    return Look(context, site.url)


def faults(look: Look, visit: Visit, screen: Screen) -> list[str]:
    """What is wrong with the page, in words."""
    look.troubles.clear()
    page = look.page
    page.emulate_media(color_scheme="light")
    page.goto(f"{look.site}{visit.path}")
    found = structure(page, screen)
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        found += [f"{theme}: {each}" for each in violations(page)]
    if (shifted := page.evaluate("window.shifted")) >= MOST_SHIFT:
        found.append(f"the layout jumps by {shifted:.2f}")
    return [*found, *look.troubles]


def structure(page: Page, screen: Screen) -> list[str]:
    found = []
    if (width := page.evaluate("document.scrollingElement.scrollWidth")) > screen.width:
        found.append(f"is {width} px wide because of {page.evaluate(WIDEST)}")
    if (heads := page.locator("h1").count()) != 1:
        found.append(f"has {heads} h1")
    if (language := page.locator("html").get_attribute("lang")) != screen.language:
        found.append(f"says it is in {language}")
    return found


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("screen", SCREENS, ids=str)
def test_every_page_is_fit_for_everybody(chromium: Browser, site: Site, screen: Screen, part: int) -> None:
    found: dict[str, list[Visit]] = {}
    looks: dict[str, Look] = {}
    for visit in site.pages.pages[part::PARTS]:
        if visit.person not in looks:
            looks[visit.person] = look_at(chromium, site, person=visit.person, screen=screen)
        for fault in faults(looks[visit.person], visit, screen):
            found.setdefault(fault, []).append(visit)
    for look in looks.values():
        look.context.close()
    told = [f"{fault}\n    on {visits[0]} and {len(visits) - 1} more" for fault, visits in found.items()]
    assert not told, "\n".join(told)


def test_every_address_can_be_visited(site: Site) -> None:
    assert site.pages.unfilled == [], "give tests/browser/world.py the arguments of these addresses"
    assert len({visit.name for visit in site.pages.pages}) > 20

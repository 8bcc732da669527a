"""Opens pages in a browser and reports problems: accessibility, layout, errors and foreign requests."""

import os
from dataclasses import dataclass, field
from typing import Literal

from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser.axe import violations
from tests.browser.fixtures import World
from tests.browser.pages import PageInventory

MAX_LAYOUT_SHIFT = 0.1
SIGN_IN = "/accounts/sign-in/"
Theme = Literal["light", "dark"]
THEMES: tuple[Theme, ...] = ("light", "dark")
# Adds up the layout shifts from the start of the page.
WATCH = """
window.shifted = 0;
new PerformanceObserver((list) => list.getEntries().forEach((entry) => {
  if (!entry.hadRecentInput) window.shifted += entry.value;
})).observe({ type: "layout-shift", buffered: true });
"""
# Returns the innermost element that extends furthest to the right, except inside scrollable elements.
WIDEST = """
() => {
  const right = (element) => element.getBoundingClientRect().right;
  const overflow = (element) => getComputedStyle(element).overflowX;
  const scrolls = (element) => element && (overflow(element) !== "visible" || scrolls(element.parentElement));
  const all = [...document.querySelectorAll("main *, header *, nav *")]
    .filter((element) => !scrolls(element.parentElement)).sort((a, b) => right(a) - right(b));
  return all.at(-1).outerHTML.slice(0, 160);
}
"""

# Voice control users say the visible text of a button, so its label must contain the text (WCAG 2.5.3). axe finds
# only some violations, because it measures the glyphs to exclude icon fonts.
MISNAMED = """
() => [...document.querySelectorAll(":is(a, button, summary)[aria-label]")].filter((each) => {
  const words = (text) => text.replace(/\\s+/g, " ").trim().toLowerCase();
  return each.checkVisibility() && !words(each.ariaLabel).includes(words(each.innerText));
}).map((each) => each.outerHTML.slice(0, 160))
"""


@dataclass(frozen=True)
class Screen:
    """A browser's screen size, language and theme."""

    width: int
    height: int
    language: str = "en"
    theme: Theme = "light"

    def __str__(self) -> str:
        return f"{self.width}-{self.language}"


DESKTOP, PHONE, WALL = Screen(1440, 900), Screen(375, 812), Screen(3840, 2160)


@dataclass(frozen=True)
class Site:
    """A server, its test data and pages, and a session key for each role."""

    url: str
    world: World
    inventory: PageInventory
    sessions: dict[str, str]


def create_sessions(world: World) -> dict[str, str]:
    """Sign in a user of each role, and return their session keys."""
    keys = {}
    for role, user in world.users.items():
        client = Client()
        client.force_login(user)
        keys[role] = client.cookies[settings.SESSION_COOKIE_NAME].value
    return keys


@dataclass
class PageChecker:
    """A browser with one page of the site, and the problems on it."""

    context: BrowserContext
    site: str
    screen: Screen
    problems: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.context.add_init_script(WATCH)
        self.page = self.context.new_page()
        self.page.on("pageerror", lambda error: self.problems.append(f"script error: {error}"))
        self.page.on("console", lambda message: self._on_console(message.type, message.text))
        self.page.on("request", lambda request: self._on_request(request.url))

    def _on_console(self, level: str, text: str) -> None:
        # The browser logs each 4xx response. That isn't a problem of an error page.
        if level == "error" and "the server responded with a status of 4" not in text:
            self.problems.append(f"console: {text}")

    def _on_request(self, url: str) -> None:
        if not url.startswith((self.site, "data:", "blob:")):
            self.problems.append(f"asked another origin: {url}")

    def open(self, path: str) -> Page:
        """Open the page at this path."""
        self.problems.clear()
        self.page.emulate_media(color_scheme=self.screen.theme)
        self.page.goto(f"{self.site}{path}")
        assert not self.page.url.startswith(f"{self.site}{SIGN_IN}?"), f"{path} leads to the sign-in"
        return self.page

    def check(self) -> list[str]:
        """Return descriptions of the page's current problems, in the screen's theme (with TEST_ALL_VIEWS in both)."""
        problems = self._structure()
        for theme in THEMES if os.environ.get("TEST_ALL_VIEWS") else (self.screen.theme,):
            self.page.emulate_media(color_scheme=theme)
            problems += [f"{theme}: {each}" for each in violations(self.page)]
        if (shifted := self.page.evaluate("window.shifted")) >= MAX_LAYOUT_SHIFT:
            problems.append(f"the layout jumps by {shifted:.2f}")
        return [*problems, *self.problems]

    def _structure(self) -> list[str]:
        problems, page = [], self.page
        if (width := page.evaluate("document.scrollingElement.scrollWidth")) > self.screen.width:
            problems.append(f"is {width} px wide because of {page.evaluate(WIDEST)}")
        if (headings := page.locator("h1").count()) != 1:
            problems.append(f"has {headings} h1")
        problems += [f"is called by other words than it shows: {each}" for each in page.evaluate(MISNAMED)]
        if (language := page.locator("html").get_attribute("lang")) != self.screen.language:
            problems.append(f"says it is in {language}")
        return problems


def open_checker(browser: Browser, site: Site, *, role: str, screen: Screen, url: str = "") -> PageChecker:
    """Return a checker whose browser is signed in as a user of this role ("": signed out).

    `url` is another server with the same data.
    """
    context = browser.new_context(
        viewport={"width": screen.width, "height": screen.height},
        locale=screen.language,
        reduced_motion="reduce",
    )
    context.set_default_timeout(15_000)
    if role:
        key = site.sessions[role]
        context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": key, "url": url or site.url}])
    return PageChecker(context, url or site.url, screen)

"""Looking at a page as somebody does, and saying what is wrong with it."""

from dataclasses import dataclass, field
from typing import Literal

from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser.axe import violations
from tests.browser.fixtures import World
from tests.browser.pages import Found

MOST_SHIFT = 0.1
SIGN_IN = "/accounts/sign-in/"
Theme = Literal["light", "dark"]
THEMES: tuple[Theme, ...] = ("light", "dark")
# What the browser tells of itself from the first moment on.
WATCH = """
window.shifted = 0;
new PerformanceObserver((list) => list.getEntries().forEach((entry) => {
  if (!entry.hadRecentInput) window.shifted += entry.value;
})).observe({ type: "layout-shift", buffered: true });
"""
# The innermost element that sticks out furthest, and not only within something that scrolls by itself.
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

# Whoever speaks to the browser says what stands on a button (WCAG 2.5.3). axe looks, too, but finds it only at times:
# it measures the letters, to leave icons made of letters alone.
MISNAMED = """
() => [...document.querySelectorAll(":is(a, button, summary)[aria-label]")].filter((each) => {
  const words = (text) => text.replace(/\\s+/g, " ").trim().toLowerCase();
  return each.checkVisibility() && !words(each.ariaLabel).includes(words(each.innerText));
}).map((each) => each.outerHTML.slice(0, 160))
"""


@dataclass(frozen=True)
class Screen:
    """How somebody looks at the site."""

    width: int
    height: int
    language: str = "en"

    def __str__(self) -> str:
        return f"{self.width}-{self.language}"


DESK, PHONE, WALL = Screen(1440, 900), Screen(375, 812), Screen(3840, 2160)


@dataclass(frozen=True)
class Site:
    """A server, what there is to see on it, and the sessions of those who are signed in."""

    url: str
    world: World
    found: Found
    sessions: dict[str, str]


def sessions_of(world: World) -> dict[str, str]:
    """The session key of each person."""
    keys = {}
    for person, user in world.people.items():
        client = Client()
        client.force_login(user)
        keys[person] = client.cookies[settings.SESSION_COOKIE_NAME].value
    return keys


@dataclass
class Look:
    """A browser on the site with one page, and what went wrong on it."""

    context: BrowserContext
    site: str
    screen: Screen
    troubles: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.context.add_init_script(WATCH)
        self.page = self.context.new_page()
        self.page.on("pageerror", lambda error: self.troubles.append(f"script error: {error}"))
        self.page.on("console", lambda said: self._said(said.type, said.text))
        self.page.on("request", lambda request: self._asked(request.url))

    def _said(self, kind: str, text: str) -> None:
        # Where there is nothing, the browser says so; that is no trouble of the page that says it, too.
        if kind == "error" and "the server responded with a status of 4" not in text:
            self.troubles.append(f"console: {text}")

    def _asked(self, url: str) -> None:
        if not url.startswith((self.site, "data:", "blob:")):
            self.troubles.append(f"asked another origin: {url}")

    def go(self, path: str, *, theme: Theme = "light") -> Page:
        """Opens the page of this path."""
        self.troubles.clear()
        self.page.emulate_media(color_scheme=theme)
        self.page.goto(f"{self.site}{path}")
        assert not self.page.url.startswith(f"{self.site}{SIGN_IN}?"), f"{path} leads to the sign-in"
        return self.page

    def faults(self) -> list[str]:
        """What is wrong with the page as it is now, in words; it is looked at in both themes."""
        found = self._structure()
        for theme in THEMES:
            self.page.emulate_media(color_scheme=theme)
            found += [f"{theme}: {each}" for each in violations(self.page)]
        if (shifted := self.page.evaluate("window.shifted")) >= MOST_SHIFT:
            found.append(f"the layout jumps by {shifted:.2f}")
        return [*found, *self.troubles]

    def _structure(self) -> list[str]:
        found, page = [], self.page
        if (width := page.evaluate("document.scrollingElement.scrollWidth")) > self.screen.width:
            found.append(f"is {width} px wide because of {page.evaluate(WIDEST)}")
        if (heads := page.locator("h1").count()) != 1:
            found.append(f"has {heads} h1")
        found += [f"is called by other words than it shows: {each}" for each in page.evaluate(MISNAMED)]
        if (language := page.locator("html").get_attribute("lang")) != self.screen.language:
            found.append(f"says it is in {language}")
        return found


def look_at(browser: Browser, site: Site, *, person: str, screen: Screen, url: str = "") -> Look:
    """A browser in which the person is signed in ("": nobody), whose language is the screen's.

    `url` is another server with the same world.
    """
    context = browser.new_context(
        viewport={"width": screen.width, "height": screen.height},
        locale=screen.language,
        reduced_motion="reduce",
    )
    context.set_default_timeout(15_000)
    if person:
        key = site.sessions[person]
        context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": key, "url": url or site.url}])
    return Look(context, url or site.url, screen)

"""Without a mouse: Tab comes to everything that can be used, in sight and with a mark around it."""

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.page_checks import DESK, PHONE, Screen, Site, look_at

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db]
PAGES = {
    "sign in": ("/accounts/sign-in/", ""),
    "fleet": ("/fleets/blue/", "owner"),
    "car": ("/fleets/blue/vehicles/{smartcar_id}/", "owner"),
    "commands": ("/fleets/blue/commands/", "owner"),
    "connections": ("/fleets/blue/connections/", "owner"),
    "invitations": ("/fleets/blue/invitations/", "owner"),
    "driver's page": ("/connect/driver/{secret}/", ""),
}
# Everything that can be used and is shown, numbered; of radio buttons with one name Tab stops at one.
NUMBER = """
() => {
  const usable = "a[href], button, input:not([type=hidden], [type=radio]), select, textarea, summary, [tabindex='0']";
  const shown = (element) => element.checkVisibility({ visibilityProperty: true }) && !element.matches(":disabled");
  const all = [...document.querySelectorAll(usable)].filter(shown);
  all.forEach((element, number) => { element.dataset.number = number; });
  return all.length;
}
"""
# Where Tab has come to: which, whether something marks it, and whether it can be seen.
HERE = """
() => {
  const element = document.activeElement;
  if (element === document.body) return null;
  const style = getComputedStyle(element);
  const marked = (style.outlineStyle !== "none" && style.outlineWidth !== "0px") || style.boxShadow !== "none";
  const box = element.getBoundingClientRect();
  const seen = box.width > 0 && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
  return { number: element.dataset.number, marked, seen, html: element.outerHTML.slice(0, 120) };
}
"""


def walk(page: Page) -> tuple[set[str], list[str]]:
    """Presses Tab once around the page: the numbers of what it came to, and what is wrong with some of it."""
    numbers: set[str] = set()
    wrong = []
    for _ in range(300):
        page.keyboard.press("Tab")
        here = page.evaluate(HERE)
        if here is None:  # past the last one; the next is the first
            continue
        if here["number"] in numbers:
            break
        if here["number"] is not None:
            numbers.add(here["number"])
        if not here["marked"]:
            wrong.append(f"no mark around {here['html']}")
        if not here["seen"]:
            wrong.append(f"out of sight: {here['html']}")
    return numbers, wrong


@pytest.mark.parametrize("screen", [DESK, PHONE], ids=str)
@pytest.mark.parametrize("name", PAGES)
def test_tab_comes_to_everything_and_shows_where_it_is(
    chromium: Browser, site: Site, screen: Screen, name: str
) -> None:
    path, person = PAGES[name]
    look = look_at(chromium, site, person=person, screen=screen)
    page = look.go(path.format(**site.world.arguments))
    count = page.evaluate(NUMBER)
    numbers, wrong = walk(page)
    left_out = [
        page.locator(f"[data-number='{number}']").first.evaluate(
            "(element) => element.outerHTML.slice(0, 120)"
        )
        for number in range(count)
        if str(number) not in numbers
    ]
    assert (left_out, wrong) == ([], [])
    look.context.close()

"""Keyboard navigation: Tab reaches every control, each one in view and with a visible focus."""

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.page_checks import DESKTOP, PHONE, Screen, Site, open_checker

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db]
PAGES = {
    "sign in": ("/accounts/sign-in/", ""),
    "fleet": ("/fleets/blue/", "owner"),
    "vehicle": ("/fleets/blue/vehicles/{smartcar_id}/", "owner"),
    "commands": ("/fleets/blue/commands/", "owner"),
    "connections": ("/fleets/blue/connections/", "owner"),
    "invitations": ("/fleets/blue/invitations/", "owner"),
    "driver's page": ("/connect/driver/{secret}/", ""),
}
# Numbers all visible controls. Radio buttons are left out, because Tab stops at only one of a group.
NUMBER_ELEMENTS = """
() => {
  const usable = "a[href], button, input:not([type=hidden], [type=radio]), select, textarea, summary, [tabindex='0']";
  const shown = (element) => element.checkVisibility({ visibilityProperty: true }) && !element.matches(":disabled");
  const all = [...document.querySelectorAll(usable)].filter(shown);
  all.forEach((element, number) => { element.dataset.number = number; });
  return all.length;
}
"""
# The focused element: its number, and whether its focus is visible and the element in view.
FOCUSED = """
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


def tab_through(page: Page) -> tuple[set[str], list[str]]:
    """Press Tab once around the page. Return the numbers of the controls reached, and descriptions of problems."""
    numbers: set[str] = set()
    problems = []
    for _ in range(300):
        page.keyboard.press("Tab")
        focused = page.evaluate(FOCUSED)
        if focused is None:  # after the last element, before the first
            continue
        if focused["number"] in numbers:
            break
        if focused["number"] is not None:
            numbers.add(focused["number"])
        if not focused["marked"]:
            problems.append(f"no mark around {focused['html']}")
        if not focused["seen"]:
            problems.append(f"out of sight: {focused['html']}")
    return numbers, problems


@pytest.mark.parametrize("screen", [DESKTOP, PHONE], ids=str)
@pytest.mark.parametrize("name", PAGES)
def test_tab_reaches_everything_with_a_visible_focus(
    chromium: Browser, site: Site, screen: Screen, name: str
) -> None:
    path, role = PAGES[name]
    checker = open_checker(chromium, site, role=role, screen=screen)
    page = checker.open(path.format(**site.world.arguments))
    count = page.evaluate(NUMBER_ELEMENTS)
    numbers, problems = tab_through(page)
    missed = [
        page.locator(f"[data-number='{number}']").first.evaluate(
            "(element) => element.outerHTML.slice(0, 120)"
        )
        for number in range(count)
        if str(number) not in numbers
    ]
    assert (missed, problems) == ([], [])
    checker.context.close()

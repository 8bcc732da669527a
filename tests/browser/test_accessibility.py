"""Every page from phone to wall, in each theme and language: no axe violations, overflow, errors or layout shifts."""

from dataclasses import replace

import pytest
from playwright.sync_api import Browser

from tests.browser.page_checks import DESKTOP, PHONE, WALL, PageChecker, Screen, Site, open_checker
from tests.browser.pages import Visit

# The django_db mark creates the database. Its data is shared by all tests of the module.
pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db]

PARTS = 4
# German has the longest words.
SCREENS = [
    DESKTOP,
    Screen(768, 1024, "fr", theme="dark"),
    replace(PHONE, language="de"),
    replace(WALL, theme="dark"),
]


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("screen", SCREENS, ids=str)
def test_every_page_is_accessible(chromium: Browser, site: Site, screen: Screen, part: int) -> None:
    visits_by_problem: dict[str, list[Visit]] = {}
    checkers: dict[str, PageChecker] = {}
    for visit in site.inventory.pages[part::PARTS]:
        if visit.role not in checkers:
            checkers[visit.role] = open_checker(chromium, site, role=visit.role, screen=screen)
        checkers[visit.role].open(visit.path)
        for problem in checkers[visit.role].check():
            visits_by_problem.setdefault(problem, []).append(visit)
    for checker in checkers.values():
        checker.context.close()
    messages = [
        f"{problem}\n    on {visits[0]} and {len(visits) - 1} more"
        for problem, visits in visits_by_problem.items()
    ]
    assert not messages, "\n".join(messages)


def test_every_url_can_be_visited(site: Site) -> None:
    assert site.inventory.unfilled == [], "give tests/browser/fixtures.py the arguments of these addresses"
    assert len({visit.name for visit in site.inventory.pages}) > 20


def test_a_redirect_to_sign_in_fails_the_check(chromium: Browser, site: Site) -> None:
    checker = open_checker(chromium, replace(site, sessions={"owner": "ended"}), role="owner", screen=DESKTOP)
    with pytest.raises(AssertionError, match="leads to the sign-in"):
        checker.open("/fleets/blue/")

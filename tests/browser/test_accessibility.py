"""Every page, in both themes, from phone to wall: axe finds nothing, nothing overflows, breaks or jumps."""

from dataclasses import replace

import pytest
from playwright.sync_api import Browser

from tests.browser.page_checks import DESK, PHONE, WALL, Look, Screen, Site, look_at
from tests.browser.pages import Visit

# The mark has the database made; the world in it outlives the tests.
pytestmark = [pytest.mark.browser, pytest.mark.django_db]

PARTS = 4
# The longest words are German.
SCREENS = [DESK, Screen(768, 1024, "fr"), replace(PHONE, language="de"), WALL]


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("screen", SCREENS, ids=str)
def test_every_page_is_fit_for_everybody(chromium: Browser, site: Site, screen: Screen, part: int) -> None:
    found: dict[str, list[Visit]] = {}
    looks: dict[str, Look] = {}
    for visit in site.found.pages[part::PARTS]:
        if visit.person not in looks:
            looks[visit.person] = look_at(chromium, site, person=visit.person, screen=screen)
        looks[visit.person].go(visit.path)
        for fault in looks[visit.person].faults():
            found.setdefault(fault, []).append(visit)
    for look in looks.values():
        look.context.close()
    told = [f"{fault}\n    on {visits[0]} and {len(visits) - 1} more" for fault, visits in found.items()]
    assert not told, "\n".join(told)


def test_every_address_can_be_visited(site: Site) -> None:
    assert site.found.unfilled == [], "give tests/browser/fixtures.py the arguments of these addresses"
    assert len({visit.name for visit in site.found.pages}) > 20


def test_a_page_is_not_taken_for_another_that_only_asks_to_sign_in(chromium: Browser, site: Site) -> None:
    look = look_at(chromium, replace(site, sessions={"owner": "ended"}), person="owner", screen=DESK)
    with pytest.raises(AssertionError, match="leads to the sign-in"):
        look.go("/fleets/blue/")

"""The navigation of a fleet links only to pages that the user may open."""

import re
from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import Fleet, User

LINKS = {
    "owner": ["Vehicles", "Connections", "Invitations", "Webhook log", "Members", "API tokens"],
    "teammate": ["Vehicles", "Connections", "Invitations", "Webhook log", "API tokens"],
    "viewer": ["Vehicles", "API tokens"],
}


@pytest.mark.parametrize("person", LINKS)
def test_every_navigation_link_works(
    request: pytest.FixtureRequest, fleet: Fleet, person: str, browser_of: Callable[[User], Client]
) -> None:
    browser = browser_of(request.getfixturevalue(person))
    page = browser.get("/fleets/blue/").content.decode()
    navigation = page[page.index("fleet-navigation") : page.index("</nav>", page.index("fleet-navigation"))]
    links = re.findall(r'href="([^"]+)"[^>]*>([^<]+)<', navigation)
    assert [label for _, label in links if label in LINKS["owner"]] == LINKS[person]
    for address, _ in links:
        answer = browser.get(address)
        assert answer.status_code == 200
        assert f'href="{address}" aria-current="page"' in answer.content.decode()


def test_the_sites_webhook_log_is_linked_for_staff_only(
    owner: User, fleet: Fleet, browser_of: Callable[[User], Client]
) -> None:
    assert "Webhook log (all fleets)" not in browser_of(owner).get("/fleets/blue/").content.decode()
    User.objects.filter(pk=owner.pk).update(is_staff=True, is_superuser=True)
    assert "Webhook log (all fleets)" in browser_of(owner).get("/fleets/blue/").content.decode()

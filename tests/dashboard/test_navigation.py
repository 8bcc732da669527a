"""The navigation of a fleet links only to pages that the user may open."""

import re
from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import Fleet, Role, User
from accounts.services import add_member
from connect.models import ConnectionState
from tests.dashboard.vehicle_list.fixtures import create_vehicle

OPERATE = ["Vehicles", "Places", "Invitations", "Driver pages", "Alerts", "Activity", "Audit log"]
DATA_SOURCE = [
    "Connections",
    "Smartcar application",
    "API usage",
    "Webhook log",
    "Nightly reconciliation",
    "Disconnected vehicles",
    "Permissions",
    "Coverage",
    "Requests to drivers",
]
LINKS = {
    "owner": [
        *OPERATE,
        *("Fleet settings", "Members", "Alert settings", "Command rules"),
        *DATA_SOURCE,
        *("API tokens", "Service accounts", "API reference"),
    ],
    "teammate": [*OPERATE, "Fleet settings", "Alert settings", *DATA_SOURCE, "API tokens", "API reference"],
    "viewer": ["Vehicles", "Places", "Alerts", "Activity", "Alert settings", "API tokens", "API reference"],
}
BrowserOf = Callable[[User], Client]


def rail(browser: Client, path: str = "/fleets/blue/") -> str:
    page = browser.get(path).content.decode()
    return page[page.index('id="rail"') : page.index("</nav>", page.index('id="rail"'))]


def links(part: str) -> list[tuple[str, str]]:
    """The address and words of each link to a page in this part of the rail."""
    found = re.findall(r'<a class="rail-link[^"]*" href="([^"]+)"[^>]*>(.*?)</a>', part)
    return [(address, re.sub("<[^>]+>", "", words)) for address, words in found]


@pytest.mark.parametrize("person", LINKS)
def test_every_navigation_link_works(
    request: pytest.FixtureRequest, fleet: Fleet, person: str, browser_of: BrowserOf
) -> None:
    browser = browser_of(request.getfixturevalue(person))
    found = links(rail(browser))
    assert [label for _, label in found] == LINKS[person]
    for address, _ in found:
        answer = browser.get(address)
        assert answer.status_code == 200
        assert f'href="{address}" aria-current="page"' in answer.content.decode()


def test_groups_of_rare_pages_are_folded_unless_one_is_open(
    owner: User, fleet: Fleet, browser_of: BrowserOf
) -> None:
    browser = browser_of(owner)

    def open_groups(path: str) -> list[str]:
        return re.findall(
            r'<details class="rail-fold" open>.*?rail-word">([^<]+)', rail(browser, path), re.DOTALL
        )

    assert open_groups("/fleets/blue/") == []
    assert open_groups("/fleets/blue/usage/") == ["Data source"]
    assert open_groups("/fleets/blue/api-tokens/") == ["Developers"]


def test_pages_without_a_fleet_show_the_pages_of_the_only_one(
    owner: User, outsider: User, fleet: Fleet, browser_of: BrowserOf
) -> None:
    browser = browser_of(owner)
    assert [label for _, label in links(rail(browser, "/accounts/"))] == LINKS["owner"]
    red = Fleet.objects.get(slug="red")
    add_member(fleet=red, user=owner, role=Role.VIEWER, actor=None)
    assert [label for _, label in links(rail(browser, "/accounts/"))] == [fleet.name, red.name]


def test_the_foot_of_the_rail_tells_whether_connections_need_attention(
    owner: User, viewer: User, fleet: Fleet, browser_of: BrowserOf
) -> None:
    def badge(user: User) -> list[str]:
        foot = rail(browser_of(user)).split('class="rail-foot"')[1]
        return re.findall(r'class="rail-link health.*?rail-word">([^<]+)', foot)

    assert badge(owner) == []
    create_vehicle(fleet, "Ada")
    create_vehicle(fleet, "Bob", state=ConnectionState.PENDING)
    assert badge(owner) == ["All 2 connected"]
    create_vehicle(fleet, "Cyd", state=ConnectionState.NEEDS_REAUTHENTICATION)
    assert badge(owner) == ["1 connection to check"]
    assert badge(viewer) == []


def test_the_sites_webhook_log_is_linked_for_staff_only(
    owner: User, fleet: Fleet, browser_of: Callable[[User], Client]
) -> None:
    assert "Webhook log (all fleets)" not in browser_of(owner).get("/fleets/blue/").content.decode()
    User.objects.filter(pk=owner.pk).update(is_staff=True, is_superuser=True)
    assert "Webhook log (all fleets)" in browser_of(owner).get("/fleets/blue/").content.decode()

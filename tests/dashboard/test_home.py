"""The home page, and what an open page does when the session has ended."""

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import Fleet, User

pytestmark = pytest.mark.django_db
BrowserOf = Callable[[User], Client]


def test_the_home_page_redirects_to_the_first_fleet_or_explains_what_to_do(
    owner: User, driver: User, browser_of: BrowserOf
) -> None:
    assert browser_of(owner).get("/").headers["Location"] == "/fleets/blue/"
    assert "t have access to any fleet" in browser_of(driver).get("/").content.decode()


def test_a_poll_after_the_session_ended_reloads_the_page(fleet: Fleet) -> None:
    answer = Client().get("/fleets/blue/list/", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Refresh"]) == (200, "true")
    assert answer.content == b""

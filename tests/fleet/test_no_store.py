"""What a signed-in user sees is not stored by browsers or proxies: every page and file is walked."""

from http.cookies import SimpleCookie
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from tests.fleet.hostile import addresses
from tests.fleet.test_hostile_requests import Crawler, ids  # noqa: F401  (a fixture)

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


def _policy(answer: Any) -> set[str]:
    return set(answer.headers.get("Cache-Control", "").replace(" ", "").split(","))


def test_no_page_or_file_of_a_signed_in_user_is_stored(owner: User, ids: dict[str, object]) -> None:  # noqa: F811
    User.objects.filter(pk=owner.pk).update(is_staff=True, is_superuser=True)
    crawler = Crawler(User.objects.get(pk=owner.pk), ids)
    stored = {}
    for address in addresses():
        if not address.form.startswith("/api/") and "logout" not in address.form:
            crawler.client.cookies = SimpleCookie(crawler.cookies)
            answer = crawler.client.get(crawler.path(address))
            if not {"private", "no-store"} <= _policy(answer):
                stored[address.form] = answer.headers.get("Cache-Control")
    assert not stored


def test_no_part_of_a_page_is_stored(owner: User, ids: dict[str, object]) -> None:  # noqa: F811
    crawler = Crawler(owner, ids)
    stored = {}
    for address in addresses():
        if address.form.startswith(("/fleets/", "/alerts/", "/connect/")):
            crawler.client.cookies = SimpleCookie(crawler.cookies)
            answer = crawler.client.get(crawler.path(address), headers={"HX-Request": "true"})
            if "no-store" not in _policy(answer) or "HX-Request" not in answer.headers.get("Vary", ""):
                stored[address.form] = (answer.headers.get("Cache-Control"), answer.headers.get("Vary"))
    assert not stored


def test_the_api_may_be_revalidated_by_its_client_only(owner: User, ids: dict[str, object]) -> None:  # noqa: F811
    client = Client()
    client.force_login(owner)
    answer = client.get("/api/v1/vehicles/")
    assert {"private", "no-cache"} <= _policy(answer)
    assert answer.headers["ETag"]


def test_pages_of_visitors_are_not_stored_either(ids: dict[str, object]) -> None:  # noqa: F811
    for path in ("/accounts/sign-in/", f"/connect/driver/{ids['secret']}/", "/no/such/page/"):
        assert "no-store" in _policy(Client().get(path))

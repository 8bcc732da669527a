"""URLs of releases before 0.2.0 redirect to the current ones."""

import re

import pytest
from django.test import Client
from django.urls import Resolver404, resolve

from fleet import legacy_urls

pytestmark = pytest.mark.django_db

SECRET = "a" * 64
VEHICLE = "11111111-2222-4333-8444-555555555555"


def _example(pattern: str) -> str:
    """Returns a URL that matches the pattern of a legacy route."""
    for old, new in (
        (r"(?P<secret>[0-9a-f]{64})", SECRET),
        (r"(?P<offboarding_id>[0-9]{1,18})", "7"),
        (r"(?P<connection_id>[0-9]{1,18})", "7"),
        (r"(?P<action>[a-z-]+)", "pause"),
        ("<slug:slug>", "blue"),
        ("<slug:purpose>", "reconnect"),
        ("<str:smartcar_id>", VEHICLE),
        ("<str:kind>", "lock"),
    ):
        pattern = pattern.replace(old, new)
    return "/" + re.sub(r"<int:\w+>", "7", pattern).lstrip("^").rstrip("$")


OLD = [_example(str(route.pattern)) for route in legacy_urls.urlpatterns]


@pytest.mark.parametrize("address", OLD)
def test_an_old_url_redirects_to_an_existing_page_with_its_query(client: Client, address: str) -> None:
    answer = client.get(f"{address}?page=2")
    assert answer.status_code == 301, address
    path, _, query = answer.headers["Location"].partition("?")
    assert query == "page=2"
    assert not resolve(path).func.__qualname__.startswith("_moved"), path


@pytest.mark.parametrize("address", OLD)
def test_a_post_to_an_old_url_is_repeated_at_the_new_one(client: Client, address: str) -> None:
    assert client.post(address, {"state": "kept"}).status_code == 307


def test_an_unknown_url_is_not_found(client: Client) -> None:
    with pytest.raises(Resolver404):
        resolve("/commands/blue/bulk/7/again/more/and/more/")

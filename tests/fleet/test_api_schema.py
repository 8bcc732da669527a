"""The API's OpenAPI description: generated once, and limited like other calls."""

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from rest_framework.throttling import SimpleRateThrottle

from core.api.description import DescriptionView, api_description

ADDRESS = "/api/v1/schema/"
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def new_process(monkeypatch: pytest.MonkeyPatch) -> None:
    cache.clear()
    api_description.cache_clear()
    monkeypatch.setattr(DescriptionView, "_rendered", {})


def test_it_is_generated_once(monkeypatch: pytest.MonkeyPatch) -> None:
    generated = []
    generate = SchemaGenerator.get_schema

    def counted(self: Any, *args: Any, **kwargs: Any) -> Any:
        generated.append(1)
        return generate(self, *args, **kwargs)  # type: ignore[no-untyped-call]

    monkeypatch.setattr(SchemaGenerator, "get_schema", counted)
    yaml = [Client().get(ADDRESS).content for _ in range(3)]
    json = Client(headers={"Accept": "application/json"}).get(ADDRESS)
    assert (len(generated), len(set(yaml))) == (1, 1)
    assert yaml[0].startswith(b"openapi: 3.")
    assert json.headers["Content-Type"] == "application/json"
    assert "/api/v1/vehicles/" in json.json()["paths"]


def test_a_client_that_has_it_gets_304() -> None:
    first = Client().get(ADDRESS)
    again = Client(headers={"If-None-Match": first.headers["ETag"]}).get(ADDRESS)
    assert (again.status_code, again.content) == (304, b"")


def test_visitors_are_limited_by_an_address_that_they_cannot_choose(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SimpleRateThrottle, "get_rate", lambda _: "3/minute")
    statuses = [
        Client(headers={"X-Forwarded-For": f"203.0.113.{n}"}).get(ADDRESS).status_code for n in range(4)
    ]
    assert statuses == [200, 200, 200, 429]

"""The API limits the calls per user; without Redis each process counts separately."""

from collections.abc import Callable, Iterator

import pytest
from django.core.cache import cache
from django.test import Client, override_settings

from accounts.api.throttles import ReadThrottle
from accounts.models import Fleet, User

VEHICLES = "/api/v1/vehicles/"


@pytest.fixture
def two_a_minute(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(ReadThrottle, "rate", "2/minute", raising=False)
    cache.clear()
    yield
    cache.clear()


@pytest.mark.usefixtures("two_a_minute")
def test_too_many_calls_are_rejected_with_the_time_to_wait(
    owner: User, viewer: User, fleet: Fleet, browser_of: Callable[[User], Client]
) -> None:
    browser = browser_of(owner)
    assert [browser.get(VEHICLES).status_code for _ in range(3)] == [200, 200, 429]
    answer = browser.get(VEHICLES)
    assert 0 < int(answer.headers["Retry-After"]) <= 60
    assert answer.json()["title"] == "Too Many Requests"
    assert browser_of(viewer).get(VEHICLES).status_code == 200


@pytest.mark.usefixtures("two_a_minute")
def test_without_redis_each_process_counts_separately(
    owner: User, fleet: Fleet, browser_of: Callable[[User], Client]
) -> None:
    unreachable = {"BACKEND": "core.cache.FallbackRedisCache", "LOCATION": "redis://127.0.0.1:1/0"}
    browser = browser_of(owner)
    with override_settings(CACHES={"default": unreachable}):
        assert [browser.get(VEHICLES).status_code for _ in range(3)] == [200, 200, 429]

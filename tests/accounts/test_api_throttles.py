"""The API counts a person's calls; without Redis each process does so for itself."""

from collections.abc import Callable, Iterator

import pytest
from django.core.cache import cache
from django.test import Client, override_settings

from accounts.api.throttles import ReadThrottle
from accounts.models import Fleet, User

CARS = "/api/v1/vehicles/"


@pytest.fixture
def two_a_minute(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(ReadThrottle, "rate", "2/minute", raising=False)
    cache.clear()
    yield
    cache.clear()


@pytest.mark.usefixtures("two_a_minute")
def test_who_calls_too_often_is_told_when_to_go_on(
    owner: User, viewer: User, fleet: Fleet, browser_of: Callable[[User], Client]
) -> None:
    browser = browser_of(owner)
    assert [browser.get(CARS).status_code for _ in range(3)] == [200, 200, 429]
    answer = browser.get(CARS)
    assert 0 < int(answer.headers["Retry-After"]) <= 60
    assert answer.json()["title"] == "Too Many Requests"
    assert browser_of(viewer).get(CARS).status_code == 200


@pytest.mark.usefixtures("two_a_minute")
def test_without_redis_each_process_counts_for_itself(
    owner: User, fleet: Fleet, browser_of: Callable[[User], Client]
) -> None:
    gone = {"BACKEND": "core.cache.FallbackRedisCache", "LOCATION": "redis://127.0.0.1:1/0"}
    browser = browser_of(owner)
    with override_settings(CACHES={"default": gone}):
        assert [browser.get(CARS).status_code for _ in range(3)] == [200, 200, 429]

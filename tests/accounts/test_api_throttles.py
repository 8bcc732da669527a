"""The API limits the calls per user; without Redis each process counts separately."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client, override_settings

from accounts.api.throttles import CommandThrottle, ReadThrottle
from accounts.models import Fleet, User
from vehicles.models import Vehicle

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


HEADERS = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")


def limits(answer: Any) -> list[int]:
    return [int(answer.headers[name]) for name in HEADERS]


@pytest.mark.usefixtures("two_a_minute")
def test_every_answer_tells_what_is_left(
    owner: User, fleet: Fleet, browser_of: Callable[[User], Client]
) -> None:
    browser = browser_of(owner)
    found, missing, rejected = (
        browser.get(VEHICLES),
        browser.get(f"{VEHICLES}nothing/"),
        browser.get(VEHICLES),
    )
    assert [answer.status_code for answer in (found, missing, rejected)] == [200, 404, 429]
    assert [limits(answer)[:2] for answer in (found, missing, rejected)] == [[2, 1], [2, 0], [2, 0]]
    assert all(0 < limits(answer)[2] <= 60 for answer in (found, missing, rejected))
    assert limits(rejected)[2] == int(rejected.headers["Retry-After"])


@pytest.mark.usefixtures("two_a_minute")
def test_an_answer_before_counting_tells_the_limit_without_counting(
    owner: User, fleet: Fleet, browser_of: Callable[[User], Client]
) -> None:
    browser = browser_of(owner)
    answers = [browser.get(VEHICLES, headers={"Accept": "text/html"}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [406] * 3
    assert [limits(answer)[:2] for answer in answers] == [[2, 2]] * 3


def test_an_unknown_caller_has_no_limit_to_tell(db: None) -> None:
    answer = Client().get(VEHICLES, headers={"Authorization": "Bearer scf_wrong"})
    assert answer.status_code == 401
    assert not set(HEADERS) & set(answer.headers)


@pytest.mark.usefixtures("two_a_minute")
def test_sending_commands_tells_the_tighter_of_both_limits(
    owner: User, vehicle: Vehicle, browser_of: Callable[[User], Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ReadThrottle, "rate", "50/minute", raising=False)
    monkeypatch.setattr(CommandThrottle, "rate", "3/minute", raising=False)
    browser = browser_of(owner)
    address = f"{VEHICLES}{vehicle.smartcar_id}/commands/"
    assert limits(browser.get(address))[:2] == [50, 49]
    assert limits(browser.post(address, {}, content_type="application/json"))[:2] == [3, 2]


@pytest.mark.usefixtures("two_a_minute")
def test_without_redis_each_process_counts_separately(
    owner: User, fleet: Fleet, browser_of: Callable[[User], Client]
) -> None:
    unreachable = {"BACKEND": "core.cache.FallbackRedisCache", "LOCATION": "redis://127.0.0.1:1/0"}
    browser = browser_of(owner)
    with override_settings(CACHES={"default": unreachable}):
        assert [browser.get(VEHICLES).status_code for _ in range(3)] == [200, 200, 429]

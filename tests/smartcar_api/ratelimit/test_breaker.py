"""A host that is down is left alone, by all processes, until a probe shows that it is back."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from smartcar_api.errors import SmartcarError, no_answer, not_sent
from smartcar_api.ratelimit import breaker, redis_fallback


@pytest.fixture
def origin() -> str:
    """A host that no test has heard of."""
    return f"http://{uuid.uuid4()}.example/vehicle"


def fails(origin: str, times: int) -> None:
    for _ in range(times):
        breaker.for_host(origin).record(up=False)


def time_passes(origin: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The breaker has been open for as long as it stays open."""
    monkeypatch.setattr(breaker.for_host(origin).circuit, "reset_timeout", 0)


def test_it_opens_after_failures_in_a_row_and_says_for_how_long(origin: str) -> None:
    fails(origin, breaker.FAILURES - 1)
    assert breaker.for_host(origin).wait() == 0
    fails(origin, 1)
    assert 0 < breaker.for_host(origin).wait() <= breaker.OPEN_SECONDS


def test_an_answer_in_between_starts_the_count_again(origin: str) -> None:
    fails(origin, breaker.FAILURES - 1)
    breaker.for_host(origin).record(up=True)
    fails(origin, breaker.FAILURES - 1)
    assert breaker.for_host(origin).wait() == 0


def test_each_host_has_its_own(origin: str) -> None:
    fails(origin, breaker.FAILURES)
    assert breaker.for_host(f"{origin}-other").wait() == 0


def test_all_processes_know_of_it(origin: str) -> None:
    fails(origin, breaker.FAILURES)
    breaker._shared.cache_clear()  # as a process that has just started
    assert breaker.for_host(origin).wait() > 0


def test_then_one_probe_goes_through_and_the_others_wait_for_it(
    origin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fails(origin, breaker.FAILURES)
    time_passes(origin, monkeypatch)
    assert breaker.for_host(origin).wait() == 0
    assert breaker.for_host(origin).wait() > 0


def test_a_probe_that_is_answered_closes_it(origin: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fails(origin, breaker.FAILURES)
    time_passes(origin, monkeypatch)
    breaker.for_host(origin).record(up=True)
    assert [breaker.for_host(origin).wait() for _ in range(3)] == [0, 0, 0]


def test_a_probe_that_fails_opens_it_again(origin: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fails(origin, breaker.FAILURES)
    time_passes(origin, monkeypatch)
    assert breaker.for_host(origin).wait() == 0
    fails(origin, 1)
    monkeypatch.undo()
    assert breaker.for_host(origin).wait() > 0


def test_an_answer_that_comes_late_does_not_close_it(origin: str) -> None:
    fails(origin, breaker.FAILURES)
    breaker.for_host(origin).record(up=True)
    assert breaker.for_host(origin).wait() > 0


def test_without_redis_each_process_has_its_own(origin: str, settings: Settings) -> None:
    settings.REDIS_URL = "unix:///nowhere/redis.sock"
    fails(origin, breaker.FAILURES)
    assert breaker.for_host(origin).wait() > 0
    redis_fallback.retry_redis()
    assert breaker.for_host(f"{origin}-other").wait() == 0


@given(st.lists(st.booleans(), max_size=40))
def test_it_is_open_exactly_when_so_many_failed_in_a_row(outcomes: list[bool]) -> None:
    origin = f"http://{uuid.uuid4()}.example"
    in_a_row, opened = 0, False
    for up in outcomes:
        breaker.for_host(origin).record(up=up)
        in_a_row = 0 if up else in_a_row + 1
        opened = opened or in_a_row >= breaker.FAILURES
        assert (breaker.for_host(origin).wait() > 0) == opened


@pytest.mark.parametrize(
    ("error", "slow", "down"),
    [
        (not_sent("refused", code="CONNECT_FAILED"), True, True),
        (no_answer("late", code="TIMEOUT"), False, True),
        (no_answer("late", code="TIMEOUT"), True, None),
        (no_answer("cut", code="BROKEN"), True, None),
        (SmartcarError(type="GATEWAY", status=502), False, True),
        (SmartcarError(type="GATEWAY", status=504), True, None),
        (SmartcarError(type="SERVER", code="INTERNAL", status=500), False, True),
        (SmartcarError(type="UPSTREAM", code="NO_RESPONSE", status=502), False, False),
        (SmartcarError(type="COMPATIBILITY", code="VEHICLE_NOT_CAPABLE", status=501), False, False),
        (SmartcarError(type="GATEWAY", status=403), False, False),
        (SmartcarError(type="RATE_LIMIT", code="SMARTCAR_API", status=429), False, False),
        (SmartcarError(type="VEHICLE_STATE", code="ASLEEP", status=409), True, False),
    ],
)
def test_what_an_error_says_of_the_host(error: SmartcarError, slow: bool, down: bool | None) -> None:
    assert breaker.shows_down(error, slow=slow) is down

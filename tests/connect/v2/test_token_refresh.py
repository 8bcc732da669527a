"""Refreshing token pairs: evenly, oldest first, and through long outages."""

import logging
import threading
import time
from bisect import bisect_left
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO

import httpx
import pytest
from django.core.management import call_command
from django.db import connections
from django.utils import timezone
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_django import Settings
from redis import Redis

from accounts.models import Fleet, SmartcarApiVersion, User
from connect import token_store
from connect.messages import TokenProblem
from connect.models import Connection, ConnectionState, UserToken
from connect.v2 import tasks, token_refresh, user_tokens
from core import encryption
from smartcar_api import SmartcarError, TokenPair
from smartcar_api.v2.client import REFRESH_TOKEN_LIFE
from tests.smartcar import connect
from vehicles.models import Vehicle

START = datetime(2026, 1, 1, tzinfo=UTC)
WEEKLY = token_refresh.daily_budget() * 7
DAY = timedelta(days=1)


def oldest_ages(
    *, pairs: int, days: int, outages: list[tuple[int, int]], connected_over: int
) -> Iterator[timedelta]:
    """Simulates the schedule by the hour and yields the age of the oldest pair at each hour.

    `outages` are (first day, length in days). The vehicles were connected evenly over so many days before the start.
    """
    issued = deque(START - connected_over * DAY * (pairs - number) / pairs for number in range(pairs))
    for hour in range(days * 24):
        now = START + hour * token_refresh.RUN
        yield now - issued[0]
        if any(first <= hour / 24 < first + length for first, length in outages):
            continue
        every = token_refresh.interval(pairs=pairs)
        overdue = bisect_left(issued, now - every)
        for _ in range(token_refresh.batch_size(pairs=pairs, overdue=overdue, now=now)):
            if now - issued[0] <= token_refresh.COOLDOWN:
                break
            issued.popleft()
            issued.append(now)


@pytest.mark.parametrize("pairs", [1, 3, 100, 10_000, WEEKLY])
@pytest.mark.parametrize("connected_over", [0, 6])
def test_outage_of_50_days_loses_no_pair_of_a_fleet_refreshed_weekly(pairs: int, connected_over: int) -> None:
    assert token_refresh.interval(pairs=pairs) == 7 * DAY
    ages = oldest_ages(pairs=pairs, days=120, outages=[(20, 50)], connected_over=connected_over)
    assert max(ages) < REFRESH_TOKEN_LIFE


@pytest.mark.parametrize("pairs", [1, 1000, 40_000, 100_000])
@pytest.mark.parametrize("connected_over", [0, 20])
def test_outage_of_29_days_loses_no_pair_of_any_fleet(pairs: int, connected_over: int) -> None:
    ages = oldest_ages(pairs=pairs, days=120, outages=[(40, 29)], connected_over=connected_over)
    assert max(ages) < REFRESH_TOKEN_LIFE


@hypothesis_settings(max_examples=25, deadline=None)
@given(
    pairs=st.integers(1, 2000),
    connected_over=st.integers(0, 7),
    first=st.integers(0, 40),
    length=st.integers(0, 50),
)
def test_small_fleet_survives_an_outage_at_any_time(
    pairs: int, connected_over: int, first: int, length: int
) -> None:
    ages = oldest_ages(pairs=pairs, days=100, outages=[(first, length)], connected_over=connected_over)
    assert max(ages) < REFRESH_TOKEN_LIFE


@pytest.mark.parametrize("pairs", [1, 7, 500, 30_000, 90_000])
def test_without_an_outage_no_pair_exceeds_half_its_life(pairs: int) -> None:
    every = token_refresh.interval(pairs=pairs)
    assert max(oldest_ages(pairs=pairs, days=70, outages=[], connected_over=0)) <= every + 2 * DAY
    assert every + 2 * DAY <= REFRESH_TOKEN_LIFE / 2


@pytest.mark.parametrize("pairs", [0, 1, 7, 168, 500, 30_000, 90_000])
def test_batches_are_even_and_cover_all_pairs(pairs: int) -> None:
    runs = token_refresh.interval(pairs=pairs) // token_refresh.RUN
    shares = [
        token_refresh.batch_size(pairs=pairs, overdue=0, now=START + number * token_refresh.RUN)
        for number in range(runs)
    ]
    assert sum(shares) == pairs
    assert max(shares) - min(shares) <= 1


def test_missed_refreshes_are_made_up_without_a_burst() -> None:
    hourly = token_refresh.daily_budget() // 24
    assert token_refresh.batch_size(pairs=1000, overdue=1000, now=START) == 42
    assert token_refresh.batch_size(pairs=WEEKLY, overdue=WEEKLY, now=START) == hourly


@pytest.fixture
def v2_fleet(smartcar: str, fleet: Fleet) -> Fleet:
    fleet.api_version = SmartcarApiVersion.V2
    fleet.save()
    return fleet


def connected_pairs(smartcar: str, fleet: Fleet, user: User, *, days_left: list[float]) -> list[UserToken]:
    """Pairs that the simulator knows, the first with the fewest days left."""
    for left in days_left:
        (connection,) = connect(smartcar, fleet=fleet, user=user, count=1).connections
        ends = timezone.now() + left * DAY
        UserToken.objects.filter(connections=connection).update(refresh_expires_at=ends)
    return list(UserToken.objects.order_by("refresh_expires_at"))


def versions(pairs: list[UserToken]) -> list[int]:
    return [pair.reread().version for pair in pairs]


def allow(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(token_refresh, "batch_size", lambda **_: count)


@pytest.mark.django_db
def test_batch_consists_of_the_pairs_that_expire_first(
    smartcar: str, v2_fleet: Fleet, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    pairs = connected_pairs(smartcar, v2_fleet, owner, days_left=[20, 40, 30, 59.5])
    allow(monkeypatch, 2)
    assert token_refresh.refresh_due(now=timezone.now()) == 2
    assert versions(pairs) == [1, 1, 0, 0]
    assert pairs[0].reread().refresh_expires_at > timezone.now() + 59 * DAY
    assert token_refresh.refresh_due(now=timezone.now()) == 1
    assert versions(pairs) == [1, 1, 1, 0], "the youngest rests: it is not a day old"


@pytest.mark.django_db
def test_unused_pairs_are_not_refreshed(smartcar: str, v2_fleet: Fleet, owner: User) -> None:
    removed, unused, ended = connected_pairs(smartcar, v2_fleet, owner, days_left=[5, 6, 7])
    Connection.objects.filter(tokens=removed).update(state=ConnectionState.REMOVED)
    Connection.objects.filter(tokens=unused).delete()
    UserToken.objects.filter(pk=ended.pk).update(revoked_at=timezone.now())
    assert token_refresh.refresh_due(now=timezone.now()) == 0
    assert token_refresh.expiry_histogram(now=timezone.now()).pairs == 0


@pytest.mark.django_db(transaction=True)
def test_concurrent_tasks_rotate_each_pair_once(
    smartcar: str, v2_fleet: Fleet, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    pairs = connected_pairs(smartcar, v2_fleet, owner, days_left=[10, 11, 12, 13])
    allow(monkeypatch, 2)
    barrier = threading.Barrier(2)

    def run() -> None:
        barrier.wait()
        tasks.refresh_tokens()
        connections.close_all()

    refresh = user_tokens.refresh

    def slow(*, tokens: UserToken) -> UserToken:
        time.sleep(0.3)
        return refresh(tokens=tokens)

    monkeypatch.setattr(user_tokens, "refresh", slow)
    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert versions(pairs) == [1, 1, 0, 0]


@pytest.mark.django_db(transaction=True)
def test_run_does_nothing_while_another_is_in_progress(
    smartcar: str, v2_fleet: Fleet, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    pairs = connected_pairs(smartcar, v2_fleet, owner, days_left=[10, 11, 12, 13])
    allow(monkeypatch, 2)
    midway, resume = threading.Event(), threading.Event()
    refresh = user_tokens.refresh

    def blocked(*, tokens: UserToken) -> UserToken:
        renewed = refresh(tokens=tokens)
        midway.set()
        resume.wait(10)
        return renewed

    def run() -> None:
        token_refresh.refresh_due(now=timezone.now())
        connections.close_all()

    monkeypatch.setattr(user_tokens, "refresh", blocked)
    first = threading.Thread(target=run)
    first.start()
    try:
        assert midway.wait(10)
        assert token_refresh.refresh_due(now=timezone.now()) == 0
    finally:
        resume.set()
        first.join()
    assert versions(pairs) == [1, 1, 0, 0]
    assert token_refresh.refresh_due(now=timezone.now()) == 2, "the first has given way"


@pytest.mark.django_db
def test_transient_failure_retains_the_pair_and_ends_the_run_early(
    smartcar: str, v2_fleet: Fleet, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    pairs = connected_pairs(smartcar, v2_fleet, owner, days_left=[1])
    allow(monkeypatch, 3)
    httpx.post(f"{smartcar}/control/troubles", json={"serverErrors": 1}, timeout=10).raise_for_status()
    assert token_refresh.refresh_due(now=timezone.now()) == 0
    httpx.delete(f"{smartcar}/control/troubles", timeout=10).raise_for_status()
    assert pairs[0].reread().revoked_at is None
    assert token_refresh.refresh_due(now=timezone.now()) == 1


def many_pairs(fleet: Fleet, count: int, *, days_left: float) -> list[UserToken]:
    """Pairs that the simulator doesn't know."""
    now = timezone.now()
    ends = now + days_left * DAY
    pairs = []
    for number in range(count):
        pair = TokenPair(access_token="a", refresh_token="r", access_expires_at=now, refresh_expires_at=ends)
        tokens = user_tokens.store(user_id=f"user {number}", pair=pair)
        vehicle = Vehicle.objects.create(fleet=fleet, smartcar_id=f"car {tokens.pk}")
        Connection.objects.create(
            fleet=fleet,
            vehicle=vehicle,
            smartcar_user_id="user",
            api_version="v2",
            mode="live",
            tokens=tokens,
        )
        pairs.append(tokens)
    return pairs


@pytest.mark.django_db
def test_run_ends_when_smartcar_fails_repeatedly(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    many_pairs(fleet, 10, days_left=20)
    allow(monkeypatch, 10)
    attempted = []

    def fail(*, tokens: UserToken) -> UserToken:
        attempted.append(tokens.pk)
        raise SmartcarError(type="SERVER", status=503)

    monkeypatch.setattr(user_tokens, "refresh", fail)
    assert token_refresh.refresh_due(now=timezone.now()) == 0
    assert len(attempted) == 5


def test_number_of_daily_refreshes_depends_on_smartcars_limit(settings: Settings) -> None:
    settings.SMARTCAR_REQUEST_REFILL = 2.0
    assert token_refresh.daily_budget() == 1440
    assert token_refresh.interval(pairs=20_000) > 7 * DAY
    settings.SMARTCAR_REQUEST_REFILL = 20.0
    assert token_refresh.interval(pairs=20_000) == 7 * DAY


@pytest.mark.django_db
def test_run_ends_at_the_rate_limit_and_the_next_one_continues(
    smartcar: str, v2_fleet: Fleet, owner: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    pairs = connected_pairs(smartcar, v2_fleet, owner, days_left=[10, 11, 12, 13])
    allow(monkeypatch, 4)
    settings.SMARTCAR_REQUEST_BUCKET, settings.SMARTCAR_REQUEST_REFILL = 3, 0.01
    assert token_refresh.refresh_due(now=timezone.now()) == 2, "nine tenths of three, rounded down"
    assert versions(pairs) == [1, 1, 0, 0]
    settings.SMARTCAR_REQUEST_BUCKET = 0
    assert token_refresh.refresh_due(now=timezone.now()) == 2


@pytest.mark.django_db
def test_pairs_with_their_own_failures_do_not_block_the_others(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    pairs = many_pairs(fleet, 12, days_left=20)
    allow(monkeypatch, 1)
    problems = [
        SmartcarError(type="invalid_grant", status=400),
        token_store.TokensUnavailableError(TokenProblem.GRANT_ENDED),
        encryption.DecryptionError("no key"),
    ]

    def refresh(*, tokens: UserToken) -> UserToken:
        if tokens == pairs[-1]:
            return tokens
        raise problems[tokens.pk % 3]

    monkeypatch.setattr(user_tokens, "refresh", refresh)
    assert token_refresh.refresh_due(now=timezone.now()) == 1


@pytest.mark.django_db
def test_outage_of_50_days_in_120_loses_none_of_100_pairs(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Real runs on PostgreSQL every six hours of a simulated clock. Only Smartcar's answer is simulated."""
    monkeypatch.setattr(token_refresh, "RUN", timedelta(hours=6))
    many_pairs(fleet, 100, days_left=60)
    start = timezone.now()
    rotated_at: dict[datetime, int] = {}

    for number in range(120 * 4):
        now = start + number * token_refresh.RUN

        def rotate(*, tokens: UserToken, now: datetime = now) -> UserToken:
            assert tokens.refresh_expires_at > now
            tokens.refresh_expires_at = now + REFRESH_TOKEN_LIFE
            tokens.save()
            return tokens

        monkeypatch.setattr(user_tokens, "refresh", rotate)
        if not 30 <= number / 4 < 80:
            rotated_at[now] = token_refresh.refresh_due(now=now)
        assert token_refresh.expiry_histogram(now=now).ended == 0
    calm = [count for at, count in rotated_at.items() if at < start + 30 * DAY]
    assert max(calm) == 4
    assert max(rotated_at.values()) <= 25
    assert token_refresh.expiry_histogram(now=now).days[:50] == (0,) * 50


@pytest.fixture
def not_warned_today(settings: Settings) -> None:
    with Redis.from_url(settings.REDIS_URL) as redis:
        for key in redis.keys("connect:warned:*"):
            redis.delete(key)


@pytest.mark.django_db
def test_expiring_pairs_are_logged_once_a_day_by_id_only(
    not_warned_today: None, fleet: Fleet, caplog: pytest.LogCaptureFixture
) -> None:
    (two,) = many_pairs(fleet, 1, days_left=1.5)
    (seven,) = many_pairs(fleet, 1, days_left=6)
    fourteen = many_pairs(fleet, 2, days_left=13)
    many_pairs(fleet, 1, days_left=15)
    now = timezone.now()
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            token_refresh.log_expiring(now=now)
    lines = [record.getMessage() for record in caplog.records]
    assert [line.partition(";")[0] for line in lines] == [
        "1 token pairs have less than 2 days left",
        "1 token pairs have less than 7 days left",
        "2 token pairs have less than 14 days left",
    ]
    assert [line.rpartition(": ")[2] for line in lines] == [
        f"{two.pk}",
        f"{seven.pk}",
        f"{fourteen[0].pk}, {fourteen[1].pk}",
    ]
    token_refresh.log_expiring(now=now + DAY)
    assert len(caplog.records) > 3


@pytest.mark.django_db
def test_warning_is_logged_without_redis(
    fleet: Fleet, caplog: pytest.LogCaptureFixture, settings: Settings
) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    many_pairs(fleet, 1, days_left=1)
    token_refresh.log_expiring(now=timezone.now())
    assert len(caplog.records) == 1


@pytest.mark.django_db
def test_the_histogram_counts_days_left(fleet: Fleet) -> None:
    for left in (-1, 0.5, 6.5, 6.9, 59.99):
        many_pairs(fleet, 1, days_left=left)
    histogram = token_refresh.expiry_histogram(now=timezone.now())
    assert histogram.ended == 1
    assert {day: count for day, count in enumerate(histogram.days) if count} == {0: 1, 6: 2, 59: 1}
    assert histogram.pairs == 5


@pytest.mark.django_db
def test_token_lifetimes_prints_the_histogram(fleet: Fleet) -> None:
    for left in (-1, 0.5, 6.5, 59.5):
        many_pairs(fleet, 1, days_left=left)
    output = StringIO()
    call_command("token_lifetimes", stdout=output)
    assert output.getvalue().splitlines() == [
        "4 token pairs in use, each renewed every 7 days. Days left:",
        "   ended       1 ██████████",
        "  0 to 1       1 ██████████",
        "  2 to 6       1 ██████████",
        " 7 to 13       0",
        "14 to 29       0",
        "30 to 52       0",
        "53 to 60       1 ██████████",
    ]

"""Refreshing the tokens of 10,000 connections within the request budget: a week in fast motion.

Real token pairs of the simulator are refreshed by the product's hourly run, within its budget. Between the runs, three
clocks are advanced to the next hour: the simulator's, this process's, and that of the bucket in Redis. The simulator's
request log is then checked against a bucket of Smartcar's size that is independent of ours.
"""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import time_machine

from bench.results import Figure, Plot, Result, Series
from bench.stack import Stack, answers, stack, wait_until

if TYPE_CHECKING:
    from accounts.models import Fleet

BUCKET, PER_MINUTE = 120, 2.0
PAIRS, DAYS = 10_000, 7
CHECKED = 300
HOUR = timedelta(hours=1)


def run(*, quick: bool) -> Result:
    """Connects vehicles, simulates the days, and checks every token pair."""
    pairs = 500 if quick else PAIRS
    with stack(durable=False) as running, httpx.Client(base_url=running.simulator, timeout=60) as simulator:
        _start(running, vehicles=max(pairs, 40))
        import django

        django.setup()
        fleet = _fleet()
        _connect(simulator, fleet, pairs=pairs)
        unlimited_rate = _refresh_rate(min(pairs, 500))
        requests, refreshed = _week(simulator)
        still_valid = _count_valid(CHECKED)
        return _result(
            pairs=pairs,
            unlimited_rate=unlimited_rate,
            requests=requests,
            refreshed=refreshed,
            still_valid=still_valid,
            left=_days_left(),
        )


def _start(running: Stack, *, vehicles: int) -> None:
    import os

    port = running.simulator.rpartition(":")[2]
    command = [sys.executable, "-m", "simulator", "--port", port, "--seed", "1", "--vehicles", str(vehicles)]
    child = running.start("simulator", command)
    wait_until(lambda: answers(f"{running.simulator}/control/health"), what="the simulator", child=child)
    os.environ["SMARTCAR_REQUEST_BUCKET"] = str(BUCKET)
    os.environ["SMARTCAR_REQUEST_REFILL"] = str(PER_MINUTE)


def _fleet() -> Fleet:
    from accounts.models import User
    from accounts.services import create_fleet

    owner = User.objects.create_user("owner@fleet.example")
    return create_fleet(name="Bench", slug="bench", owner=owner, api_version="v2")


def _connect(simulator: httpx.Client, fleet: Fleet, *, pairs: int) -> None:
    """Creates a real token pair for each vehicle, as if the vehicles had been connected over the previous week."""
    from connect.applications import default_application
    from connect.models import Connection
    from connect.v2 import user_tokens
    from smartcar_api import V2Api
    from vehicles.models import Vehicle

    # Directly with the client, as connecting isn't measured.
    origins, credentials = default_application().v2._origins, default_application().credentials
    api = V2Api(origins=origins, credentials=credentials)
    redirect = "http://localhost/callback"
    query = {
        "response_type": "code",
        "client_id": credentials.application_id,
        "redirect_uri": redirect,
        "mode": "simulated",
    }
    address = f"{origins.connect}/oauth/authorize?{urlencode(query)}"
    for number, vehicle_id in enumerate(_car_ids(simulator, pairs)):
        granted = simulator.post("/control/grants", json={"url": address, "vehicleIds": [vehicle_id]}).json()
        code = parse_qs(urlsplit(granted["redirect"]).query)["code"][0]
        tokens = user_tokens.store(
            user_id=f"user {number}", pair=api.exchange_code(code=code, redirect_uri=redirect)
        )
        tokens.refresh_expires_at -= timedelta(days=1) + timedelta(days=6) * number / pairs
        tokens.save()
        vehicle = Vehicle.objects.create(fleet=fleet, smartcar_id=vehicle_id)
        Connection.objects.create(
            fleet=fleet,
            vehicle=vehicle,
            smartcar_user_id=f"user {number}",
            api_version="v2",
            mode="simulated",
            tokens=tokens,
        )


def _car_ids(simulator: httpx.Client, count: int) -> list[str]:
    found: list[str] = []
    while len(found) < count:
        page = simulator.get("/control/vehicles", params={"limit": 500, "offset": len(found)}).json()
        found += [vehicle["id"] for vehicle in page["vehicles"]]
    return found[:count]


def _refresh_rate(count: int) -> float:
    """Returns how many tokens one process refreshes per minute without a limit."""
    from django.conf import settings

    from connect.models import UserToken
    from connect.v2 import user_tokens

    most, settings.SMARTCAR_REQUEST_BUCKET = settings.SMARTCAR_REQUEST_BUCKET, 0
    started = time.perf_counter()
    for tokens in UserToken.objects.order_by("-pk")[:count]:
        ends = tokens.refresh_expires_at
        user_tokens.refresh(tokens=tokens)
        UserToken.objects.filter(pk=tokens.pk).update(refresh_expires_at=ends)
    settings.SMARTCAR_REQUEST_BUCKET = most
    return count / (time.perf_counter() - started) * 60


def _week(simulator: httpx.Client) -> tuple[list[float], int]:
    """Runs the hourly refresh for a week.

    Returns when the simulator received refresh requests (its clock, in seconds), and how many pairs were refreshed.
    """
    from django.utils import timezone

    from connect.v2 import token_refresh

    simulator.delete("/control/requests")
    requests: list[float] = []
    refreshed = 0
    with time_machine.travel(datetime.now(UTC), tick=True) as clock:
        for _ in range(DAYS * 24):
            started = time.perf_counter()
            refreshed += token_refresh.refresh_due(now=timezone.now())
            requests += _take_requests(simulator)
            remaining = HOUR.total_seconds() - (time.perf_counter() - started)
            clock.shift(remaining)
            simulator.post("/control/clock", json={"advance": remaining}).raise_for_status()
            _advance_bucket(remaining)
    return requests, refreshed


def _advance_bucket(seconds: float) -> None:
    """Advances the bucket.

    Redis stores the time at which it will be full, by its own clock, so that time is moved back.
    """
    from smartcar_api.ratelimit import redis_fallback

    redis = redis_fallback.client()
    for key in redis.scan_iter(f"{redis_fallback.PREFIX}:bucket:*"):
        redis.incrbyfloat(key, -seconds)


def _take_requests(simulator: httpx.Client) -> list[float]:
    logged = simulator.get("/control/requests", params={"path": "/auth/"}).json()["requests"]
    simulator.delete("/control/requests")
    return [datetime.fromisoformat(each["time"]).timestamp() for each in logged]


def _count_valid(count: int) -> int:
    """Returns how many pairs of a sample Smartcar still refreshes."""
    from django.conf import settings

    from connect import token_store
    from connect.models import UserToken
    from connect.v2 import user_tokens
    from smartcar_api import SmartcarError

    settings.SMARTCAR_REQUEST_BUCKET = 0
    everyone = list(UserToken.objects.all())
    valid = 0
    for tokens in random.sample(everyone, min(count, len(everyone))):
        try:
            user_tokens.refresh(tokens=tokens)
        except (SmartcarError, token_store.TokensUnavailableError):
            continue
        valid += 1
    return valid


def _days_left() -> tuple[int, int]:
    """Returns the number of revoked pairs, and the fewest whole days that any pair has left."""
    from django.utils import timezone

    from connect.models import UserToken

    revoked = UserToken.objects.exclude(revoked_at=None).count()
    first = UserToken.objects.order_by("refresh_expires_at").values_list("refresh_expires_at", flat=True)[0]
    return revoked, (first - timezone.now()).days


def _count_rejected(requests: Iterable[float]) -> int:
    """Returns how many of these requests a bucket of Smartcar's size would have rejected."""
    level, last, rejected = float(BUCKET), 0.0, 0
    for at in sorted(requests):
        level = min(BUCKET, level + (at - last) * PER_MINUTE / 60)
        last = at
        if level >= 1:
            level -= 1
        else:
            rejected += 1
    return rejected


def _result(
    *,
    pairs: int,
    unlimited_rate: float,
    requests: list[float],
    refreshed: int,
    still_valid: int,
    left: tuple[int, int],
) -> Result:
    first = min(requests, default=0.0)
    hours = Counter(int((at - first) // 3600) for at in requests)
    minutes = DAYS * 1440
    checked = min(CHECKED, pairs)
    revoked, _ = left
    figures = (
        Figure("connections", pairs),
        Figure("renewed", refreshed, f"in {DAYS} days"),
        Figure("calls to Smartcar", round(len(requests) / minutes, 2), "a minute"),
        Figure("the most in an hour", max(hours.values(), default=0), "calls"),
        Figure.exactly("beyond Smartcar's bucket", _count_rejected(requests), "calls", target=0),
        Figure.exactly("pairs lost", revoked, "", target=0),
        Figure.exactly("of a sample, still good", still_valid, f"of {checked}", target=checked),
        Figure("one process without a limit", round(unlimited_rate), "renewals a minute"),
    )
    every = tuple(float(hour) for hour in range(DAYS * 24))
    line = Series("renewals", every, tuple(float(hours[int(hour)]) for hour in every))
    return Result(
        name="tokens",
        title=f"Renewing the tokens of {pairs} connections within the request budget",
        figures=figures,
        plots=(Plot("Calls to Smartcar", "hour", "calls", (line,)),),
        notes=(
            f"The budget is Smartcar's default: {BUCKET} requests, {PER_MINUTE:g} more a minute.",
            "Everything but Smartcar's answer is the product's; its clocks are moved from hour to hour.",
            "The vehicles count as connected evenly over the week before.",
        ),
    )

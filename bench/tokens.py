"""Renewing the tokens of 10,000 connections within the request budget: a week, played at speed.

Real token pairs of the simulator's are renewed by the hourly run of the product, through its budget. Between the runs
three clocks are moved on to the next hour: the simulator's, this process's, and that of the bucket in Redis. The
simulator's log of what it was asked is then played through a bucket of Smartcar's size that knows nothing of ours.
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
    """Connects, lets the days go by, and looks what became of every pair."""
    pairs = 500 if quick else PAIRS
    with stack(durable=False) as running, httpx.Client(base_url=running.simulator, timeout=60) as simulator:
        _start(running, vehicles=max(pairs, 40))
        import django

        django.setup()
        fleet = _fleet()
        _connect(simulator, fleet, pairs=pairs)
        at_once = _renewed_a_minute(min(pairs, 500))
        asked, rotated = _week(simulator)
        kept = _still_good(CHECKED)
        return _result(
            pairs=pairs,
            at_once=at_once,
            asked=asked,
            rotated=rotated,
            kept=kept,
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
    """A real token pair for each car, as if the cars had been connected over the week before."""
    from connect.applications import default_application
    from connect.models import Connection
    from connect.v2 import user_tokens
    from smartcar_api import V2Api
    from vehicles.models import Vehicle

    # Straight from the client: connecting is not what is measured.
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
    for number, car_id in enumerate(_car_ids(simulator, pairs)):
        granted = simulator.post("/control/grants", json={"url": address, "vehicleIds": [car_id]}).json()
        code = parse_qs(urlsplit(granted["redirect"]).query)["code"][0]
        tokens = user_tokens.store(
            user_id=f"user {number}", pair=api.exchange_code(code=code, redirect_uri=redirect)
        )
        tokens.refresh_expires_at -= timedelta(days=1) + timedelta(days=6) * number / pairs
        tokens.save()
        car = Vehicle.objects.create(fleet=fleet, smartcar_id=car_id)
        Connection.objects.create(
            fleet=fleet,
            vehicle=car,
            smartcar_user_id=f"user {number}",
            api_version="v2",
            mode="simulated",
            tokens=tokens,
        )


def _car_ids(simulator: httpx.Client, count: int) -> list[str]:
    found: list[str] = []
    while len(found) < count:
        page = simulator.get("/control/vehicles", params={"limit": 500, "offset": len(found)}).json()
        found += [car["id"] for car in page["vehicles"]]
    return found[:count]


def _renewed_a_minute(count: int) -> float:
    """How fast one process renews, with no limit in its way: calls a minute."""
    from django.conf import settings

    from connect.models import UserToken
    from connect.v2 import user_tokens

    most, settings.SMARTCAR_REQUEST_BUCKET = settings.SMARTCAR_REQUEST_BUCKET, 0
    began = time.perf_counter()
    for tokens in UserToken.objects.order_by("-pk")[:count]:
        ends = tokens.refresh_expires_at
        user_tokens.refresh(tokens=tokens)
        UserToken.objects.filter(pk=tokens.pk).update(refresh_expires_at=ends)
    settings.SMARTCAR_REQUEST_BUCKET = most
    return count / (time.perf_counter() - began) * 60


def _week(simulator: httpx.Client) -> tuple[list[float], int]:
    """The hourly run, for a week.

    Returns when the simulator was asked for a renewal (its clock, seconds), and how many pairs were renewed.
    """
    from django.utils import timezone

    from connect.v2 import token_refresh

    simulator.delete("/control/requests")
    asked: list[float] = []
    rotated = 0
    with time_machine.travel(datetime.now(UTC), tick=True) as clock:
        for _ in range(DAYS * 24):
            began = time.perf_counter()
            rotated += token_refresh.refresh_due(now=timezone.now())
            asked += _asked(simulator)
            rest = HOUR.total_seconds() - (time.perf_counter() - began)
            clock.shift(rest)
            simulator.post("/control/clock", json={"advance": rest}).raise_for_status()
            _move_bucket(rest)
    return asked, rotated


def _move_bucket(seconds: float) -> None:
    """What is kept of a bucket is the time at which it will be full again, by Redis's clock: that comes nearer."""
    from smartcar_api.ratelimit import redis_fallback

    redis = redis_fallback.client()
    for key in redis.scan_iter(f"{redis_fallback.PREFIX}:bucket:*"):
        redis.incrbyfloat(key, -seconds)


def _asked(simulator: httpx.Client) -> list[float]:
    seen = simulator.get("/control/requests", params={"path": "/auth/"}).json()["requests"]
    simulator.delete("/control/requests")
    return [datetime.fromisoformat(each["time"]).timestamp() for each in seen]


def _still_good(count: int) -> int:
    """How many of a sample of pairs Smartcar still renews."""
    from django.conf import settings

    from connect import token_store
    from connect.models import UserToken
    from connect.v2 import user_tokens
    from smartcar_api import SmartcarError

    settings.SMARTCAR_REQUEST_BUCKET = 0
    everyone = list(UserToken.objects.all())
    good = 0
    for tokens in random.sample(everyone, min(count, len(everyone))):
        try:
            user_tokens.refresh(tokens=tokens)
        except (SmartcarError, token_store.TokensUnavailableError):
            continue
        good += 1
    return good


def _days_left() -> tuple[int, int]:
    """Pairs that were ended or revoked, and the fewest whole days that any of the others has left."""
    from django.utils import timezone

    from connect.models import UserToken

    revoked = UserToken.objects.exclude(revoked_at=None).count()
    first = UserToken.objects.order_by("refresh_expires_at").values_list("refresh_expires_at", flat=True)[0]
    return revoked, (first - timezone.now()).days


def _refused(asked: Iterable[float]) -> int:
    """How many of these a bucket of Smartcar's size would have refused."""
    level, last, refused = float(BUCKET), 0.0, 0
    for at in sorted(asked):
        level = min(BUCKET, level + (at - last) * PER_MINUTE / 60)
        last = at
        if level >= 1:
            level -= 1
        else:
            refused += 1
    return refused


def _result(
    *,
    pairs: int,
    at_once: float,
    asked: list[float],
    rotated: int,
    kept: int,
    left: tuple[int, int],
) -> Result:
    first = min(asked, default=0.0)
    hours = Counter(int((at - first) // 3600) for at in asked)
    minutes = DAYS * 1440
    checked = min(CHECKED, pairs)
    revoked, _ = left
    figures = (
        Figure("connections", pairs),
        Figure("renewed", rotated, f"in {DAYS} days"),
        Figure("calls to Smartcar", round(len(asked) / minutes, 2), "a minute"),
        Figure("the most in an hour", max(hours.values(), default=0), "calls"),
        Figure.exactly("beyond Smartcar's bucket", _refused(asked), "calls", target=0),
        Figure.exactly("pairs lost", revoked, "", target=0),
        Figure.exactly("of a sample, still good", kept, f"of {checked}", target=checked),
        Figure("one process without a limit", round(at_once), "renewals a minute"),
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
            "The cars count as connected evenly over the week before.",
        ),
    )

"""receive: requests per second and p99 of the receiver, compared to the documentation's Flask quick start.

Ours checks the signature and stores the delivery on disk before it responds; the quick start does neither. The ceiling
is our server without storing: what is left to gain.
"""

from __future__ import annotations

import json
import statistics
import sys
import uuid
from dataclasses import dataclass, field

import psycopg
from redis import Redis

from bench.posting import Outcome, Plan, post
from bench.results import Figure, Plot, Result, Series
from bench.stack import HOST, Stack, answers_at_all, free_port, stack, wait_until
from webhooks.signature import sign

CONNECTIONS = 64
SIZES = {"3 KB": 3_000, "12 KB": 12_000}
DISTINCT = 64
RATIO, P99 = 1.3, 75.0


@dataclass(slots=True)
class _Side:
    """One of the receivers, with the outcomes of its rounds."""

    name: str
    url: str
    rounds: list[Outcome] = field(default_factory=list)

    @property
    def rates(self) -> list[float]:
        return [outcome.rate for outcome in self.rounds]

    def percentile(self, share: float) -> float:
        """Returns the percentile of all responses of all rounds, in milliseconds."""
        ordered = sorted(each for outcome in self.rounds for each in outcome.milliseconds)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def run(*, quick: bool) -> Result:
    """Runs alternating rounds on the receivers, per body size."""
    figures: list[Figure] = []
    plots: list[Plot] = []
    with stack() as running:
        running.web()
        other = _start_quickstart(running)
        unstored = f"http://{HOST}:{free_port()}"
        running.serve("ceiling", "bench.ceiling:application", url=unstored)
        for size, length in SIZES.items():
            ours = _Side("this receiver", f"{running.site}/webhooks/smartcar/")
            theirs = _Side("quick start", f"{other}/webhooks/smartcar")
            ceiling = _Side("ceiling", f"{unstored}/webhooks/smartcar/")
            lost = _alternate(running, theirs, ours, ceiling, length=length, quick=quick)
            figures += _figures(size, ours, theirs, ceiling, lost)
            plots.append(_plot(size, ours, theirs, ceiling))
    return Result(
        name="receive",
        title="Receiving deliveries",
        figures=tuple(figures),
        plots=tuple(plots),
        notes=(
            f"{CONNECTIONS} connections, each posts again once it is answered; the load generator, PostgreSQL "
            "and Redis run on the same cores.",
            "This receiver: one granian worker; signature checked; on disk (fsync) before the answer.",
            "Quick start: Flask under gunicorn, 2 workers of 4 threads; body parsed and pushed to Redis; no signature.",
            "Ceiling: the receiver's own server; signature checked; nothing stored.",
            "Rates are medians of the rounds, ratios the median of rounds next to each other, p99 is of all rounds.",
        ),
    )


def _start_quickstart(running: Stack) -> str:
    port = free_port()
    command = [*(sys.executable, "-m", "gunicorn", "bench.quickstart:app", "--bind", f"{HOST}:{port}")]
    command += ["--workers", "2", "--threads", "4", "--log-level", "warning"]
    child = running.start("quickstart", command)
    wait_until(lambda: answers_at_all(f"http://{HOST}:{port}"), what="the quick start", child=child)
    return f"http://{HOST}:{port}"


def _alternate(
    running: Stack, theirs: _Side, ours: _Side, ceiling: _Side, *, length: int, quick: bool
) -> int:
    """Runs the rounds of all sides. Returns how many deliveries got status 200 from ours but have no row."""
    sides = (theirs, ours, ceiling)
    rounds, seconds = (2, 2.0) if quick else (7, 8.0)
    bodies = tuple(_body(length) for _ in range(DISTINCT))
    signatures = tuple(sign(token=running.management_token, message=body.encode()) for body in bodies)
    for side in sides:
        post(Plan(side.url, CONNECTIONS, 1.0, bodies, signatures))
    lost = 0
    for turn in range(rounds):
        for side in sides if turn % 2 == 0 else reversed(sides):
            _empty(running)
            outcome = post(Plan(side.url, CONNECTIONS, seconds, bodies, signatures))
            side.rounds.append(outcome)
            if side is ours:
                lost += outcome.statuses.get("200", 0) - _stored(running)
    return lost


def _body(length: int) -> str:
    """Returns a VEHICLE_STATE of about this many bytes, with as many signals as fit."""
    signals: list[dict[str, object]] = []
    delivery = {
        "eventId": str(uuid.uuid4()),
        "eventType": "VEHICLE_STATE",
        "data": {
            "user": {"id": str(uuid.uuid4())},
            "vehicle": {"id": str(uuid.uuid4()), "make": "TESLA", "model": "Model 3", "year": 2022},
            "signals": signals,
        },
        "triggers": [],
        "meta": {"version": "4.0", "deliveryId": str(uuid.uuid4()), "mode": "LIVE"},
    }
    while len(json.dumps(delivery)) < length:
        at = 1_760_000_000_000 + uuid.uuid4().int % 10**9
        signals.append(
            {
                "code": "tractionbattery-stateofcharge",
                "name": "StateOfCharge",
                "group": "TractionBattery",
                "body": {"unit": "percent", "value": uuid.uuid4().int % 1000 / 10},
                "status": {"value": "SUCCESS"},
                "meta": {"oemUpdatedAt": at, "retrievedAt": at + 500, "ingestedAt": at + 900},
            }
        )
    return json.dumps(delivery)


def _empty(running: Stack) -> None:
    with psycopg.connect(running.servers.database_url) as connection:
        connection.execute("TRUNCATE webhooks_inboxentry")
    with Redis.from_url(running.servers.redis_url) as redis:
        redis.flushall()


def _stored(running: Stack) -> int:
    with psycopg.connect(running.servers.database_url) as connection:
        row = connection.execute("SELECT count(*) FROM webhooks_inboxentry").fetchone()
    return int(row[0]) if row else 0


def _figures(size: str, ours: _Side, theirs: _Side, ceiling: _Side, lost: int) -> list[Figure]:
    ratio, share = (
        statistics.median(mine / other for mine, other in zip(ours.rates, side.rates, strict=True))
        for side in (theirs, ceiling)
    )
    return [
        Figure(f"{size}: quick start", round(statistics.median(theirs.rates)), "requests/s"),
        Figure(f"{size}: this receiver", round(statistics.median(ours.rates)), "requests/s"),
        Figure(f"{size}: ceiling, nothing stored", round(statistics.median(ceiling.rates)), "requests/s"),
        Figure(f"{size}: this receiver", round(share * 100), "percent of the ceiling"),
        Figure.at_least(f"{size}: this receiver", round(ratio, 2), "times the quick start", target=RATIO),
        Figure(f"{size}: quick start, p99", round(theirs.percentile(0.99), 1), "ms"),
        Figure(f"{size}: ceiling, p99", round(ceiling.percentile(0.99), 1), "ms"),
        Figure.under(f"{size}: this receiver, p99", round(ours.percentile(0.99), 1), "ms", target=P99),
        Figure.exactly(f"{size}: answered but not stored", lost, "deliveries", target=0),
    ]


def _plot(size: str, *sides: _Side) -> Plot:
    lines = tuple(
        Series(side.name, tuple(range(1, len(side.rates) + 1)), tuple(round(rate) for rate in side.rates))
        for side in sides
    )
    return Plot(f"Bodies of {size}", "round", "requests/s", lines)

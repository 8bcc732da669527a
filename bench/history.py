"""history: one signal of one vehicle over a day, a month and a year at the API, with 5 and with 50 million readings.

Also measures how many bytes a reading takes, and how fast readings are added and rolled up. The readings are generated
in PostgreSQL, day by day for all vehicles, so that tables and indexes grow in the order of deliveries.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import django
import httpx
import psycopg

from bench.results import Figure, Plot, Result, Series
from bench.stack import Stack, stack

SIGNALS = 10
DAYS = 500
READINGS_A_DAY = 10
VEHICLES_FEW, VEHICLES_MANY = 100, 1000
GROWTH = 1.5
_TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
_FIRST_DAY = _TODAY - timedelta(days=DAYS)

# A vehicle drives for an hour a day, at a different time each day, and reports each signal every six minutes.
_LOAD = """
    WITH added AS (
        INSERT INTO vehicles_reading (vehicle_id, observed_at, value, signal_id)
        SELECT vehicle,
               %(day)s::timestamptz + make_interval(
                   mins => (hashint8(vehicle * 1000 + %(number)s::bigint) & 1023) + turn * 6,
                   secs => (signal * 3 + vehicle %% 7)),
               (hashint8(vehicle * signal + turn * %(number)s::bigint) & 1023) / 10.0,
               signal
        FROM generate_series(0, %(turns)s::integer - 1) AS turn,
             generate_series(%(first)s::bigint, %(last)s::bigint) AS vehicle,
             unnest(%(signals)s::smallint[]) AS signal
        RETURNING vehicle_id, signal_id, observed_at, value
    ), hours AS (
        INSERT INTO vehicles_hourrollup
            (vehicle_id, signal_id, start, mean, minimum, maximum, minimum_at, maximum_at, first, last, count)
        SELECT vehicle_id, signal_id, date_trunc('hour', observed_at, 'UTC') AS hour,
               avg(value), min(value), max(value), min(observed_at), max(observed_at), min(value), max(value), count(*)
        FROM added GROUP BY vehicle_id, signal_id, hour
    )
    INSERT INTO vehicles_dayrollup
        (vehicle_id, signal_id, start, mean, minimum, maximum, minimum_at, maximum_at, first, last, count)
    SELECT vehicle_id, signal_id, %(day)s::timestamptz, avg(value), min(value), max(value),
           min(observed_at), max(observed_at), min(value), max(value), count(*)
    FROM added GROUP BY vehicle_id, signal_id
"""
_SIZE = """
    SELECT sum(pg_relation_size(relid)), sum(pg_indexes_size(relid)) FROM pg_partition_tree(%s) WHERE isleaf
"""


@dataclass(frozen=True, slots=True)
class _Query:
    """An API request, and the allowed p95 of its response time in milliseconds."""

    name: str
    days: int
    resolution: str
    limit: float


QUERIES = (
    _Query("a day, every reading", 1, "raw", 30),
    _Query("a month, by hour", 30, "hour", 60),
    _Query("a month, 200 points", 30, "200", 60),
    _Query("a year, by day", 365, "day", 100),
    _Query("a year, 500 points", 365, "500", 100),
)


@dataclass(frozen=True, slots=True)
class _Site:
    """The API, and which signals its vehicles have."""

    url: str
    token: str
    codes: Sequence[str]


def run(*, quick: bool) -> Result:
    """Loads few vehicles, measures, loads many, and measures again."""
    few, many = (2, 20) if quick else (VEHICLES_FEW, VEHICLES_MANY)
    rounds = 40 if quick else 400
    with stack(durable=False) as running:
        django.setup()
        site = _set_up(running, vehicles=many)
        started = time.monotonic()
        _load(running, first=1, last=few)
        before = _measure(site, vehicles=few, rounds=rounds)
        _load(running, first=few + 1, last=many)
        loaded = time.monotonic() - started
        after = _measure(site, vehicles=many, rounds=rounds)
        sizes = _sizes(running, readings=many * SIGNALS * DAYS * READINGS_A_DAY)
        figures = _figures(before, after) + sizes + _writing(vehicles=min(few, 20))
    total = many * SIGNALS * DAYS * READINGS_A_DAY / 1e6
    return Result(
        name="history",
        title=f"One signal of one vehicle, {total:g} million readings of {many} vehicles",
        figures=tuple(figures),
        plots=(_plot(before, after, total),),
        notes=(
            f"{rounds} requests of each kind by one client over a kept connection, of random vehicles and signals; web "
            "and PostgreSQL share the machine with the client; PostgreSQL as pip brings it, with 128 MB of buffers.",
            f"Growth: p95 with {total:g} million readings by that with {total * few / many:g} million, each of "
            f"{READINGS_A_DAY * DAYS} readings a signal and vehicle.",
            f"Loading took {loaded:.0f} s, without waiting for the disk. Its hours and days come with it, set by set.",
        ),
    )


def _set_up(running: Stack, *, vehicles: int) -> _Site:
    """Creates a fleet of this many vehicles, numbered from 1, and partitions for all days, and starts the site."""
    from accounts.models import SmartcarApiVersion, User
    from accounts.services import create_fleet
    from accounts.tokens.services import issue_token
    from vehicles import partitions
    from vehicles.catalogue import CATALOGUE, Shape
    from vehicles.models import DayZone, SignalCode, Vehicle

    owner = User.objects.create_user("bench@fleet.example")
    fleet = create_fleet(name="Bench", slug="bench", owner=owner, api_version=SmartcarApiVersion.V3)
    Vehicle.objects.bulk_create(
        Vehicle(pk=pk, fleet=fleet, smartcar_id=f"vehicle-{pk}") for pk in range(1, vehicles + 1)
    )
    DayZone.objects.bulk_create(DayZone(vehicle_id=pk, time_zone="UTC") for pk in range(1, vehicles + 1))
    codes = [code for code, signal in CATALOGUE.items() if signal.shape is Shape.NUMBER][:SIGNALS]
    # The migrations number the whole catalog; _LOAD counts from 1.
    SignalCode.objects.all().delete()
    SignalCode.objects.bulk_create(SignalCode(pk=pk, code=code) for pk, code in enumerate(codes, 1))
    since = dict.fromkeys(partitions.TABLES, _FIRST_DAY)
    for days in range(0, DAYS + 60, 60):
        partitions.create(now=_FIRST_DAY + timedelta(days=days), since=since)
    running.environment["API_RATE_LIMIT"] = "1000000"
    running.web()
    token = issue_token(membership=owner.memberships.get(), name="bench").secret
    return _Site(url=running.site, token=token, codes=codes)


def _load(running: Stack, *, first: int, last: int) -> None:
    url = running.servers.database_url.replace("postgres:", "postgresql:", 1)
    with psycopg.connect(url, autocommit=True) as session:
        session.execute("SET TimeZone TO 'UTC'")
        for number in range(DAYS):
            session.execute(
                _LOAD,
                {
                    "day": _FIRST_DAY + timedelta(days=number),
                    "number": number,
                    "turns": READINGS_A_DAY,
                    "first": first,
                    "last": last,
                    "signals": list(range(1, SIGNALS + 1)),
                },
            )
        session.execute("VACUUM (ANALYZE) vehicles_reading, vehicles_hourrollup, vehicles_dayrollup")


def _measure(site: _Site, *, vehicles: int, rounds: int) -> dict[str, list[float]]:
    """Returns response times in milliseconds by query. Raises RuntimeError for an empty response or an error."""
    chance = random.Random(1)
    headers = {"Authorization": f"Bearer {site.token}"}
    durations: dict[str, list[float]] = {query.name: [] for query in QUERIES}
    with httpx.Client(base_url=site.url, headers=headers, trust_env=False, timeout=30) as client:
        for turn in range(-10, rounds):
            for query in QUERIES:
                end = _TODAY - timedelta(days=chance.randrange(DAYS - query.days))
                path = (
                    f"/api/v1/vehicles/vehicle-{chance.randint(1, vehicles)}/signals/"
                    f"{chance.choice(site.codes)}/history/"
                )
                params = {
                    "from": (end - timedelta(days=query.days)).isoformat(),
                    "to": end.isoformat(),
                    "resolution": query.resolution,
                }
                started = time.perf_counter()
                response = client.get(path, params=params)
                milliseconds = (time.perf_counter() - started) * 1000
                if response.status_code != httpx.codes.OK or len(response.json()["points"]) < query.days:
                    raise RuntimeError(f"{query.name}: {response.status_code} {response.text[:300]}")
                if turn >= 0:
                    durations[query.name].append(milliseconds)
    return durations


def _percentile(milliseconds: Sequence[float]) -> float:
    return sorted(milliseconds)[int(len(milliseconds) * 0.95)]


def _figures(before: dict[str, list[float]], after: dict[str, list[float]]) -> list[Figure]:
    figures = []
    for query in QUERIES:
        p95, name = _percentile(after[query.name]), query.name
        figures.append(Figure.under(f"{name}: p95", p95, "ms", target=query.limit))
        figures.append(Figure(f"{name}: median", statistics.median(after[name]), "ms"))
        growth = p95 / _percentile(before[name])
        figures.append(Figure.under(f"{name}: growth", growth, "times", target=GROWTH))
    return figures


def _sizes(running: Stack, *, readings: int) -> list[Figure]:
    """Returns bytes per reading."""
    url = running.servers.database_url.replace("postgres:", "postgresql:", 1)
    with psycopg.connect(url) as session:
        sizes = {
            table: [float(size) / readings for size in session.execute(_SIZE, [table]).fetchone() or ()]
            for table in ("vehicles_reading", "vehicles_hourrollup", "vehicles_dayrollup")
        }
    rows, index = sizes.pop("vehicles_reading")
    return [
        Figure("a reading, its row", rows, "bytes"),
        Figure("a reading, its part of the index", index, "bytes"),
        Figure("hours and days, by reading of theirs", sum(map(sum, sizes.values())), "bytes"),
    ]


def _writing(*, vehicles: int) -> list[Figure]:
    """Measures how fast the product's own code adds readings, in batches of 1,000, and rolls them up."""
    from django.db import transaction

    from vehicles import rollups
    from vehicles.models import SignalCode
    from vehicles.readings import NewReading, insert_readings

    codes = list(SignalCode.objects.values_list("code", flat=True))
    moments = [
        _TODAY - timedelta(hours=20) + timedelta(minutes=minute, seconds=31) for minute in range(0, 600, 6)
    ]
    readings = [
        NewReading(vehicle, code, at, {"value": at.minute})
        for at in moments
        for vehicle in range(1, vehicles + 1)
        for code in codes
    ]
    started = time.perf_counter()
    for at in range(0, len(readings), 1000):
        with transaction.atomic():
            insert_readings(readings=readings[at : at + 1000])
    added = len(readings) / (time.perf_counter() - started)
    started = time.perf_counter()
    summed = rollups.compute_rollups(now=datetime.now(UTC), seconds=600)
    return [
        Figure("readings added", added, "a second"),
        Figure("hours and days summed up", summed / (time.perf_counter() - started), "a second"),
    ]


def _plot(before: dict[str, list[float]], after: dict[str, list[float]], total: float) -> Plot:
    shares = [share / 100 for share in range(1, 100)]
    lines = [
        Series(
            f"{query.name}, {label}",
            tuple(share * 100 for share in shares),
            tuple(sorted(durations[query.name])[int(len(durations[query.name]) * share)] for share in shares),
        )
        for query in QUERIES
        for durations, label in ((before, "a tenth"), (after, f"{total:g} million"))
    ]
    return Plot("Answers", "percentile", "milliseconds", tuple(lines))

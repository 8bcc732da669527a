"""pages: the vehicles page and a vehicle's page of a fleet of 10,000 vehicles.

Measures response times, queries and page weight, how soon a delivered change is visible, and what open pages cost.
"""

from __future__ import annotations

import asyncio
import random
import re
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace

import django
import httpx
import orjson
import psutil

from bench import pages_browser, pages_world, signals
from bench.pages_world import Fleet
from bench.results import Figure, Plot, Result, Series
from bench.stack import Stack, stack
from bench.sustain import spent

VEHICLES, FEW = 10_000, 100
OPEN_PAGES = 200
# Each vehicle delivers every five minutes.
CHANGES = VEHICLES / 300
_QUERIES = (
    "",
    "show=charging",
    "show=unlocked",
    "sort=-odometer",
    "q=driver+12",
    "q=tesla&sort=energy",
    "page=150",
)
# In the command palette: vehicles, a plate, drivers, a page, and nothing.
_SEARCHES = ("tesla+12", "b-cd+12", "driver+12", "settings", "zebra")


def run(*, quick: bool) -> Result:
    """Fills the database, starts web and worker, and takes the measurements one after the other."""
    vehicles, rounds = (1000, 40) if quick else (VEHICLES, 300)
    seconds = 10.0 if quick else 40.0
    with stack(durable=False) as running:
        running.environment |= {"STATIC_HASHED": "true", "SMARTCAR_REQUEST_BUCKET": "0"}
        django.setup()
        few, many = (
            pages_world.make(slug="few", vehicles=FEW),
            pages_world.make(slug="many", vehicles=vehicles),
        )
        queries = [_queries(fleet) for fleet in (few, many)]
        web = running.web()
        worker = running.worker(threads=2)
        durations = _page_times(running, many, rounds=rounds)
        weight = _map_weight(running, many)
        seen = pages_browser.measure(running, many, deliver=_make_deliver(running, many), quick=quick)
        cost = asyncio.run(_cost(running, web, many, seconds=seconds))
        worker.terminate()
    return Result(
        name="pages",
        title=f"Pages of a fleet of {vehicles:,} vehicles",
        figures=(
            Figure.under("fleet page, first answer: p95", _p95(durations["fleet"]), "ms", target=250),
            Figure("fleet page, first answer: median", statistics.median(durations["fleet"]), "ms"),
            Figure.under("list with other filters: p95", _p95(durations["list"]), "ms", target=250),
            Figure.under("vehicle page: p95", _p95(durations["vehicle"]), "ms", target=150),
            Figure.under("command palette: median", statistics.median(durations["palette"]), "ms", target=80),
            Figure("vehicle page: median", statistics.median(durations["vehicle"]), "ms"),
            Figure.under(
                f"fleet page: queries with {vehicles:,} vehicles", queries[1], "queries", target=20.5
            ),
            Figure.under(
                "more queries than with 100 vehicles", queries[1] - queries[0], "queries", target=0.5
            ),
            Figure.under("map data, compressed", weight / 1000, "kB", target=400),
            *seen.figures,
            Figure.under(f"{OPEN_PAGES} open pages cost", cost[0], "cores", target=1),
            Figure("web without an open page, at the same changes", cost[1], "cores"),
            Figure("patches that each open page gets meanwhile", cost[2], "a second"),
        ),
        plots=(_plot(durations),),
        notes=(
            f"{rounds} answers each, to one client over a kept connection; browser, client, web, worker, PostgreSQL "
            "and Redis share the machine's processors.",
            *seen.notes,
            f"Open pages are streams of {OPEN_PAGES} fleet pages, each with 50 rows; {CHANGES:.0f} deliveries a second "
            f"for {seconds:.0f} s change what they show; their cost is the processor time of the web process less "
            "what it takes without them.",
        ),
    )


def _queries(fleet: Fleet) -> int:
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    client = Client(headers={"host": "127.0.0.1"})
    client.cookies["sessionid"] = fleet.session
    address = f"/fleets/{fleet.slug}/"
    if client.get(address).status_code != httpx.codes.OK:
        raise RuntimeError("the fleet page does not answer")
    with CaptureQueriesContext(connection) as captured:
        client.get(address)
    return len(captured)


def _client(running: Stack, fleet: Fleet) -> httpx.Client:
    return httpx.Client(
        base_url=running.site, cookies={"sessionid": fleet.session}, trust_env=False, timeout=30
    )


def _page_times(running: Stack, fleet: Fleet, *, rounds: int) -> dict[str, list[float]]:
    """Returns response times in milliseconds by page."""
    rng = random.Random(2)
    vehicles = list(fleet.vehicles.values())
    urls: dict[str, Callable[[], str]] = {
        "fleet": lambda: f"/fleets/{fleet.slug}/",
        "list": lambda: f"/fleets/{fleet.slug}/list/?{rng.choice(_QUERIES)}",
        "vehicle": lambda: f"/fleets/{fleet.slug}/vehicles/{rng.choice(vehicles)}/",
        "palette": lambda: f"/fleets/{fleet.slug}/palette/?q={rng.choice(_SEARCHES)}",
    }
    durations: dict[str, list[float]] = {name: [] for name in urls}
    with _client(running, fleet) as client:
        for turn in range(-10, rounds):
            for name, address in urls.items():
                started = time.perf_counter()
                response = client.get(address())
                milliseconds = (time.perf_counter() - started) * 1000
                if response.status_code != httpx.codes.OK:
                    raise RuntimeError(f"{name}: {response.status_code}")
                if turn >= 0:
                    durations[name].append(milliseconds)
    return durations


def _map_weight(running: Stack, fleet: Fleet) -> int:
    """Returns the size of the map's data as transferred."""
    with (
        _client(running, fleet) as client,
        client.stream(
            "GET", f"/fleets/{fleet.slug}/map-data/", headers={"Accept-Encoding": "gzip"}
        ) as response,
    ):
        weight = sum(len(chunk) for chunk in response.iter_raw())
        if response.headers.get("Content-Encoding") != "gzip":
            raise RuntimeError("the map's data is not compressed")
    return weight


def _make_deliver(running: Stack, fleet: Fleet) -> Callable[[int, float], None]:
    """Returns a function that posts a signed delivery with a vehicle's state of charge."""
    from webhooks.signature import sign

    client = httpx.Client(base_url=running.site, trust_env=False, timeout=30)

    def deliver(vehicle_id: int, charge: float) -> None:
        now = round(time.time() * 1000)
        signal = {
            "code": "tractionbattery-stateofcharge",
            "name": "StateOfCharge",
            "group": "TractionBattery",
            "body": {"value": charge, "unit": "percent"},
            "status": {"value": "SUCCESS"},
            "meta": {"oemUpdatedAt": now, "retrievedAt": now, "ingestedAt": now},
        }
        body = orjson.dumps(
            {
                "eventId": str(uuid.uuid4()),
                "eventType": "VEHICLE_STATE",
                "data": {
                    "user": {"id": f"{fleet.slug}-{vehicle_id}"},
                    "vehicle": {"id": fleet.vehicles[vehicle_id], "make": "TESLA"},
                    "signals": [signal],
                },
                "triggers": [],
                "meta": {
                    "version": "4.0",
                    "deliveryId": str(uuid.uuid4()),
                    "deliveredAt": now,
                    "mode": "LIVE",
                },
            }
        )
        signed = sign(token=running.management_token, message=body)
        client.post("/webhooks/smartcar/", content=body, headers={"SC-Signature": signed}).raise_for_status()

    return deliver


async def _cost(
    running: Stack, web: subprocess.Popen[bytes], fleet: Fleet, *, seconds: float
) -> tuple[float, float, float]:
    """Returns the web process's cores for open pages, its cores without them, and patches per second and page."""
    alone = await _busy(running, web, fleet, seconds=seconds)
    with _client(running, fleet) as client:
        page = client.get(f"/fleets/{fleet.slug}/").text
    found = re.search(r'data-live="([^"]+)"', page)
    if found is None:
        raise RuntimeError("the fleet page names no stream")
    address = found[1].replace("&amp;", "&")
    limits = httpx.Limits(max_connections=None)
    async with AsyncExitStack() as until_end:
        client_ = await until_end.enter_async_context(
            httpx.AsyncClient(
                base_url=running.site, cookies={"sessionid": fleet.session}, trust_env=False, limits=limits,
                timeout=httpx.Timeout(30, read=60),
            )
        )  # fmt: skip
        readers, received = [], [0] * OPEN_PAGES
        for number in range(OPEN_PAGES):
            stream = await until_end.enter_async_context(client_.stream("GET", address))
            if stream.status_code != httpx.codes.OK:
                raise RuntimeError(f"no stream: {stream.status_code}")
            readers.append(asyncio.create_task(_drain(stream, received, number)))
        await asyncio.sleep(3)
        with_pages = await _busy(running, web, fleet, seconds=seconds)
        for reader in readers:
            if reader.done():
                raise RuntimeError("a stream ended")
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)
    if min(received) < seconds / 5:
        raise RuntimeError(f"the open pages received {min(received)} events only")
    return max(0.0, with_pages - alone), alone, min(received) / seconds


async def _drain(stream: httpx.Response, received: list[int], number: int) -> None:
    async for chunk in stream.aiter_raw():
        received[number] += chunk.count(b"event: fleet")


async def _busy(running: Stack, web: subprocess.Popen[bytes], fleet: Fleet, *, seconds: float) -> float:
    """Returns the cores that the web process uses while vehicles deliver."""
    plan = signals.plan(
        uri=f"{running.site}/webhooks/smartcar/",
        key=running.management_token,
        smartcar_ids=random.Random(3).sample(list(fleet.vehicles.values()), min(2000, len(fleet.vehicles))),
        rate=CHANGES,
        seconds=seconds,
    )
    plan = replace(plan, connections=4)
    load = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "simulator.load",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
    )
    if load.stdin is None:
        raise RuntimeError("the load process has no standard input")
    load.stdin.write(plan.dump() + b"\n")
    await load.stdin.drain()
    process, started, clock = psutil.Process(web.pid), spent(psutil.Process(web.pid)), time.monotonic()
    await load.wait()
    return (spent(process) - started) / (time.monotonic() - clock)


def _p95(milliseconds: Sequence[float]) -> float:
    return sorted(milliseconds)[int(len(milliseconds) * 0.95)]


def _plot(durations: dict[str, list[float]]) -> Plot:
    shares = [share / 100 for share in range(1, 100)]
    lines = tuple(
        Series(
            name,
            tuple(share * 100 for share in shares),
            tuple(sorted(each)[int(len(each) * share)] for share in shares),
        )
        for name, each in durations.items()
    )
    return Plot("Answers", "percentile", "milliseconds", lines)

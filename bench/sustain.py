"""How many deliveries per second can be received and recorded permanently, with all parts on this machine.

Deliveries of 30 signals, 5 of them changed, are sent at a steady rate to the real web process, and a real worker
records them. A rate is sustained if 95 % of them are visible within 2 s of being received, and none is rejected.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

import orjson
import psutil
import psycopg

from bench import signals, stages
from bench.results import Figure, Plot, Result, Series
from bench.stack import Stack, stack

VEHICLES = 1000
WORKERS = 1
LIMIT_SECONDS = 2.0
TARGET = 500.0
STEPS = (300.0, 400.0, 500.0, 600.0, 700.0, 850.0, 1000.0, 1200.0)
POLL_SECONDS = 0.05
DRAIN_SECONDS = 20.0

# Deliveries are recorded nearly in order of their IDs: those that precede the first waiting one by this many are done.
OUT_OF_ORDER = 2000
_FIRST_WAITING = "SELECT min(id) FROM webhooks_inboxentry WHERE state = 'waiting'"
_DONE = """
    SELECT id, extract(epoch FROM statement_timestamp() - received_at)::float
    FROM webhooks_inboxentry WHERE id > %s AND state <> 'waiting'
"""


@dataclass(slots=True)
class Step:
    """The outcome of a rate. `lags` are seconds from received to visible; `cpu` is by part."""

    rate: float
    seconds: float
    lags: list[float] = field(default_factory=list)
    cpu: dict[str, float] = field(default_factory=dict)
    load: dict[str, float] = field(default_factory=dict)

    @property
    def sustained(self) -> bool:
        """Whether all deliveries were recorded, in time, and as many as planned were sent."""
        accepted, sent = self.load["taken"], self.load["sent"]
        in_time = len(self.lags) == accepted == sent and self.lag(0.95) < LIMIT_SECONDS
        return in_time and sent >= 0.98 * self.rate * self.seconds

    def lag(self, share: float) -> float:
        """Returns the lag that this share of deliveries didn't exceed."""
        ordered = sorted(self.lags)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("inf")


def run(*, quick: bool) -> Result:
    """Increases the rate until it isn't sustained."""
    with stack() as running:
        smartcar_ids = _connect_vehicles(running)
        parts = {"web": running.web()}
        parts |= {
            f"worker {number + 1}": running.worker(name=f"worker-{number}") for number in range(WORKERS)
        }
        measurement = _Measurement(running, parts | dict(running.servers.processes))
        measurement.step(rate=200, seconds=8, smartcar_ids=smartcar_ids)  # first rows, warm caches
        steps: list[Step] = []
        for rate in (300.0, 500.0) if quick else STEPS:
            steps.append(measurement.step(rate=rate, seconds=6 if quick else 60, smartcar_ids=smartcar_ids))
            if not steps[-1].sustained:
                break
        spent = stages.measure(smartcar_ids=smartcar_ids, events=500 if quick else 4000)
    return _result(steps, spent)


def _result(steps: list[Step], spent: Mapping[str, float]) -> Result:
    best = max((step for step in steps if step.sustained), key=lambda step: step.rate, default=None)
    rate = best.rate if best else 0.0
    shown = best or steps[0]
    events = max(len(shown.lags), 1)
    figures = [
        Figure.at_least("sustained", rate, "deliveries/s", target=TARGET),
        Figure("that is", rate * signals.SIGNALS, "signals/s"),
        Figure("received to visible, p50", round(shown.lag(0.5), 3), "s"),
        Figure.under("received to visible, p95", round(shown.lag(0.95), 3), "s", target=LIMIT_SECONDS),
        *(
            Figure(f"processor time, {part}", round(seconds / events * 1000, 3), "ms per delivery")
            for part, seconds in shown.cpu.items()
        ),
        *(
            Figure(f"recording, {stage}", round(each * 1000, 3), "ms per delivery")
            for stage, each in spent.items()
        ),
    ]
    rates = tuple(step.rate for step in steps)
    lags = [
        Series(f"{share:.0%}", rates, tuple(min(step.lag(share), 60.0) for step in steps))
        for share in (0.5, 0.95)
    ]
    return Result(
        name="sustain",
        title="From received to visible, at a steady rate",
        figures=tuple(figures),
        plots=(Plot("Received to visible", "deliveries/s", "s", tuple(lags)),),
        notes=(
            f"{VEHICLES} vehicles in turn, {signals.SIGNALS} signals a delivery of which 5 changed, {WORKERS} worker.",
            "Sending, web, worker, PostgreSQL with full durability and Redis share the machine's processors.",
            "Recording by stages is measured alone, in one process, in batches of 200.",
            "Visible means: seen as recorded by another database session, which looks every 50 ms.",
        ),
    )


def _connect_vehicles(running: Stack) -> list[str]:
    """Creates connected vehicles of one fleet. Returns their Smartcar IDs."""
    import django

    django.setup()
    from accounts.models import User
    from accounts.services import create_fleet
    from connect.models import Connection, ConnectionState
    from vehicles.models import Vehicle

    owner = User.objects.create_user("owner@fleet.example")
    fleet = create_fleet(name="Bench", slug="bench", owner=owner, api_version="v3")
    vehicles = Vehicle.objects.bulk_create(
        Vehicle(fleet=fleet, smartcar_id=str(uuid.uuid4()), make="TESLA", name=f"Vehicle {number}")
        for number in range(VEHICLES)
    )
    Connection.objects.bulk_create(
        Connection(
            fleet=fleet,
            vehicle=vehicle,
            smartcar_user_id=f"user-{number}",
            api_version="v3",
            mode="live",
            state=ConnectionState.ACTIVE,
        )
        for number, vehicle in enumerate(vehicles)
    )
    return [vehicle.smartcar_id for vehicle in vehicles]


class _Measurement:
    """Sends at a rate, and records when deliveries become visible and how much CPU time each part uses."""

    def __init__(self, running: Stack, parts: Mapping[str, subprocess.Popen[bytes]]) -> None:
        self._running = running
        self._parts = parts

    def step(self, *, rate: float, seconds: float, smartcar_ids: list[str]) -> Step:
        """Sends at the rate for this many seconds, and waits until all is visible or can no longer be in time."""
        step = Step(rate, seconds)
        before = self._processor_times()
        with psycopg.connect(self._running.servers.database_url, autocommit=True) as database:
            visible = _VisibleDeliveries(database)
            load = self._start_load(rate=rate, seconds=seconds, smartcar_ids=smartcar_ids)
            deadline = time.monotonic() + seconds + DRAIN_SECONDS
            while time.monotonic() < deadline:
                finished = load.poll() is not None
                step.lags += visible.new_lags()
                if finished and not visible.waiting:
                    break
                time.sleep(POLL_SECONDS)
        output, _ = load.communicate(timeout=30)
        step.load = orjson.loads(output.splitlines()[-1])
        after = self._processor_times()
        step.cpu = {part: after[part] - before[part] for part in after}
        return step

    def _start_load(self, *, rate: float, seconds: float, smartcar_ids: list[str]) -> subprocess.Popen[bytes]:
        plan = signals.plan(
            uri=f"{self._running.site}/webhooks/smartcar/",
            key=self._running.management_token,
            smartcar_ids=smartcar_ids,
            rate=rate,
            seconds=seconds,
        )
        load = subprocess.Popen(
            [sys.executable, "-m", "simulator.load"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        if load.stdin is None:
            raise RuntimeError("the load process has no standard input")
        load.stdin.write(plan.dump() + b"\n")
        load.stdin.flush()  # left open, as the load ends when it is closed
        return load

    def _processor_times(self) -> dict[str, float]:
        times = {part: spent(psutil.Process(process.pid)) for part, process in self._parts.items()}
        ended = resource.getrusage(resource.RUSAGE_CHILDREN)
        return times | {"sending": ended.ru_utime + ended.ru_stime}


def spent(process: psutil.Process) -> float:
    """Returns the processor seconds of a process and its children."""
    own = process.cpu_times()
    alive = [child.cpu_times() for child in process.children(recursive=True)]
    return float(
        own.user
        + own.system
        + own.children_user
        + own.children_system
        + sum(each.user + each.system for each in alive)
    )


class _VisibleDeliveries:
    """The deliveries that another session can see as done. `waiting` is whether some weren't at the last check."""

    def __init__(self, database: psycopg.Connection) -> None:
        self._database = database
        self._known = {row[0] for row in self._rows()}
        self.waiting = False

    def new_lags(self) -> list[float]:
        """Returns the lags of deliveries that are visible for the first time."""
        fresh = [(number, lag) for number, lag in self._rows() if number not in self._known]
        self._known.update(number for number, _ in fresh)
        return [lag for _, lag in fresh]

    def _rows(self) -> list[tuple[int, float]]:
        first = self._database.execute(_FIRST_WAITING).fetchone()
        last = self._database.execute("SELECT coalesce(max(id), 0) FROM webhooks_inboxentry").fetchone()
        if first is None or last is None:
            raise RuntimeError("a query without an answer")
        self.waiting = first[0] is not None
        since = (first[0] or last[0]) - OUT_OF_ORDER
        return self._database.execute(_DONE, [since]).fetchall()

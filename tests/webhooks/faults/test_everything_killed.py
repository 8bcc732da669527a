"""SIGKILL of web, worker, Redis and PostgreSQL in the middle of 20,000 signed deliveries.

They are sent with Smartcar's retry rule on a clock six times as fast, some twice and some out of order.
Afterwards each event is recorded exactly once, and the vehicles' data is that of an undisturbed run in order.
"""

import json
import logging
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.utils import timezone

from embedded import processes
from tests.webhooks.faults import cast
from tests.webhooks.faults.events import STEP, Scenario
from tests.webhooks.faults.sender import Plan, dump
from tests.webhooks.faults.site import PROJECT, Site
from webhooks import processing
from webhooks.models import InboxEntry

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
logger = logging.getLogger(__name__)

VEHICLES, EVENTS_EACH, RATE, SPEED = 100, 200, 400, 6
# The share of events after which parts are killed, the parts, and the seconds until they are restarted.
KILLS = [
    (0.08, ["web"], 0.0),
    (0.16, ["worker"], 0.0),
    (0.26, ["redis"], 3.0),
    (0.38, ["postgres"], 1.0),
    (0.50, ["web", "worker"], 0.0),
    (0.62, ["redis", "postgres"], 0.0),
    (0.74, ["worker", "beat"], 1.0),
    (0.86, ["postgres", "redis", "web", "worker"], 0.0),
]
LATEST = """
    SELECT car.smartcar_id, latest.code, latest.body, latest.observed_at, latest.oem_updated_at, latest.retrieved_at,
           latest.sequence, latest.status, latest.error_type, latest.error_code, latest.notes
    FROM vehicles_latestsignal latest JOIN vehicles_vehicle car ON car.id = latest.vehicle_id ORDER BY 1, 2
"""
HISTORY = """
    SELECT car.smartcar_id, named.code, reading.observed_at, reading.value, reading.rest
    FROM vehicles_reading reading
    JOIN vehicles_vehicle car ON car.id = reading.vehicle_id
    JOIN vehicles_signalcode named ON named.id = reading.signal_id
    ORDER BY 1, 2, 3
"""


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    ago = EVENTS_EACH * STEP // 1000
    return Scenario(cars=VEHICLES, events_each=EVENTS_EACH, start=(int(time.time()) - ago) // 60 * 60_000)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    try:
        yield site
    finally:
        site.close()


def test_killing_everything_loses_and_duplicates_nothing(site: Site, scenario: Scenario) -> None:
    began = time.monotonic()
    site.start("postgres", "redis")
    site.run("manage.py", "migrate", "--no-input", "--verbosity", "0")
    site.run("manage.py", "shell", "-c", f"from tests.webhooks.faults import cast; cast.make({VEHICLES})")
    site.start("web", "worker", "beat")
    report = send_and_kill(site, scenario)
    assert (report["delivered"], report["dropped"]) == (scenario.size, 0)
    wait_until_processed(site, seconds=120)
    with psycopg.connect(site.database_url) as database:
        states: dict[str, int] = dict(
            database.execute("SELECT state, count(*) FROM webhooks_inboxentry GROUP BY 1").fetchall()
        )
        (distinct,) = database.execute(
            "SELECT count(DISTINCT event_id) FROM webhooks_inboxentry WHERE state = 'processed'"
        ).fetchone() or (0,)
        latest, history = database.execute(LATEST).fetchall(), database.execute(HISTORY).fetchall()
    logger.info(
        "%s", report | states | {"unasked restarts": site.restarts, "s": round(time.monotonic() - began)}
    )
    assert states["processed"] == distinct == scenario.size
    assert set(states) <= {"processed", "duplicate"}
    process_in_order(scenario)
    assert latest == fetch(LATEST)
    assert len(latest) == VEHICLES * 4
    assert history == fetch(HISTORY)


def send_and_kill(site: Site, scenario: Scenario) -> dict[str, Any]:
    """Returns the sender's last report."""
    log = site.folder / "sender.log"
    plan = Plan(uri=f"{site.url}/webhooks/smartcar/", rate=RATE, speed=SPEED, scenario=asdict(scenario))
    with log.open("wb") as output:
        sender = subprocess.Popen(
            [sys.executable, "-m", "tests.webhooks.faults.sender"],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            cwd=PROJECT,
        )
    try:
        assert sender.stdin is not None
        sender.stdin.write(dump(plan))
        sender.stdin.close()
        kills = iter(KILLS)
        share, names, away = next(kills)
        while sender.poll() is None:
            time.sleep(0.1)
            site.restart_exited()
            if last_report(log)["delivered"] >= share * scenario.size:
                site.kill(*names)
                time.sleep(away)
                site.start(*names)
                share, names, away = next(kills, (2.0, [], 0.0))
        assert share == 2.0, "something was to be killed yet"
    finally:
        sender.kill()
        sender.wait()
    report = last_report(log)
    assert report["over"], processes.last_lines(log, 10)
    return report


def last_report(log: Path) -> dict[str, Any]:
    lines = processes.last_lines(log)
    report: dict[str, Any] = (
        json.loads(lines[0]) if lines and lines[0].endswith("}") else {"delivered": 0, "over": False}
    )
    return report


def wait_until_processed(site: Site, *, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while True:
        site.restart_exited()
        with psycopg.connect(site.database_url) as database:
            row = database.execute(
                "SELECT count(*) FROM webhooks_inboxentry WHERE state = 'waiting'"
            ).fetchone()
        if row == (0,):
            return
        assert time.monotonic() < deadline, f"{row} messages still wait"
        time.sleep(0.5)


def process_in_order(scenario: Scenario) -> None:
    """Processes the same events once each and in order, without disturbance, in the test database."""
    cast.make(VEHICLES)
    now = timezone.now()
    InboxEntry.objects.bulk_create(
        [InboxEntry(body=json.dumps(event).encode(), received_at=now) for event in scenario.events()],
        batch_size=2000,
    )
    assert processing.process_waiting() == scenario.size


def fetch(query: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return [tuple(map(_read, row)) for row in cursor.fetchall()]


def _read(value: Any) -> Any:
    """Parses JSON, which Django returns as text."""
    return json.loads(value) if isinstance(value, str) and value.startswith("{") else value

"""A thousand vehicles locked by one bulk command, within a request budget like Smartcar's that refills faster.

The simulator has its own bucket, which would answer 429 if ours let too many requests through. Members' single commands
are sent meanwhile, and mustn't wait for the bulk command.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx

from bench.results import Figure, Plot, Result, Series
from bench.stack import Stack, answers, stack, wait_until

if TYPE_CHECKING:
    from accounts.models import Fleet, User
    from commands.bulk.models import BulkCommand

VEHICLES, SINGLES = 1000, 10
BUCKET, PER_MINUTE = 120, 600.0
MOST_SECONDS = 600.0


@dataclass(slots=True)
class Progress:
    """The progress: seconds since the request, and how many commands had been sent by then."""

    seconds: list[float] = field(default_factory=list)
    sent: list[float] = field(default_factory=list)


def run(*, quick: bool) -> Result:
    """Connects the vehicles, sends the bulk command and records its progress."""
    vehicles = 200 if quick else VEHICLES
    os.environ["SMARTCAR_REQUEST_BUCKET"] = str(BUCKET)
    os.environ["SMARTCAR_REQUEST_REFILL"] = str(PER_MINUTE)
    with stack(durable=False) as running, httpx.Client(base_url=running.simulator, timeout=60) as simulator:
        _start(running, vehicles=vehicles + SINGLES)
        import django

        django.setup()
        fleet, owner = _connected(simulator, vehicles=vehicles + SINGLES)
        running.worker("commands", threads=32)
        running.worker("default", threads=4)
        _measure(fleet, owner)
        simulator.delete("/control/requests")
        bulk, estimate = _send_bulk(fleet, owner, count=vehicles)
        progress, waited = _record_progress(fleet, owner, bulk)
        return _result(simulator, bulk, estimate, progress, waited)


def _start(running: Stack, *, vehicles: int) -> None:
    port = running.simulator.rpartition(":")[2]
    command = [sys.executable, "-m", "simulator", "--port", port, "--seed=1", f"--vehicles={vehicles * 2}"]
    command += ["--driving-every=0", "--charging-every=0", "--vehicle-bucket=0", "--monthly-limit=0"]
    command += [f"--request-bucket={BUCKET}", f"--request-refill={PER_MINUTE:g}"]
    child = running.start("simulator", command)
    wait_until(lambda: answers(f"{running.simulator}/control/health"), what="the simulator", child=child)


def _connected(simulator: httpx.Client, *, vehicles: int) -> tuple[Fleet, User]:
    """Returns a fleet of unlocked vehicles that accept a lock, each connected at the simulator."""
    from accounts.models import User
    from accounts.services import create_fleet
    from connect.models import Connection, ConnectionState
    from vehicles.models import Vehicle

    owner = User.objects.create_user("owner@fleet.example")
    fleet = create_fleet(name="Bench", slug="bench", owner=owner, api_version="v3")
    for number, vehicle_id in enumerate(_shared(simulator, fleet, vehicles=vehicles)):
        vehicle = Vehicle.objects.create(fleet=fleet, smartcar_id=vehicle_id[0], name=f"Vehicle {number:04d}")
        Connection.objects.create(
            fleet=fleet,
            vehicle=vehicle,
            smartcar_user_id=vehicle_id[1],
            api_version="v3",
            mode="simulated",
            state=ConnectionState.ACTIVE,
        )
    return fleet, owner


def _shared(simulator: httpx.Client, fleet: Fleet, *, vehicles: int) -> list[tuple[str, str]]:
    """Returns (vehicle ID, user ID) of vehicles whose drivers have granted everything."""
    from connect import oauth

    url = oauth.start(fleet=fleet, user=fleet.members.get(), session_secret="bench")
    calm = {"speed": 0, "asleep": False, "reachable": True, "doors": [], "is_locked": False}
    found: list[tuple[str, str]] = []
    offset = 0
    while len(found) < vehicles:
        page = simulator.get("/control/vehicles", params={"limit": 500, "offset": offset}).json()["vehicles"]
        offset += len(page)
        by_account: dict[str, list[str]] = {}
        for vehicle in page:
            if (
                vehicle["account"]
                and simulator.patch(f"/control/vehicles/{vehicle['id']}", json=calm).is_success
            ):
                by_account.setdefault(vehicle["account"], []).append(vehicle["id"])
        for ids in by_account.values():
            granted = simulator.post("/control/grants", json={"url": url, "vehicleIds": ids}).json()
            user = granted["redirect"].partition("user_id=")[2].partition("&")[0]
            found += [(vehicle_id, user) for vehicle_id in ids]
    return found[:vehicles]


def _measure(fleet: Fleet, owner: User) -> None:
    """Sends a few single commands first, so that the fleet has measured how long its vehicles take."""
    from commands import services
    from commands.models import Command, CommandState
    from commands.types import CommandType
    from vehicles.selectors import list_vehicles

    for vehicle in list_vehicles(fleet=fleet)[:SINGLES]:
        services.create_command(vehicle=vehicle, kind=CommandType.UNLOCK, user=owner)
    in_progress = Command.objects.filter(state__in=(CommandState.REQUESTED, CommandState.SENDING))
    wait_until(lambda: not in_progress.exists(), what="the first commands")


def _send_bulk(fleet: Fleet, owner: User, *, count: int) -> tuple[BulkCommand, float]:
    """Returns the bulk command, and the seconds that its review estimated."""
    from django.utils import timezone

    from commands.bulk import services
    from commands.types import CommandType
    from vehicles.selectors import list_vehicles

    vehicles = list(list_vehicles(fleet=fleet)[:count])
    now = timezone.now()
    found = services.review_bulk_command(
        fleet=fleet, vehicles=vehicles, kind=CommandType.LOCK, data={}, now=now, with_already=True
    )
    bulk = services.create_bulk_command(
        fleet=fleet, user=owner, vehicles=vehicles, kind=CommandType.LOCK, data={}, with_already=True
    )
    return bulk, found.estimate.total_seconds()


def _record_progress(fleet: Fleet, owner: User, bulk: BulkCommand) -> tuple[Progress, list[float]]:
    """Replaces beat until the last command has a response, and sends a few single commands in between.

    Returns the progress, and how many seconds each single command waited to be sent.
    """
    from celery import current_app

    from commands import services
    from commands.models import Command, CommandState
    from commands.types import CommandType
    from vehicles.selectors import list_vehicles

    singles = list(list_vehicles(fleet=fleet).exclude(commands__bulk=bulk))
    in_progress = (CommandState.QUEUED, CommandState.REQUESTED, CommandState.SENDING, CommandState.RETRYING)
    progress, started = Progress(), time.monotonic()
    bulk_commands = Command.objects.filter(bulk=bulk)
    while bulk_commands.filter(state__in=in_progress).exists() and time.monotonic() - started < MOST_SECONDS:
        for name in ("dispatch", "sweep"):
            current_app.send_task(f"commands.tasks.{name}", queue="default")
        if singles:
            services.create_command(vehicle=singles.pop(), kind=CommandType.LOCK, user=owner)
        progress.seconds.append(time.monotonic() - started)
        progress.sent.append(bulk_commands.exclude(sent_at=None).count())
        time.sleep(5)
    rows = Command.objects.filter(bulk=None, kind=CommandType.LOCK).exclude(sent_at=None)
    waited = [(row.sent_at - row.requested_at).total_seconds() for row in rows if row.sent_at]
    return progress, waited


def _result(
    simulator: httpx.Client, bulk: BulkCommand, estimate: float, progress: Progress, waited: list[float]
) -> Result:
    from commands.models import Command, CommandState

    requests = simulator.get("/control/requests", params={"path": "/commands/"}).json()["requests"]
    rate_limited = sum(request["status"] == 429 for request in requests)
    rows = list(Command.objects.filter(bulk=bulk))
    sent = [row.sent_at for row in rows if row.sent_at]
    took = max((at - bulk.requested_at).total_seconds() for at in sent)
    locked = sum(row.state in (CommandState.ACCEPTED, CommandState.CONFIRMED) for row in rows)
    rejected_by_vehicles = sum(row.state == CommandState.REFUSED for row in rows)
    figures = (
        Figure("vehicles", len(rows)),
        Figure("accepted by the vehicle", locked),
        Figure("rejected by the vehicle, with its reason", rejected_by_vehicles),
        Figure.exactly("left without an answer", len(rows) - locked - rejected_by_vehicles, "", target=0),
        Figure("seconds until the last was sent", took, "s"),
        Figure("the estimate before", estimate, "s"),
        Figure("estimate to reality", estimate / took, "", "0.7 to 1.3", 0.7 <= estimate / took <= 1.3),
        Figure.exactly("answered 429 by the simulator's bucket", rate_limited, "", target=0),
        Figure("calls per vehicle", len(requests) / (len(rows) + len(waited))),
        Figure.under(
            "median wait of a single command meanwhile",
            statistics.median(waited) if waited else float("inf"),
            "s",
            target=5.0,
        ),
    )
    line = Series("sent", tuple(progress.seconds), tuple(progress.sent))
    plot = Plot("Bulk lock", "seconds since the asking", "commands sent", (line,))
    notes = (
        f"A bucket of {BUCKET} requests that regains {PER_MINUTE:g} a minute; Smartcar's regains 2, "
        f"so there a thousand vehicles take {PER_MINUTE / 2:g} times as long.",
    )
    return Result("bulk", "1,000 vehicles locked by one bulk command", figures, (plot,), notes)

"""A thousand cars locked by one bulk command, within a request budget like Smartcar's that fills faster.

The simulator's own bucket stands beside ours: had ours let too much through, it would have answered 429. Single
commands of people are asked for meanwhile: they are not to wait for the thousand.
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

CARS, SINGLES = 1000, 10
BUCKET, PER_MINUTE = 120, 600.0
MOST_SECONDS = 600.0


@dataclass(slots=True)
class Course:
    """What happened: seconds since the asking, and how many commands had been sent by then."""

    seconds: list[float] = field(default_factory=list)
    sent: list[float] = field(default_factory=list)


def run(*, quick: bool) -> Result:
    """Connects the cars, asks all of them at once, and watches."""
    cars = 200 if quick else CARS
    os.environ["SMARTCAR_REQUEST_BUCKET"] = str(BUCKET)
    os.environ["SMARTCAR_REQUEST_REFILL"] = str(PER_MINUTE)
    with stack(durable=False) as running, httpx.Client(base_url=running.simulator, timeout=60) as simulator:
        _start(running, vehicles=cars + SINGLES)
        import django

        django.setup()
        fleet, owner = _connected(simulator, cars=cars + SINGLES)
        running.worker("commands", threads=32)
        running.worker("default", threads=4)
        _measure(fleet, owner)
        simulator.delete("/control/requests")
        bulk, estimate = _ask(fleet, owner, cars=cars)
        course, waited = _watch(fleet, owner, bulk)
        return _result(simulator, bulk, estimate, course, waited)


def _start(running: Stack, *, vehicles: int) -> None:
    port = running.simulator.rpartition(":")[2]
    command = [sys.executable, "-m", "simulator", "--port", port, "--seed=1", f"--vehicles={vehicles * 2}"]
    command += ["--driving-every=0", "--charging-every=0", "--vehicle-bucket=0", "--monthly-limit=0"]
    command += [f"--request-bucket={BUCKET}", f"--request-refill={PER_MINUTE:g}"]
    child = running.start("simulator", command)
    wait_until(lambda: answers(f"{running.simulator}/control/health"), what="the simulator", child=child)


def _connected(simulator: httpx.Client, *, cars: int) -> tuple[Fleet, User]:
    """A fleet of cars that stand unlocked and take a lock, each shared with us at the simulator."""
    from accounts.models import User
    from accounts.services import create_fleet
    from connect.models import Connection, ConnectionState
    from vehicles.models import Vehicle

    owner = User.objects.create_user("owner@fleet.example")
    fleet = create_fleet(name="Bench", slug="bench", owner=owner, api_version="v3")
    for number, car_id in enumerate(_shared(simulator, fleet, cars=cars)):
        vehicle = Vehicle.objects.create(fleet=fleet, smartcar_id=car_id[0], name=f"Car {number:04d}")
        Connection.objects.create(
            fleet=fleet,
            vehicle=vehicle,
            smartcar_user_id=car_id[1],
            api_version="v3",
            mode="simulated",
            state=ConnectionState.ACTIVE,
        )
    return fleet, owner


def _shared(simulator: httpx.Client, fleet: Fleet, *, cars: int) -> list[tuple[str, str]]:
    """(vehicle id, user id) of cars whose drivers have allowed everything."""
    from connect import oauth

    url = oauth.start(fleet=fleet, user=fleet.members.get(), session_secret="bench")
    calm = {"speed": 0, "asleep": False, "reachable": True, "doors": [], "is_locked": False}
    found: list[tuple[str, str]] = []
    offset = 0
    while len(found) < cars:
        page = simulator.get("/control/vehicles", params={"limit": 500, "offset": offset}).json()["vehicles"]
        offset += len(page)
        by_account: dict[str, list[str]] = {}
        for car in page:
            if car["account"] and simulator.patch(f"/control/vehicles/{car['id']}", json=calm).is_success:
                by_account.setdefault(car["account"], []).append(car["id"])
        for ids in by_account.values():
            granted = simulator.post("/control/grants", json={"url": url, "vehicleIds": ids}).json()
            user = granted["redirect"].partition("user_id=")[2].partition("&")[0]
            found += [(car_id, user) for car_id in ids]
    return found[:cars]


def _measure(fleet: Fleet, owner: User) -> None:
    """A few single commands before, from which a fleet in use knows what its cars take."""
    from commands import services
    from commands.models import Command, CommandState
    from commands.types import CommandType
    from vehicles.selectors import list_vehicles

    for vehicle in list_vehicles(fleet=fleet)[:SINGLES]:
        services.create_command(vehicle=vehicle, kind=CommandType.UNLOCK, user=owner)
    moving = Command.objects.filter(state__in=(CommandState.REQUESTED, CommandState.SENDING))
    wait_until(lambda: not moving.exists(), what="the first commands")


def _ask(fleet: Fleet, owner: User, *, cars: int) -> tuple[BulkCommand, float]:
    """The bulk command, and how many seconds its review said it would take."""
    from django.utils import timezone

    from commands.bulk import services
    from commands.types import CommandType
    from vehicles.selectors import list_vehicles

    vehicles = list(list_vehicles(fleet=fleet)[:cars])
    now = timezone.now()
    found = services.review_bulk_command(
        fleet=fleet, vehicles=vehicles, kind=CommandType.LOCK, data={}, now=now
    )
    bulk = services.create_bulk_command(
        fleet=fleet, user=owner, vehicles=vehicles, kind=CommandType.LOCK, data={}
    )
    return bulk, found.estimate.total_seconds()


def _watch(fleet: Fleet, owner: User, bulk: BulkCommand) -> tuple[Course, list[float]]:
    """Stands in for beat until the last has its answer; asks a few single cars in between.

    Returns the course, and how many seconds each single command waited for its sending.
    """
    from celery import current_app

    from commands import services
    from commands.models import Command, CommandState
    from commands.types import CommandType
    from vehicles.selectors import list_vehicles

    singles = list(list_vehicles(fleet=fleet).exclude(commands__bulk=bulk))
    moving = (CommandState.QUEUED, CommandState.REQUESTED, CommandState.SENDING, CommandState.RETRYING)
    course, began = Course(), time.monotonic()
    mine = Command.objects.filter(bulk=bulk)
    while mine.filter(state__in=moving).exists() and time.monotonic() - began < MOST_SECONDS:
        for name in ("dispatch", "sweep"):
            current_app.send_task(f"commands.tasks.{name}", queue="default")
        if singles:
            services.create_command(vehicle=singles.pop(), kind=CommandType.LOCK, user=owner)
        course.seconds.append(time.monotonic() - began)
        course.sent.append(mine.exclude(sent_at=None).count())
        time.sleep(5)
    rows = Command.objects.filter(bulk=None, kind=CommandType.LOCK).exclude(sent_at=None)
    waited = [(row.sent_at - row.requested_at).total_seconds() for row in rows if row.sent_at]
    return course, waited


def _result(
    simulator: httpx.Client, bulk: BulkCommand, estimate: float, course: Course, waited: list[float]
) -> Result:
    from commands.models import Command, CommandState

    seen = simulator.get("/control/requests", params={"path": "/commands/"}).json()["requests"]
    refused = sum(request["status"] == 429 for request in seen)
    rows = list(Command.objects.filter(bulk=bulk))
    sent = [row.sent_at for row in rows if row.sent_at]
    took = max((at - bulk.requested_at).total_seconds() for at in sent)
    locked = sum(row.state in (CommandState.ACCEPTED, CommandState.CONFIRMED) for row in rows)
    refused_by_cars = sum(row.state == CommandState.REFUSED for row in rows)
    figures = (
        Figure("cars asked", len(rows)),
        Figure("taken by the car", locked),
        Figure("refused by the car, with its reason", refused_by_cars),
        Figure.exactly("left without an answer", len(rows) - locked - refused_by_cars, "", target=0),
        Figure("seconds until the last was sent", took, "s"),
        Figure("the estimate before", estimate, "s"),
        Figure("estimate to reality", estimate / took, "", "0.7 to 1.3", 0.7 <= estimate / took <= 1.3),
        Figure.exactly("answered 429 by the simulator's bucket", refused, "", target=0),
        Figure("calls for each car", len(seen) / (len(rows) + len(waited))),
        Figure.under(
            "median wait of a single command meanwhile",
            statistics.median(waited) if waited else float("inf"),
            "s",
            target=5.0,
        ),
    )
    line = Series("sent", tuple(course.seconds), tuple(course.sent))
    plot = Plot("Bulk lock", "seconds since the asking", "commands sent", (line,))
    notes = (
        f"A bucket of {BUCKET} requests that regains {PER_MINUTE:g} a minute; Smartcar's regains 2, "
        f"so there a thousand cars take {PER_MINUTE / 2:g} times as long.",
    )
    return Result("bulk", "1,000 cars locked by one bulk command", figures, (plot,), notes)

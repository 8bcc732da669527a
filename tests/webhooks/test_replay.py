"""Selecting deliveries to reprocess, with the command and with the admin action."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Model
from django.test import Client
from django.utils import timezone

from accounts.models import User
from commands.models import Command, CommandEvent, CommandState
from commands.types import CommandType
from connect.models import Connection
from connect.status.models import PendingIssue, Transition
from tests.webhooks.helpers import PAYLOADS, payload, post, state_of
from vehicles import rollups
from vehicles.models import DayRollup, DirtyHour, HourRollup, LatestSignal, Reading, Vehicle
from webhooks import processing
from webhooks.models import DeliveryCadence, EntryState, InboxEntry, VehicleError

pytestmark = pytest.mark.django_db
AT = 1_760_000_000_000
DAY = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def entries() -> list[InboxEntry]:
    rows = [
        ("VEHICLE_STATE", "car-1", EntryState.PROCESSED, b"{}"),
        ("VEHICLE_ERROR", "car-1", EntryState.PROCESSED, b"{}"),
        ("VEHICLE_STATE", "car-2", EntryState.DEAD, b"{}"),
        ("OTHER", "car-3", EntryState.QUARANTINED, b"{}"),
        ("VEHICLE_STATE", "car-2", EntryState.PROCESSED, b""),
        ("", "", EntryState.WAITING, b"{}"),
    ]
    return [
        InboxEntry.objects.create(
            event_type=kind,
            smartcar_vehicle_id=vehicle_id,
            state=state,
            body=body,
            event_id=str(number),
            received_at=DAY + timedelta(days=number),
        )
        for number, (kind, vehicle_id, state, body) in enumerate(rows)
    ]


def run(*arguments: str) -> str:
    output = StringIO()
    call_command("replay", *arguments, stdout=output)
    return output.getvalue()


@pytest.mark.parametrize(
    ("arguments", "selected"),
    [
        (["--all"], [0, 1, 2, 3]),
        (["--failed"], [2, 3]),
        (["--type", "VEHICLE_STATE"], [0, 2]),
        (["--vehicle", "car-1"], [0, 1]),
        (["--since", "2026-11-02", "--until", "2026-11-04T00:00:00Z"], [1, 2]),
        (["--failed", "--type", "VEHICLE_STATE"], [2]),
    ],
)
def test_conditions_are_combined(
    entries: list[InboxEntry], arguments: list[str], selected: list[int]
) -> None:
    assert run(*arguments, "--dry-run").endswith(f": {len(selected)}\n")
    assert InboxEntry.objects.filter(state=EntryState.WAITING).count() == 1, "a dry run changes nothing"
    assert run(*arguments).endswith(f": {len(selected)}\n")
    waiting = InboxEntry.objects.filter(state=EntryState.WAITING).exclude(pk=entries[5].pk)
    assert list(waiting.order_by("id")) == [entries[number] for number in selected]


def test_deliveries_are_selected_by_id(entries: list[InboxEntry]) -> None:
    assert run(str(entries[1].pk), str(entries[4].pk)).endswith(": 1\n")
    entries[1].refresh_from_db()
    assert entries[1].state == EntryState.WAITING


@pytest.mark.parametrize("arguments", [[], ["--dry-run"], ["--all", "--failed"]])
def test_selection_is_required(arguments: list[str]) -> None:
    with pytest.raises(CommandError):
        run(*arguments)


def test_admin_action_queues_deliveries(
    vehicle: Vehicle, connection: Connection, run_enqueued: Callable[[], list[str]]
) -> None:
    post(state_of(vehicle.smartcar_id, locked=True, at=AT))
    processing.process_waiting()
    admin = User.objects.create_superuser("admin@fleet.example")
    browser = Client()
    browser.force_login(admin)
    form = {"action": "process_again", "_selected_action": [InboxEntry.objects.get().pk]}
    answer = browser.post("/admin/webhooks/inboxentry/", form, follow=True)
    assert "Deliveries queued for processing: 1" in answer.text
    assert InboxEntry.objects.get().state == EntryState.WAITING


def snapshot() -> dict[str, list[Any]]:
    """Returns all that processing records, row by row, without the processing times of the inbox."""
    recorded: dict[str, list[Any]] = {
        model.__name__: list(model._default_manager.order_by("pk").values()) for model in _RECORDED
    }
    inbox = list(InboxEntry.objects.order_by("pk").values("state", "note_code", "event_id", "event_type"))
    return {**recorded, "inbox": inbox}


_RECORDED: tuple[type[Model], ...] = (
    *(LatestSignal, Reading, DirtyHour, HourRollup, DayRollup, Vehicle),
    *(Connection, Transition, PendingIssue, Command, CommandEvent, VehicleError, DeliveryCadence),
)


def test_replaying_everything_changes_nothing(vehicle: Vehicle, connection: Connection, owner: User) -> None:
    lately = round(timezone.now().timestamp() * 1000) - 600_000
    command = Command.objects.create(
        fleet=vehicle.fleet,
        vehicle=vehicle,
        connection=connection,
        kind=CommandType.LOCK,
        api_version="v3",
        requested_by=owner,
        requested_at=timezone.now(),
        expires_at=timezone.now(),
        sent_at=datetime.fromtimestamp(lately / 1000 - 60, UTC),
        state=CommandState.ACCEPTED,
    )
    bodies = [
        state_of(
            vehicle.smartcar_id, event_id=f"event-{step}", locked=step % 2 == 1, at=lately + step * 60_000
        )
        for step in (3, 0, 2, 1, 2)
    ]
    for name in ("vehicle-error", "vehicle-error-authentication-failed", "vehicle-error-resolved"):
        smartcar_id = payload(f"documentation/{name}.json")["data"]["vehicle"]["id"]
        raw = (PAYLOADS / f"documentation/{name}.json").read_bytes()
        bodies.append(raw.replace(smartcar_id.encode(), vehicle.smartcar_id.encode()))
    bodies += [path.read_bytes() for path in sorted((PAYLOADS / "variants").glob("*.json"))]
    for body in bodies:
        post(body)
    processing.process_waiting()
    rollups.compute_rollups(now=timezone.now())
    before = snapshot()
    command.refresh_from_db()
    assert command.state == CommandState.CONFIRMED
    assert run("--all").endswith(f": {InboxEntry.objects.count()}\n")
    processing.process_waiting()
    rollups.compute_rollups(now=timezone.now())
    assert snapshot() == before

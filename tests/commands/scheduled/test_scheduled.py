"""Scheduled commands: sent once per occurrence, never late, never an unlock, and only while the member may send."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from accounts.audit import AuditEvent
from accounts.members import departures
from accounts.models import AuditLogEntry, Fleet, Membership, Role, User
from commands.models import BulkCommand, Command, CommandPolicy, ScheduledCommand, ScheduledRun
from commands.scheduled import services
from commands.scheduled.runner import LATENESS, run_due
from commands.scheduled.services import SCHEDULED_TYPES, Timing, create_schedule
from commands.services import CommandRejectedError
from commands.types import UNLOCKING, CommandType
from connect.models import Connection, ConnectionState
from vehicles.models import Vehicle

pytestmark = pytest.mark.django_db
BrowserOf = Callable[[User], Client]
LIST = "/fleets/blue/commands/scheduled/"
FORM = {"kind": "lock", "repeats": "weekly", "weekdays": ["0", "4"], "at": "20:00"}


def schedule(
    vehicle: Vehicle, user: User, *, kind: CommandType = CommandType.LOCK, timing: Timing | None = None
) -> ScheduledCommand:
    timing = timing or Timing(time(20), weekdays=range(7))
    return create_schedule(
        fleet=vehicle.fleet, user=user, vehicles=[vehicle], kind=kind, data={"percent": "80"}, timing=timing
    )


def due(planned: ScheduledCommand) -> datetime:
    planned.refresh_from_db()
    assert planned.next_at is not None
    return planned.next_at


def outcomes() -> list[str]:
    return list(ScheduledRun.objects.order_by("due_at").values_list("message_code", flat=True))


def test_it_is_sent_when_due_and_not_before(vehicle: Vehicle, connection: Connection, owner: User) -> None:
    planned = schedule(vehicle, owner)
    at = due(planned)
    assert run_due(now=at - timedelta(seconds=1)) == 0
    assert not Command.objects.exists()
    assert run_due(now=at + timedelta(seconds=10)) == 1
    command = Command.objects.get()
    assert (command.kind, command.vehicle, command.requested_by) == ("lock", vehicle, owner)
    assert outcomes() == ["schedule.sent"]
    assert due(planned) == at + timedelta(days=1)


def test_an_occurrence_is_sent_only_once(vehicle: Vehicle, connection: Connection, owner: User) -> None:
    planned = schedule(vehicle, owner)
    at = due(planned)
    stale = ScheduledCommand.objects.get(pk=planned.pk)
    run_due(now=at)
    assert run_due(now=at) == 0
    # Even if the claim were lost, the record of the occurrence prevents a second command.
    ScheduledCommand.objects.filter(pk=planned.pk).update(next_at=stale.next_at)
    run_due(now=at)
    assert BulkCommand.objects.count() == 1


def test_a_process_that_dies_while_sending_has_sent_nothing_and_the_next_run_sends(
    vehicle: Vehicle, connection: Connection, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = schedule(vehicle, owner)
    at = due(planned)
    with monkeypatch.context() as patched:
        patched.setattr(ScheduledRun.objects, "create", lambda **_: 1 / 0)
        assert run_due(now=at) == 0
    assert not Command.objects.exists()
    assert due(planned) == at
    run_due(now=at + timedelta(minutes=1))
    assert Command.objects.count() == 1


def test_a_missed_occurrence_is_skipped_and_the_next_one_is_sent(
    vehicle: Vehicle, connection: Connection, owner: User
) -> None:
    planned = schedule(vehicle, owner)
    at = due(planned)
    run_due(now=at + LATENESS + timedelta(days=2, seconds=1))
    assert outcomes() == ["schedule.missed"]
    assert not Command.objects.exists()
    run_due(now=due(planned))
    assert outcomes() == ["schedule.missed", "schedule.sent"]


def test_a_single_occurrence_is_the_last(vehicle: Vehicle, connection: Connection, owner: User) -> None:
    planned = schedule(vehicle, owner, timing=Timing(time(20), on=date(2040, 1, 1)))
    run_due(now=due(planned))
    planned.refresh_from_db()
    assert (planned.next_at, planned.over) == (None, True)
    assert outcomes() == ["schedule.sent"]


@pytest.mark.parametrize("kind", list(CommandType))
def test_only_harmless_commands_can_be_scheduled(vehicle: Vehicle, owner: User, kind: CommandType) -> None:
    if kind in SCHEDULED_TYPES:
        assert kind not in UNLOCKING
        assert schedule(vehicle, owner, kind=kind).kind == kind
        return
    with pytest.raises(CommandRejectedError):
        schedule(vehicle, owner, kind=kind)


def test_the_database_accepts_no_scheduled_unlock(vehicle: Vehicle, owner: User) -> None:
    planned = schedule(vehicle, owner)
    with pytest.raises(IntegrityError), transaction.atomic():
        ScheduledCommand.objects.filter(pk=planned.pk).update(kind="unlock")


@pytest.mark.parametrize(
    "timing", [Timing(time(20)), Timing(time(20), on=date(2020, 1, 1))], ids=["no day", "past"]
)
def test_a_time_that_never_comes_is_refused(vehicle: Vehicle, owner: User, timing: Timing) -> None:
    with pytest.raises(CommandRejectedError, match="This time has passed"):
        schedule(vehicle, owner, timing=timing)


def test_paused_it_sends_nothing_and_resumed_it_starts_with_the_next_occurrence(
    vehicle: Vehicle, connection: Connection, owner: User
) -> None:
    planned = schedule(vehicle, owner)
    at = due(planned)
    assert services.pause_schedule(schedule=planned, user=owner)
    assert not services.pause_schedule(schedule=planned, user=owner)
    assert run_due(now=at) == 0
    ScheduledCommand.objects.update(next_at=timezone.now() - timedelta(days=3))
    assert services.resume_schedule(schedule=planned, user=owner)
    assert due(planned) > timezone.now()
    assert not services.resume_schedule(schedule=planned, user=owner)
    assert not Command.objects.exists()


def test_it_follows_the_fleets_time_zone(vehicle: Vehicle, owner: User) -> None:
    planned = schedule(vehicle, owner)
    Fleet.objects.update(time_zone="Asia/Tokyo")
    run_due(now=timezone.now())
    assert due(planned).astimezone(UTC).hour == 11


@pytest.mark.parametrize("role", [None, Role.VIEWER])
def test_it_ends_with_the_members_permission(
    vehicle: Vehicle, connection: Connection, owner: User, teammate: User, role: Role | None
) -> None:
    planned, others = schedule(vehicle, teammate), schedule(vehicle, owner)
    at = due(planned)
    membership = Membership.objects.select_related("fleet", "user").get(user=teammate)
    if role is None:
        departures.end_membership(membership=membership, actor=owner)
    else:
        from accounts.permissions import lost_permissions

        lost = lost_permissions(before=membership.role, after=role)
        Membership.objects.filter(pk=membership.pk).update(role=role)
        departures.end_permissions(fleet=vehicle.fleet, user=teammate, lost=lost, actor=owner)
    planned.refresh_from_db()
    assert planned.over
    assert planned.ended_because.startswith("Ended: the member who scheduled it")
    assert AuditLogEntry.objects.filter(event=AuditEvent.SCHEDULE_ENDED, actor=owner).count() == 1
    run_due(now=at)
    assert {command.requested_by for command in Command.objects.all()} == {others.created_by}


def test_it_ends_when_due_if_the_permission_was_lost_unnoticed(
    vehicle: Vehicle, connection: Connection, teammate: User
) -> None:
    planned = schedule(vehicle, teammate)
    Membership.objects.filter(user=teammate).update(role=Role.VIEWER)
    run_due(now=due(planned))
    planned.refresh_from_db()
    assert (planned.ended_code, Command.objects.count()) == ("schedule.member_not_allowed", 0)


def test_what_cannot_be_sent_is_recorded_with_its_reason(
    vehicle: Vehicle, connection: Connection, owner: User
) -> None:
    planned = schedule(vehicle, owner)
    Connection.objects.update(state=ConnectionState.REMOVED)
    run_due(now=due(planned))
    CommandPolicy.objects.create(fleet=vehicle.fleet, reason_for="everything")
    run_due(now=due(planned))
    assert outcomes() == ["schedule.none_eligible", "schedule.reason_missing"]


@pytest.mark.parametrize(
    ("person", "sees", "changes"),
    [
        ("owner", 200, 302),
        ("teammate", 200, 302),
        ("viewer", 200, 403),
        ("driver", 403, 403),
        ("outsider", 404, 404),
    ],
)
def test_who_sees_and_changes_schedules(
    request: pytest.FixtureRequest,
    vehicle: Vehicle,
    owner: User,
    browser_of: BrowserOf,
    person: str,
    sees: int,
    changes: int,
) -> None:
    planned = schedule(vehicle, owner)
    browser = browser_of(request.getfixturevalue(person))
    listed = browser.get(LIST)
    assert listed.status_code == sees
    assert (b"/delete/" in listed.content) is (changes == 302)
    form = {**FORM, "vehicles": vehicle.smartcar_id}
    assert browser.post(f"{LIST}new/", form).status_code == changes
    assert browser.post(f"{LIST}{planned.pk}/pause/").status_code == changes
    assert browser.post(f"{LIST}{planned.pk}/delete/").status_code == changes
    expected = 1  # created and deleted one, or neither
    assert ScheduledCommand.objects.count() == expected


def test_the_form_schedules_for_the_chosen_vehicles_of_the_fleet(
    vehicle: Vehicle, owner: User, outsider: User, browser_of: BrowserOf
) -> None:
    red = Vehicle.objects.create(fleet=Fleet.objects.get(slug="red"), smartcar_id="red-1", name="Red van")
    browser = browser_of(owner)
    page = browser.post(f"{LIST}new/", {"vehicle": [vehicle.smartcar_id, red.smartcar_id]}).content.decode()
    assert "Van 1" in page
    assert "Red van" not in page
    browser.post(f"{LIST}new/", {**FORM, "vehicles": f"{vehicle.smartcar_id} {red.smartcar_id}"})
    planned = ScheduledCommand.objects.get()
    assert (list(planned.vehicles.all()), planned.weekdays) == ([vehicle], [0, 4])
    assert "Monday, Friday at 20:00" in browser.get(LIST).content.decode()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"weekdays": []}, "Select at least one day."),
        ({"repeats": "once"}, "Enter the date."),
        ({"repeats": "once", "on": "2020-01-01"}, "This time has passed"),
        ({"kind": "unlock"}, "Select a valid choice"),
        ({"kind": "set_charge_limit", "percent": "20"}, "whole number from 50 to 100 percent"),
    ],
)
def test_an_invalid_form_stores_nothing(
    vehicle: Vehicle, owner: User, browser_of: BrowserOf, change: dict[str, object], message: str
) -> None:
    form = {**FORM, "vehicles": vehicle.smartcar_id, **change}
    assert message in browser_of(owner).post(f"{LIST}new/", form).content.decode()
    assert not ScheduledCommand.objects.exists()


def test_the_vehicles_page_lists_what_is_scheduled_for_it(
    vehicle: Vehicle, connection: Connection, owner: User, browser_of: BrowserOf
) -> None:
    schedule(vehicle, owner)
    panel = browser_of(owner).get(f"/fleets/blue/vehicles/{vehicle.smartcar_id}/commands/").content.decode()
    assert "Every day at 20:00" in panel

"""Scheduling commands, pausing, ending and deleting schedules. Sending them is commands.scheduled.runner."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.audit import AuditEvent, AuditObject, log_event
from accounts.members import departures
from accounts.models import Fleet, Membership, User
from accounts.permissions import Permission
from commands import parameters, services
from commands.bulk.services import BULK_COMMAND_TYPES, MAX_VEHICLES
from commands.scheduled.messages import ScheduleMessage
from commands.scheduled.models import ScheduledCommand
from commands.scheduled.recurrence import next_occurrence
from commands.services import CommandRejectedError
from commands.types import UNLOCKING, CommandType
from vehicles.models import Vehicle

SCHEDULED_TYPES = tuple(kind for kind in BULK_COMMAND_TYPES if kind not in UNLOCKING)
MAX_SCHEDULES = 100


@dataclass(frozen=True, slots=True)
class Timing:
    """A time of day in the fleet's time zone, on one date or on weekdays (Monday is 0)."""

    at: time
    on: date | None = None
    weekdays: Collection[int] = ()


def register() -> None:
    """Registers the end of schedules whose member may no longer send commands."""
    departures.register(end_schedules_of_member, right=Permission.COMMAND)


@transaction.atomic
def create_schedule(
    *,
    fleet: Fleet,
    user: User,
    vehicles: Sequence[Vehicle],
    kind: CommandType,
    data: Mapping[str, object],
    timing: Timing,
    reason: str = "",
) -> ScheduledCommand:
    """Stores a scheduled command. The caller has checked the user's permission.

    Raises CommandRejectedError for a command that can't be scheduled, invalid parameters, no or too many vehicles, a
    missing reason, or a time that never comes.
    """
    if kind not in SCHEDULED_TYPES:
        raise CommandRejectedError(_("This command can't be scheduled. Send it from the vehicle's page."))
    if not vehicles or len(vehicles) > MAX_VEHICLES:
        raise CommandRejectedError(_("Select from 1 to %(most)d vehicles.") % {"most": MAX_VEHICLES})
    if open_schedules(fleet).count() >= MAX_SCHEDULES:
        raise CommandRejectedError(
            _("A fleet can have up to %(most)d scheduled commands. Delete one first.")
            % {"most": MAX_SCHEDULES}
        )
    services.check_reason(fleet=fleet, kind=kind, reason=reason.strip())
    try:
        params = parameters.parse(kind, data)
    except parameters.InvalidParametersError as error:
        raise CommandRejectedError(str(error)) from None
    now = timezone.now()
    schedule = ScheduledCommand(
        fleet=fleet,
        kind=kind,
        parameters=params,
        reason=reason.strip(),
        at=timing.at,
        on=timing.on,
        weekdays=sorted(set(timing.weekdays)),
        time_zone=fleet.time_zone,
        created_by=user,
        created_at=now,
    )
    schedule.next_at = following(schedule, after=now)
    if schedule.next_at is None:
        raise CommandRejectedError(
            _("This time has passed. Choose a later one, or at least one day of the week.")
        )
    schedule.save(force_insert=True)
    schedule.vehicles.set(vehicles)
    _log(schedule, AuditEvent.SCHEDULE_CREATED, user, vehicles=len(vehicles))
    return schedule


def open_schedules(fleet: Fleet) -> QuerySet[ScheduledCommand]:
    """Returns the fleet's schedules that may still send something."""
    return ScheduledCommand.objects.filter(fleet=fleet, ended_at=None, next_at__isnull=False)


def following(schedule: ScheduledCommand, *, after: datetime) -> datetime | None:
    """Returns the schedule's first occurrence after a moment, in its time zone; None if there are no more."""
    return next_occurrence(
        at=schedule.at, zone=schedule.time_zone, after=after, weekdays=schedule.weekdays, on=schedule.on
    )


@transaction.atomic
def pause_schedule(*, schedule: ScheduledCommand, user: User) -> bool:
    """Stops sending until it is resumed. Returns False if it was paused or over already."""
    rows = ScheduledCommand.objects.filter(
        pk=schedule.pk, paused_at=None, ended_at=None, next_at__isnull=False
    )
    paused = rows.update(paused_at=timezone.now()) == 1
    if paused:
        _log(schedule, AuditEvent.SCHEDULE_PAUSED, user)
    return paused


@transaction.atomic
def resume_schedule(*, schedule: ScheduledCommand, user: User) -> bool:
    """Sends again, from the next occurrence on. Returns False if it wasn't paused, or if there are no more."""
    locked = ScheduledCommand.objects.select_for_update().select_related("fleet")
    row = locked.filter(pk=schedule.pk, ended_at=None).exclude(paused_at=None).first()
    if row is None:
        return False
    row.time_zone, row.paused_at = row.fleet.time_zone, None
    row.next_at = following(row, after=timezone.now())
    row.save(update_fields=["time_zone", "paused_at", "next_at"])
    _log(row, AuditEvent.SCHEDULE_RESUMED, user)
    return row.next_at is not None


@transaction.atomic
def delete_schedule(*, schedule: ScheduledCommand, user: User) -> None:
    """Deletes the schedule. What it sent stays in the command history."""
    _log(schedule, AuditEvent.SCHEDULE_DELETED, user)
    schedule.delete()


@transaction.atomic
def end_schedules_of_member(*, fleet: Fleet, user: User, actor: User) -> None:
    """Ends what the user scheduled in the fleet, and logs each of them."""
    member = Membership.objects.filter(fleet=fleet, user=user).exists()
    code = ScheduleMessage.MEMBER_NOT_ALLOWED if member else ScheduleMessage.MEMBER_REMOVED
    for schedule in open_schedules(fleet).filter(created_by=user).select_for_update():
        end_schedule(schedule=schedule, why=code, actor=actor)


def end_schedule(*, schedule: ScheduledCommand, why: ScheduleMessage, actor: User | None) -> None:
    """Ends the schedule for good, and logs it. `actor` is None for the site itself."""
    ScheduledCommand.objects.filter(pk=schedule.pk).update(
        ended_at=timezone.now(), next_at=None, ended_code=why.value
    )
    _log(schedule, AuditEvent.SCHEDULE_ENDED, actor)


def _log(
    schedule: ScheduledCommand, event: AuditEvent, user: User | None, *, vehicles: int | None = None
) -> None:
    count = schedule.vehicles.count() if vehicles is None else vehicles
    log_event(
        fleet=schedule.fleet,
        actor=user,
        event=event,
        about=(AuditObject.SCHEDULED_COMMAND, schedule.pk),
        data={"command": schedule.kind, "vehicles": count},
    )

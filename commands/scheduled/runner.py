"""Sends scheduled commands when they are due: each occurrence at most once, and never late.

Claim, command and record are one transaction. A process that is killed before its end has sent nothing, and the next
run tries again; after LATENESS, the occurrence is skipped.
"""

import logging
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F

from accounts.models import Membership
from accounts.permissions import Permission, has_permission
from commands.bulk import services as bulk
from commands.bulk.models import BulkCommand
from commands.scheduled.messages import ScheduleMessage
from commands.scheduled.models import ScheduledCommand, ScheduledRun
from commands.scheduled.services import end_schedule, following
from commands.services import CommandRejectedError, get_policy
from commands.types import CommandType

logger = logging.getLogger(__name__)

LATENESS = timedelta(minutes=5)
_AT_ONCE = 100


def run_due(*, now: datetime) -> int:
    """Sends or skips what is due. Returns how many occurrences were handled."""
    _follow_time_zones(now)
    due = ScheduledCommand.objects.filter(next_at__lte=now, paused_at=None, ended_at=None)
    return sum(_handled(pk, now) for pk in due.order_by("next_at").values_list("pk", flat=True)[:_AT_ONCE])


def _follow_time_zones(now: datetime) -> None:
    """Computes the next occurrence again where the fleet has another time zone meanwhile."""
    moved = ScheduledCommand.objects.filter(next_at__gt=now, ended_at=None).exclude(
        time_zone=F("fleet__time_zone")
    )
    for schedule in moved.select_related("fleet")[:_AT_ONCE]:
        before = schedule.next_at
        schedule.time_zone = schedule.fleet.time_zone
        ScheduledCommand.objects.filter(pk=schedule.pk, next_at=before).update(
            time_zone=schedule.time_zone, next_at=following(schedule, after=now)
        )


def _handled(pk: int, now: datetime) -> bool:
    try:
        return _handle(pk, now)
    except Exception:
        logger.exception("Scheduled command %s couldn't be handled", pk)
        return False


@transaction.atomic
def _handle(pk: int, now: datetime) -> bool:
    """Claims the occurrence and sends or skips it. Returns False if another process has claimed it."""
    schedule = ScheduledCommand.objects.select_related("fleet", "created_by").get(pk=pk)
    due = schedule.next_at
    if due is None or due > now:
        return False
    claimable = ScheduledCommand.objects.filter(pk=pk, next_at=due, paused_at=None, ended_at=None)
    # What was missed during a long interruption is skipped with this occurrence.
    if not claimable.update(next_at=following(schedule, after=now)):
        return False
    if ended := _no_longer_allowed(schedule):
        end_schedule(schedule=schedule, why=ended, actor=None)
        return True
    code, created = (ScheduleMessage.MISSED, None) if now - due > LATENESS else _send(schedule, now)
    ScheduledRun.objects.create(schedule=schedule, due_at=due, at=now, message_code=code.value, bulk=created)
    return True


def _no_longer_allowed(schedule: ScheduledCommand) -> ScheduleMessage | None:
    """Returns why the member may not send it, or None. Locks the membership, so that it can't end meanwhile."""
    user = schedule.created_by
    if user is None:
        return ScheduleMessage.USER_DELETED
    memberships = Membership.objects.select_for_update().filter(fleet=schedule.fleet, user=user)
    membership = memberships.first()
    if membership is None or not user.is_active:
        return ScheduleMessage.MEMBER_REMOVED
    if not has_permission(membership=membership, right=Permission.COMMAND):
        return ScheduleMessage.MEMBER_NOT_ALLOWED
    return None


def _send(schedule: ScheduledCommand, now: datetime) -> tuple[ScheduleMessage, BulkCommand | None]:
    kind, vehicles, user = CommandType(schedule.kind), list(schedule.vehicles.all()), schedule.created_by
    if not schedule.reason and get_policy(fleet=schedule.fleet).needs_reason(kind):
        return ScheduleMessage.REASON_MISSING, None
    try:
        review = bulk.review_bulk_command(
            fleet=schedule.fleet, vehicles=vehicles, kind=kind, data=schedule.parameters, now=now
        )
        if review.too_many:
            return ScheduleMessage.TOO_MANY, None
        if user is None or not review.eligible:
            return ScheduleMessage.NONE_ELIGIBLE, None
        created = bulk.create_bulk_command(
            fleet=schedule.fleet,
            user=user,
            vehicles=vehicles,
            kind=kind,
            data=schedule.parameters,
            reason=schedule.reason,
        )
    except CommandRejectedError:
        return ScheduleMessage.NONE_ELIGIBLE, None
    return ScheduleMessage.SENT, created

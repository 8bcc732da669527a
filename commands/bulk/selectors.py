"""Reading bulk commands, and what limits their pace."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Avg, Count, F

from accounts.models import Fleet
from commands.bulk.eta import Throughput
from commands.bulk.models import BulkCommand
from commands.models import Command, CommandState
from connect import applications
from smartcar_api.ratelimit import bucket
from smartcar_api.ratelimit.middleware import bucket_id

# What a command takes while the fleet has not measured it: most cars answer within ten seconds or so.
TYPICAL_SECONDS = 12.0
_MEASURED_FOR = timedelta(days=30)


def get_bulk_command(*, fleet: Fleet, pk: int) -> BulkCommand | None:
    """The fleet's bulk command, or None."""
    return BulkCommand.objects.select_related("fleet", "requested_by").filter(fleet=fleet, pk=pk).first()


def list_recent(*, fleet: Fleet, limit: int = 20) -> list[BulkCommand]:
    """The fleet's newest bulk commands."""
    return list(BulkCommand.objects.select_related("requested_by").filter(fleet=fleet)[:limit])


def count_by_state(*, bulk: BulkCommand) -> Mapping[str, int]:
    """How many of its commands are in each state."""
    rows = Command.objects.filter(bulk=bulk).order_by().values_list("state").annotate(Count("pk"))
    return dict(rows)


def current_throughput(*, fleet: Fleet, now: datetime) -> Throughput:
    """What limits the fleet's commands now."""
    credentials = applications.for_fleet(fleet).credentials
    return Throughput(
        room=bucket.left(bucket_id(credentials)),
        per_minute=bucket.Size.from_settings().per_minute,
        at_once=settings.BULK_COMMAND_CONCURRENCY,
        seconds=_typical_seconds(fleet, now),
    )


def _typical_seconds(fleet: Fleet, now: datetime) -> float:
    """What the fleet's commands lately took from their sending to Smartcar's answer."""
    answered = Command.objects.filter(
        fleet=fleet, requested_at__gt=now - _MEASURED_FOR, accepted_at__gt=F("sent_at")
    ).exclude(state__in=(CommandState.UNKNOWN, CommandState.RETRYING))
    taken = answered.aggregate(mean=Avg(F("accepted_at") - F("sent_at")))["mean"]
    return max(1.0, taken.total_seconds()) if taken else TYPICAL_SECONDS

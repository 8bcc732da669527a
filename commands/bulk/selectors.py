"""Queries for bulk commands and their throughput."""

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

# Assumed duration of a command until the fleet has measured its own: most vehicles respond within about ten seconds.
TYPICAL_SECONDS = 12.0
# The command wasn't carried out. What is unknown may have been, so it isn't repeated.
NOT_DONE = (CommandState.REFUSED, CommandState.FAILED, CommandState.EXPIRED, CommandState.CANCELLED)
_MEASURED_FOR = timedelta(days=30)


def get_bulk_command(*, fleet: Fleet, pk: int) -> BulkCommand | None:
    """Returns the fleet's bulk command, or None."""
    return BulkCommand.objects.select_related("fleet", "requested_by").filter(fleet=fleet, pk=pk).first()


def list_recent(*, fleet: Fleet, limit: int = 20) -> list[BulkCommand]:
    """Returns the fleet's newest bulk commands."""
    return list(BulkCommand.objects.select_related("requested_by").filter(fleet=fleet)[:limit])


def count_by_state(*, bulk: BulkCommand) -> Mapping[str, int]:
    """Returns the number of its commands in each state."""
    rows = Command.objects.filter(bulk=bulk).order_by().values_list("state").annotate(Count("pk"))
    return dict(rows)


def failed_vehicle_ids(*, fleet: Fleet, bulk_id: int) -> set[str]:
    """Returns the Smartcar IDs of the vehicles for which the fleet's bulk command has failed."""
    failed = Command.objects.filter(fleet=fleet, bulk=bulk_id, state__in=NOT_DONE)
    return set(failed.values_list("vehicle__smartcar_id", flat=True))


def current_throughput(*, fleet: Fleet, now: datetime) -> Throughput:
    """Returns what currently limits the fleet's commands."""
    credentials = applications.for_fleet(fleet).credentials
    return Throughput(
        available=bucket.left(bucket_id(credentials)),
        per_minute=bucket.Size.from_settings().per_minute,
        concurrency=settings.BULK_COMMAND_CONCURRENCY,
        seconds=_typical_seconds(fleet, now),
    )


def _typical_seconds(fleet: Fleet, now: datetime) -> float:
    """Returns the mean time from sending to Smartcar's response among the fleet's recent commands."""
    answered = Command.objects.filter(
        fleet=fleet, requested_at__gt=now - _MEASURED_FOR, accepted_at__gt=F("sent_at")
    ).exclude(state__in=(CommandState.UNKNOWN, CommandState.RETRYING))
    duration = answered.aggregate(mean=Avg(F("accepted_at") - F("sent_at")))["mean"]
    return max(1.0, duration.total_seconds()) if duration else TYPICAL_SECONDS

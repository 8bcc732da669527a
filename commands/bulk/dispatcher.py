"""Releasing queued bulk commands, as fast as the request budget and the commands in progress allow.

Each run releases what is possible now and leaves the rest to the next run. Members' single commands take precedence:
they are enqueued immediately, and part of the request budget is reserved for them.
"""

from datetime import datetime

from django.db import connection, transaction
from django.db.models import QuerySet

from accounts.models import Fleet
from commands.bulk.selectors import current_throughput
from commands.confirmation import release
from commands.models import UNDELIVERED, Command, CommandState
from connect import applications
from smartcar_api.ratelimit.middleware import bucket_id

_LOCK = 0x62756C6B


def dispatch_queued(*, now: datetime) -> int:
    """Releases the oldest queued commands, as many as possible.

    Returns their number. A concurrent second run does nothing.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        (locked,) = cursor.fetchone() or (False,)
        queued = _by_application(_queued(now)) if locked else []
        return sum(_dispatch_application(fleets, now, share=len(queued)) for fleets in queued)


def _queued(now: datetime) -> QuerySet[Command]:
    return Command.objects.filter(state=CommandState.QUEUED, expires_at__gt=now)


def _by_application(queued: QuerySet[Command]) -> list[list[Fleet]]:
    """Returns the fleets with queued commands, grouped by application: each application has one request budget."""
    together: dict[str, list[Fleet]] = {}
    for fleet in Fleet.objects.filter(pk__in=queued.order_by().values("fleet_id").distinct()):
        together.setdefault(bucket_id(applications.for_fleet(fleet).credentials), []).append(fleet)
    return list(together.values())


def _dispatch_application(fleets: list[Fleet], now: datetime, *, share: int) -> int:
    """Releases commands of one application's fleets.

    Workers are divided among `share` applications with queued commands.
    """
    throughput = current_throughput(fleet=fleets[0], now=now)
    under_way = Command.objects.filter(bulk__isnull=False, state__in=UNDELIVERED)
    own_slots = max(1, throughput.concurrency // share) - under_way.filter(fleet__in=fleets).count()
    slots = min(own_slots, throughput.concurrency - under_way.count())
    available = slots if throughput.free is None else min(slots, throughput.free)
    if available <= 0:
        return 0
    # A vehicle with a command in progress is skipped and doesn't lose its place in the queue.
    busy = Command.objects.filter(fleet__in=fleets, state__in=UNDELIVERED).values("vehicle_id")
    queued = _queued(now).filter(fleet__in=fleets).exclude(vehicle_id__in=busy)
    first = queued.select_related("vehicle").order_by("requested_at", "pk")[:available]
    return sum(release(command, from_state=CommandState.QUEUED, now=now) for command in first)

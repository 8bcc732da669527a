"""Letting bulk commands go, as fast as the request budget and the cars under way let them.

Each run lets go of what there is room for now; what is left waits for the next run. Single commands of people go
first: they are rung for at once, and a part of the bucket is kept for them.
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
    """Sends on what there is room for, oldest first. Returns how many. A second run at the same time does nothing."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        (mine,) = cursor.fetchone() or (False,)
        waiting = _by_application(_queued(now)) if mine else []
        return sum(_dispatch_application(fleets, now, share=len(waiting)) for fleets in waiting)


def _queued(now: datetime) -> QuerySet[Command]:
    return Command.objects.filter(state=CommandState.QUEUED, expires_at__gt=now)


def _by_application(queued: QuerySet[Command]) -> list[list[Fleet]]:
    """Fleets with queued commands, those that share an application together: they share its bucket."""
    together: dict[str, list[Fleet]] = {}
    for fleet in Fleet.objects.filter(pk__in=queued.order_by().values("fleet_id").distinct()):
        together.setdefault(bucket_id(applications.for_fleet(fleet).credentials), []).append(fleet)
    return list(together.values())


def _dispatch_application(fleets: list[Fleet], now: datetime, *, share: int) -> int:
    """Of the fleets of one application. All applications share the workers, `share` of them have commands queued."""
    pace = current_throughput(fleet=fleets[0], now=now)
    under_way = Command.objects.filter(bulk__isnull=False, state__in=UNDELIVERED)
    own = max(1, pace.at_once // share) - under_way.filter(fleet__in=fleets).count()
    places = min(own, pace.at_once - under_way.count())
    room = places if pace.free is None else min(places, pace.free)
    if room <= 0:
        return 0
    # A car with a command under way keeps its place in the queue and is passed over.
    busy = Command.objects.filter(fleet__in=fleets, state__in=UNDELIVERED).values("vehicle_id")
    waiting = _queued(now).filter(fleet__in=fleets).exclude(vehicle_id__in=busy)
    first = waiting.select_related("vehicle").order_by("requested_at", "pk")[:room]
    return sum(release(command, come_from=CommandState.QUEUED, now=now) for command in first)

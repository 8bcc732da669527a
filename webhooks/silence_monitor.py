"""Tracks how often each vehicle delivers, and fetches vehicles that haven't delivered for much longer than usual.

A vehicle's usual interval is the mean of the intervals between its deliveries, weighted by their length and decaying
within a day, so that nights without data count as much as days. The initial value is Smartcar's documented interval for
the make. An overdue vehicle is fetched through the API; if it still doesn't deliver, less and less often.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson
from django.db import connection, models, transaction
from django.db.models import Exists, ExpressionWrapper, OuterRef, Q, QuerySet, Value, Window
from django.db.models.functions import Greatest, RowNumber

from connect import health
from connect.models import Connection
from connect.status.states import USABLE
from core.task_queue import enqueue_on_commit
from vehicles.models import Vehicle
from vehicles.reporting_intervals import documented_interval

# The time constant with which earlier intervals lose weight.
DECAY = timedelta(days=1)
# A vehicle is overdue after this many times its usual interval.
OVERDUE_FACTOR = 3
FIRST_PAUSE = timedelta(hours=1)
MAX_PAUSE = timedelta(days=2)
# The first delivery normally arrives immediately after the subscription.
NEVER_DELIVERED = timedelta(minutes=5)
MAX_POLLS = 20

_GAP = "extract(epoch FROM excluded.last_delivery_at - known.last_delivery_at)::float"
_RECORD_DELIVERIES = f"""
    INSERT INTO webhooks_rhythm AS known (vehicle_id, last_delivery_at, usual_seconds, documented_seconds, reads)
    SELECT vehicle_id, at, documented, documented, 0
    FROM json_to_recordset(%s::json) AS row (vehicle_id bigint, at timestamptz, documented float)
    ON CONFLICT (vehicle_id) DO UPDATE SET
        usual_seconds = coalesce(
            known.usual_seconds + ({_GAP} - known.usual_seconds) * (1 - exp(-{_GAP} / {DECAY.total_seconds()})),
            known.usual_seconds
        ),
        last_delivery_at = excluded.last_delivery_at, documented_seconds = excluded.documented_seconds,
        reads = 0, next_read_at = NULL
    WHERE known.last_delivery_at IS NULL OR excluded.last_delivery_at > known.last_delivery_at
"""  # noqa: S608  built from constants only


class DeliveryCadence(models.Model):
    """A vehicle's last delivery and the usual interval between its deliveries, in seconds.

    `reads` is the number of fetches since the last delivery. The next one is made at `next_read_at` or later.
    """

    vehicle = models.OneToOneField(Vehicle, on_delete=models.CASCADE, primary_key=True, related_name="rhythm")
    last_delivery_at = models.DateTimeField(null=True, blank=True)
    usual_seconds = models.FloatField()
    documented_seconds = models.FloatField()
    reads = models.PositiveSmallIntegerField(default=0)
    next_read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "webhooks_rhythm"

    def __str__(self) -> str:
        return f"No data for {self.usual_seconds:.0f} s as a rule"

    @property
    def threshold(self) -> timedelta:
        """The time without deliveries after which the vehicle is overdue."""
        return timedelta(seconds=OVERDUE_FACTOR * max(self.usual_seconds, self.documented_seconds))


@dataclass(frozen=True, slots=True)
class VehicleDelivery:
    """The time of a vehicle's newest delivery in a batch, and its make in Smartcar's spelling."""

    at: datetime
    make: str


def record_deliveries(deliveries: Mapping[int, VehicleDelivery]) -> None:
    """Records deliveries by vehicle ID in one query. Those older than a vehicle's last delivery change nothing."""
    rows = [
        {"vehicle_id": pk, "at": each.at, "documented": documented_interval(each.make).total_seconds()}
        for pk, each in sorted(deliveries.items(), key=lambda item: item[0])
    ]
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(_RECORD_DELIVERIES, [orjson.dumps(rows).decode()])


def poll_silent(*, now: datetime) -> list[int]:
    """Enqueues fetches of overdue vehicles, the longest due of each fleet first. Returns the IDs of their connections.

    A fetch is counted before it is made. If it is lost, the next one follows after the pause, not at once.
    """
    with transaction.atomic():
        _note_undelivered(now=now)
        overdue = _overdue(now=now)
        usable = health.best_connections(vehicle_ids=[cadence.vehicle_id for cadence in overdue])
        for cadence in overdue:
            cadence.reads += 1
            cadence.next_read_at = now + min(MAX_PAUSE, FIRST_PAUSE * 2 ** (cadence.reads - 1))
            cadence.save(update_fields=["reads", "next_read_at"])
        connections = [usable[cadence.vehicle_id].pk for cadence in overdue if cadence.vehicle_id in usable]
        for connection_id in connections:
            enqueue_on_commit("webhooks.tasks.fetch_vehicle", connection_id)
    return connections


def defer(*, vehicle_id: int, until: datetime) -> None:
    """Doesn't count a fetch that the request budget deferred, and schedules the next one."""
    DeliveryCadence.objects.filter(vehicle_id=vehicle_id, reads__gt=0).update(
        reads=models.F("reads") - 1, next_read_at=until
    )


def _subscribed() -> QuerySet[Connection]:
    return Connection.objects.filter(state__in=USABLE, subscribed_at__isnull=False)


def _note_undelivered(*, now: datetime) -> None:
    """Creates rows for vehicles that should have delivered by now and never did, so that they are fetched, too."""
    overdue = _subscribed().filter(
        subscribed_at__lte=now - NEVER_DELIVERED, vehicle__last_seen_at=None, vehicle__rhythm=None
    )
    documented = {
        pk: documented_interval(make).total_seconds()
        for pk, make in overdue.values_list("vehicle_id", "vehicle__make")[:MAX_POLLS]
    }
    DeliveryCadence.objects.bulk_create(
        (
            DeliveryCadence(vehicle_id=pk, usual_seconds=seconds, documented_seconds=seconds)
            for pk, seconds in documented.items()
        ),
        ignore_conflicts=True,
    )


def _overdue(*, now: datetime) -> list[DeliveryCadence]:
    threshold = ExpressionWrapper(
        Greatest("usual_seconds", "documented_seconds") * Value(timedelta(seconds=OVERDUE_FACTOR)),
        output_field=models.DurationField(),
    )
    overdue = Q(last_delivery_at=None) | Q(last_delivery_at__lte=Value(now) - threshold)
    due = Q(next_read_at=None) | Q(next_read_at__lte=now)
    subscribed = Exists(_subscribed().filter(vehicle_id=OuterRef("pk")))
    found = DeliveryCadence.objects.filter(overdue, due, subscribed).order_by(
        "next_read_at", "last_delivery_at"
    )
    # Fleets take turns: they share the request budget, and one may have more silent vehicles than all others.
    turn = Window(RowNumber(), partition_by="vehicle__fleet", order_by=["next_read_at", "last_delivery_at"])
    first = found.annotate(turn=turn).order_by("turn", "next_read_at", "last_delivery_at")
    ids = list(first.values_list("pk", flat=True)[:MAX_POLLS])
    return list(found.filter(pk__in=ids).select_for_update(skip_locked=True))

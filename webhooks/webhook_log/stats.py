"""Statistics of the inbox that are cheap to compute for any number of entries.

Each is a count over a short period, or over a partial index of the few unfinished entries, up to a bound.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from django.db.models import Count, Min, Q, QuerySet, Sum
from django.utils import timezone
from django.utils.formats import number_format

from webhooks.models import EntryState, InboxEntry, RejectedDeliveryCount, Source
from webhooks.rejections import RejectionReason
from webhooks.webhook_log.visibility import LogScope, newest_id

COUNT_BOUND = 1_000
_RATE_WINDOW = timedelta(minutes=5)
_RATE_SAMPLE = 5_000
_DELAY_WINDOW = timedelta(hours=1)
_DELAY_SAMPLE = 100
_REFUSED_DAYS = 7


@dataclass(frozen=True, slots=True)
class BoundedCount:
    """A count that stops above COUNT_BOUND."""

    number: int

    def __bool__(self) -> bool:
        return self.number > 0

    def __str__(self) -> str:
        written = number_format(min(self.number, COUNT_BOUND), force_grouping=True)
        return f"{written}+" if self.number > COUNT_BOUND else written


@dataclass(frozen=True, slots=True)
class RejectedDeliveries:
    """The number of requests rejected for one reason."""

    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class WebhookStats:
    """The statistics above the list. `delay` is in seconds, None if there is nothing to measure."""

    per_minute: float
    delay: float | None
    oldest_waiting_at: datetime | None
    waiting: BoundedCount
    failing: BoundedCount
    quarantined: BoundedCount
    dead: BoundedCount
    refused: tuple[RejectedDeliveries, ...]


def get_stats(*, scope: LogScope) -> WebhookStats:
    """Returns the statistics of a fleet or the site.

    Queued deliveries are counted for the whole site, since their fleet isn't known before processing.
    """
    now = timezone.now()
    waiting = InboxEntry.objects.filter(state=EntryState.WAITING).order_by()
    entries = scope.entries()
    return WebhookStats(
        per_minute=_per_minute(scope, entries, now=now),
        delay=_delay(scope, entries, now=now),
        oldest_waiting_at=waiting.filter(attempts=0).aggregate(oldest=Min("received_at"))["oldest"],
        waiting=_bounded(waiting),
        failing=_bounded(entries.filter(state=EntryState.WAITING, attempts__gt=0)),
        quarantined=_bounded(entries.filter(state=EntryState.QUARANTINED)),
        dead=_bounded(entries.filter(state=EntryState.DEAD)),
        refused=() if scope.fleet else _refused(now=now),
    )


def _bounded(entries: QuerySet[InboxEntry]) -> BoundedCount:
    return BoundedCount(entries.order_by()[: COUNT_BOUND + 1].count())


def _per_minute(scope: LogScope, entries: QuerySet[InboxEntry], *, now: datetime) -> float:
    """Returns webhook deliveries per minute over the last minutes, or over the last few thousand on a busy site."""
    since = now - _RATE_WINDOW
    if scope.fleet is not None:
        received = entries.filter(received_at__gte=since, source=Source.WEBHOOK)
        return received.count() / _minutes(_RATE_WINDOW)
    newest = newest_id()
    sample = InboxEntry.objects.filter(id__gt=newest - _RATE_SAMPLE).order_by()
    seen = sample.aggregate(
        count=Count("id", filter=Q(received_at__gte=since, source=Source.WEBHOOK)), oldest=Min("received_at")
    )
    if not seen["count"]:
        return 0
    reaches_back = newest > _RATE_SAMPLE and seen["oldest"] > since
    span = max(now - seen["oldest"], timedelta(seconds=1)) if reaches_back else _RATE_WINDOW
    return float(seen["count"] / _minutes(span))


def _minutes(span: timedelta) -> float:
    return span / timedelta(minutes=1)


def _delay(scope: LogScope, entries: QuerySet[InboxEntry], *, now: datetime) -> float | None:
    """Returns the median time in seconds from the receipt of the newest deliveries until they were processed."""
    done = entries.filter(
        state=EntryState.PROCESSED, received_at__gte=now - _DELAY_WINDOW, processed_at__isnull=False
    )
    if scope.fleet is None:  # without this, the whole inbox of a site with few deliveries would be scanned
        done = done.filter(id__gt=newest_id() - _RATE_SAMPLE)
    times = list(done.values_list("received_at", "processed_at")[:_DELAY_SAMPLE])
    took = [(done - received).total_seconds() for received, done in times if done is not None]
    return median(took) if took else None


def _refused(*, now: datetime) -> tuple[RejectedDeliveries, ...]:
    """Returns the rejected requests of the last days, by reason."""
    recent = RejectedDeliveryCount.objects.filter(day__gt=(now - timedelta(days=_REFUSED_DAYS)).date())
    counts = recent.order_by().values_list("reason").annotate(total=Sum("count")).order_by("-total")
    labels = dict(RejectionReason.choices)
    return tuple(RejectedDeliveries(str(labels.get(reason, reason)), total) for reason, total in counts)

"""Reprocesses deliveries, for the command, the admin action and the webhook log's button.

What was recorded before isn't recorded twice: replaying everything changes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from core.task_queue import enqueue_on_commit
from webhooks.models import EntryState, InboxEntry

BATCH = 5000
_FAILED = (EntryState.DEAD, EntryState.QUARANTINED)


@dataclass(frozen=True, slots=True)
class Choice:
    """Conditions for selecting deliveries. All given conditions must match; without any, all deliveries match.

    `failed` selects undeliverable and quarantined deliveries. `event_type` and `smartcar_vehicle_id` are Smartcar's
    values. `since` (inclusive) and `until` (exclusive) limit the time of receipt.
    """

    ids: Sequence[int] = ()
    failed: bool = False
    event_type: str = ""
    smartcar_vehicle_id: str = ""
    since: datetime | None = None
    until: datetime | None = None

    def entries(self) -> QuerySet[InboxEntry]:
        """Returns the matching deliveries that can be reprocessed."""
        conditions = {
            "pk__in": self.ids,
            "state__in": _FAILED if self.failed else (),
            "event_type": self.event_type,
            "smartcar_vehicle_id": self.smartcar_vehicle_id,
            "received_at__gte": self.since,
            "received_at__lt": self.until,
        }
        active = {name: value for name, value in conditions.items() if value}
        return replayable(InboxEntry.objects.filter(**active))


def replayable(entries: QuerySet[InboxEntry]) -> QuerySet[InboxEntry]:
    """Returns the entries that can be reprocessed: not queued, and with a body.

    A body is deleted if it contained a location that the driver hides, and when it is old (webhooks.retention).
    """
    return entries.exclude(state=EntryState.WAITING).exclude(body=b"")


def replay(*, entries: QuerySet[InboxEntry]) -> int:
    """Queues the entries again with all their attempts, enqueues processing and returns how many."""
    done, last = 0, 0
    selected = replayable(entries).order_by("pk").values_list("pk", flat=True)
    while ids := list(selected.filter(pk__gt=last)[:BATCH]):
        with transaction.atomic():
            done += replayable(InboxEntry.objects.filter(pk__in=ids)).update(
                state=EntryState.WAITING,
                attempts=0,
                next_try_at=None,
                note_code="",
                note_params={},
                traceback="",
            )
            enqueue_on_commit("webhooks.tasks.process_inbox")
        last = ids[-1]
    return done

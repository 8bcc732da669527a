"""Processing messages again. What was recorded before is not recorded twice: replaying everything changes nothing.

The command, the admin's action and the inbox page's button all come here.
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
    """Which messages: all conditions that are given hold together; without any, all messages.

    `failed` are dead letters and what is in quarantine; `event_type` and `smartcar_vehicle_id` are as Smartcar writes
    them; `since` and `until` bound when a message was received (`until` is not included).
    """

    ids: Sequence[int] = ()
    failed: bool = False
    event_type: str = ""
    smartcar_vehicle_id: str = ""
    since: datetime | None = None
    until: datetime | None = None

    def entries(self) -> QuerySet[InboxEntry]:
        """The messages, as far as they can be processed again."""
        conditions = {
            "pk__in": self.ids,
            "state__in": _FAILED if self.failed else (),
            "event_type": self.event_type,
            "smartcar_vehicle_id": self.smartcar_vehicle_id,
            "received_at__gte": self.since,
            "received_at__lt": self.until,
        }
        given = {name: value for name, value in conditions.items() if value}
        return replayable(InboxEntry.objects.filter(**given))


def replayable(entries: QuerySet[InboxEntry]) -> QuerySet[InboxEntry]:
    """Those that can be processed again: not what still waits, and not what was not kept, or no longer is.

    A body is not kept where it told a place that its driver hides, or once it is old (webhooks.retention).
    """
    return entries.exclude(state=EntryState.WAITING).exclude(body=b"")


def replay(*, entries: QuerySet[InboxEntry]) -> int:
    """Puts messages back to waiting, with fresh attempts, and rings for them. Returns how many."""
    done, last = 0, 0
    chosen = replayable(entries).order_by("pk").values_list("pk", flat=True)
    while ids := list(chosen.filter(pk__gt=last)[:BATCH]):
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

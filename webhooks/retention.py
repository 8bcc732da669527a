"""Removes old deliveries from the webhook log.

The body of a processed delivery is retained for WEBHOOK_RETENTION_DAYS, so that it can be viewed and reprocessed. Its
row, with the event ID that identifies duplicates, is retained as long, and for at least a week (Smartcar documentation,
"Reliability": keep seen IDs for 7 days or more). Quarantined and undeliverable deliveries are retained for
WEBHOOK_QUARANTINE_RETENTION_DAYS, as long as an application has no more than UNRECORDED_BYTES of deliveries that
weren't recorded: whoever has its token can sign as many as they like.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile

from django.conf import settings
from django.db import connection
from django.db.models import F, Func, IntegerField

from webhooks.models import EntryState, InboxEntry

MIN_ID_RETENTION = timedelta(days=7)
BATCH = 1000
UNRECORDED_BYTES = 2**30

_DONE = (EntryState.PROCESSED, EntryState.DUPLICATE, EntryState.TEST)


# Newest first, until the limit is reached. The length of a body is known without reading it.
_BEYOND_LIMIT = """
    SELECT id FROM (
        SELECT id, sum(octet_length(body)) OVER (PARTITION BY application_id ORDER BY id DESC) AS total
        FROM webhooks_inboxentry
        WHERE state NOT IN (%(waiting)s, %(processed)s)
    ) AS unrecorded
    WHERE total > %(limit)s ORDER BY id LIMIT %(batch)s
"""


@dataclass(frozen=True, slots=True)
class _Entry:
    pk: int
    received_at: datetime
    state: str
    length: int


def purge(*, now: datetime) -> int:
    """Deletes or empties old entries, one batch at a time. Returns how many were changed."""
    bodies = timedelta(days=settings.WEBHOOK_RETENTION_DAYS)
    rows = max(bodies, MIN_ID_RETENTION)
    quarantined = max(rows, timedelta(days=settings.WEBHOOK_QUARANTINE_RETENTION_DAYS))
    touched = 0
    # IDs increase with time, so all entries after the first batch of recent ones are recent.
    old = takewhile(lambda batch: batch[0].received_at < now - bodies, _batches())
    for batch in old:
        deleted, emptied = [], []
        for entry in batch:
            age = now - entry.received_at
            if (entry.state in _DONE and age > rows) or (
                entry.state != EntryState.WAITING and age > quarantined
            ):
                deleted.append(entry.pk)
            elif entry.state in _DONE and age > bodies and entry.length:
                emptied.append(entry.pk)
        touched += InboxEntry.objects.filter(pk__in=deleted).delete()[0]
        touched += InboxEntry.objects.filter(pk__in=emptied).update(body=b"", traceback="")
    return touched


def trim_unrecorded() -> int:
    """Deletes the oldest unrecorded deliveries of applications that have too many. Returns how many."""
    parameters: dict[str, str | int] = {
        "waiting": EntryState.WAITING.value,
        "processed": EntryState.PROCESSED.value,
        "limit": UNRECORDED_BYTES,
        "batch": BATCH,
    }
    deleted = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(_BEYOND_LIMIT, parameters)
            ids = [pk for (pk,) in cursor.fetchall()]
        if not ids:
            return deleted
        deleted += InboxEntry.objects.filter(pk__in=ids).delete()[0]


def _batches() -> Iterator[list[_Entry]]:
    """Yields all entries without their bodies, oldest first."""
    length = Func(F("body"), function="octet_length", output_field=IntegerField())
    entries = InboxEntry.objects.order_by("pk").values_list("pk", "received_at", "state", length)
    last = 0
    while batch := [_Entry(*row) for row in entries.filter(pk__gt=last)[:BATCH]]:
        yield batch
        last = batch[-1].pk

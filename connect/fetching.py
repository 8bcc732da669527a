"""Vehicles that are due to be fetched through the API. Lower layers record the request; webhooks.polling fetches."""

from datetime import datetime

from django.db import transaction

from connect.models import Connection

_BATCH = 200


def request_fetch(*, connection_id: int, now: datetime) -> None:
    """Records that the vehicle is due to be fetched through this connection. An earlier request stays as it is."""
    Connection.objects.filter(pk=connection_id, fetch_due_at=None).update(fetch_due_at=now)


@transaction.atomic
def claim_due_fetches(*, now: datetime) -> list[int]:
    """Claims the connections whose fetch is due, each for one process, the longest due first. Returns their IDs.

    Must run in the transaction that enqueues the fetches.
    """
    due = Connection.objects.filter(fetch_due_at__lte=now).order_by("fetch_due_at", "pk")
    ids = list(due.select_for_update(no_key=True, skip_locked=True).values_list("pk", flat=True)[:_BATCH])
    Connection.objects.filter(pk__in=ids).update(fetch_due_at=None)
    return ids

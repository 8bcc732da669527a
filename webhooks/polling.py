"""Fetches a vehicle through the API. The response goes to the inbox like a delivery."""

from datetime import datetime
from functools import partial

from django.db import transaction
from django.utils import timezone

from accounts.models import SmartcarApiVersion
from connect import fetching, gateway, health
from connect.gateway import CallPurpose
from connect.models import Connection
from core.task_queue import enqueue_on_commit
from smartcar_api import Access, ReadAnswer, SmartcarApi, SmartcarError, V2Api
from smartcar_api.v2.client import paths_granted
from webhooks.models import InboxEntry, Source


def fetch_now(*, connection: Connection, purpose: CallPurpose) -> InboxEntry:
    """Fetches the vehicle now and stores the response in the inbox.

    Raises SmartcarError or connect.token_store.TokensUnavailableError if the vehicle can't be fetched.
    """
    try:
        answer = gateway.call(connection=connection, purpose=purpose, request=partial(_read, connection))
    except SmartcarError as error:
        health.on_call_failed(connection=connection, error=error, now=timezone.now())
        raise
    health.on_call_succeeded(connection=connection, now=timezone.now())
    source = Source.PULL_V2 if connection.api_version == SmartcarApiVersion.V2 else Source.PULL_V3
    with transaction.atomic():
        entry = InboxEntry.objects.create(
            source=source,
            received_at=timezone.now(),
            body=answer.raw,
            smartcar_vehicle_id=connection.vehicle.smartcar_id,
        )
        enqueue_on_commit("webhooks.tasks.process_inbox")
    return entry


@transaction.atomic
def enqueue_due_fetches(*, now: datetime) -> None:
    """Enqueues the fetches that lower-level apps have recorded as due."""
    for connection_id in fetching.claim_due_fetches(now=now):
        enqueue_on_commit("webhooks.tasks.fetch_vehicle", connection_id)


def _read(connection: Connection, api: SmartcarApi, access: Access) -> ReadAnswer:
    vehicle_id = connection.vehicle.smartcar_id
    if isinstance(api, V2Api):
        # Each path of a v2 batch is billed, so only granted paths are requested.
        return api.read(access, vehicle_id=vehicle_id, paths=paths_granted(frozenset(connection.scopes)))
    return api.read(access, vehicle_id=vehicle_id)

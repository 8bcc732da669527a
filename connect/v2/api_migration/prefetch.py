"""Checks all vehicles of a migration at once with Smartcar's lists of an application's connections and subscriptions.

The lists contain a hundred entries per request, while checking each vehicle takes three requests. This is only an
optimization: vehicles missing from the lists are checked individually.
"""

import logging
from collections import defaultdict

from django.utils import timezone

from accounts.models import SmartcarApiVersion
from connect import applications, gateway, token_store
from connect.applications import Application
from connect.gateway import CallPurpose
from connect.models import Connection
from connect.status.states import TERMINATED
from connect.v2.api_migration.models import ApiMigration, ConnectionMigration, ConnectionMigrationState
from smartcar_api import SmartcarError

logger = logging.getLogger(__name__)

PAGE_SIZE = 100
# Longer lists would use up the request budget.
MAX_PAGES = 25


def prefetch(migration: ApiMigration) -> int:
    """Marks vehicles that v3 lists as connected and subscribed, and returns how many. Runs once per migration to v3."""
    unchecked = ApiMigration.objects.filter(
        pk=migration.pk, surveyed_at=None, api_version=SmartcarApiVersion.V3
    )
    if not unchecked.update(surveyed_at=timezone.now()):
        return 0
    groups: dict[tuple[int | None, str], list[ConnectionMigration]] = defaultdict(list)
    waiting = migration.steps.filter(state=ConnectionMigrationState.WAITING)
    for step in waiting.select_related("connection__vehicle", "connection__application"):
        groups[step.connection.application_id, step.connection.mode].append(step)
    return sum(_prefetch(steps, mode) for (_, mode), steps in groups.items())


def _prefetch(steps: list[ConnectionMigration], mode: str) -> int:
    application = applications.for_connection(steps[0].connection)
    if not _is_worthwhile(application, len(steps)):
        return 0
    try:
        listed, subscribed = _lists(application, mode)
    except SmartcarError as error:
        logger.warning("The vehicles of a migration are looked up one by one: %s", error)
        return 0
    marked = []
    for step in steps:
        key = (step.connection.smartcar_user_id, step.connection.vehicle.smartcar_id)
        if key in listed and key in subscribed:
            step.user_id, step.connection_id_found = key[0], listed[key]
            step.state, step.changed_at = ConnectionMigrationState.SUBSCRIBED, timezone.now()
            marked.append(step)
    columns = ["user_id", "connection_id_found", "state", "changed_at"]
    ConnectionMigration.objects.bulk_update(marked, columns, batch_size=500)
    return len(marked)


def _is_worthwhile(application: Application, vehicles: int) -> bool:
    """Whether the lists take fewer requests than checking each vehicle, and don't exceed MAX_PAGES each."""
    all_connections = (
        Connection.objects.filter(application=application.row).exclude(state__in=TERMINATED).count()
    )
    pages = 2 * -(-all_connections // PAGE_SIZE)
    return pages < min(vehicles, MAX_PAGES * 2)


def _lists(
    application: Application, mode: str
) -> tuple[dict[tuple[str, str], str], frozenset[tuple[str, str]]]:
    """Returns v3's connection IDs and its subscriptions, by user ID and vehicle ID. Raises SmartcarError."""
    with gateway.purpose(CallPurpose.BACKGROUND):
        token = token_store.application_access(application=application, user_id="").token
        connections = application.v3.all_connections(token, mode=mode)
        subscriptions = application.v3.all_subscriptions(token, webhook_id=application.webhook_id, mode=mode)
    return (
        {(each.user_id, each.vehicle_id): each.connection_id for each in connections},
        frozenset((each.user_id, each.vehicle_id) for each in subscriptions),
    )

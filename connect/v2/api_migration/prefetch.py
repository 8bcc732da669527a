"""Looking at all cars of a move at once: Smartcar's own lists of an application's connections and subscriptions, a
hundred to a request, where asking about each car would take three requests.

Only a shortcut: what the lists don't hold is looked up car by car.
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
# Beyond this many pages the lists are longer than the request budget is deep.
MAX_PAGES = 25


def prefetch(move: ApiMigration) -> int:
    """Marks the cars that v3 lists, connected and subscribed; returns how many. Once for each move to v3."""
    fresh = ApiMigration.objects.filter(pk=move.pk, surveyed_at=None, api_version=SmartcarApiVersion.V3)
    if not fresh.update(surveyed_at=timezone.now()):
        return 0
    groups: dict[tuple[int | None, str], list[ConnectionMigration]] = defaultdict(list)
    waiting = move.steps.filter(state=ConnectionMigrationState.WAITING)
    for step in waiting.select_related("connection__vehicle", "connection__application"):
        groups[step.connection.application_id, step.connection.mode].append(step)
    return sum(_prefetch(steps, mode) for (_, mode), steps in groups.items())


def _prefetch(steps: list[ConnectionMigration], mode: str) -> int:
    application = applications.for_connection(steps[0].connection)
    if not _worth_it(application, len(steps)):
        return 0
    try:
        listed, subscribed = _lists(application, mode)
    except SmartcarError as error:
        logger.warning("The cars of a move are looked up one by one: %s", error)
        return 0
    marked = []
    for step in steps:
        car = (step.connection.smartcar_user_id, step.connection.vehicle.smartcar_id)
        if car in listed and car in subscribed:
            step.user_id, step.connection_id_found = car[0], listed[car]
            step.state, step.changed_at = ConnectionMigrationState.SUBSCRIBED, timezone.now()
            marked.append(step)
    columns = ["user_id", "connection_id_found", "state", "changed_at"]
    ConnectionMigration.objects.bulk_update(marked, columns, batch_size=500)
    return len(marked)


def _worth_it(application: Application, cars: int) -> bool:
    """Whether the lists take fewer requests than asking about each car, and few enough in any case."""
    all_cars = Connection.objects.filter(application=application.row).exclude(state__in=TERMINATED).count()
    pages = 2 * -(-all_cars // PAGE_SIZE)
    return pages < min(cars, MAX_PAGES * 2)


def _lists(
    application: Application, mode: str
) -> tuple[dict[tuple[str, str], str], frozenset[tuple[str, str]]]:
    """v3's connections (their ids) and subscriptions by user id and car. Raises SmartcarError."""
    with gateway.purpose(CallPurpose.BACKGROUND):
        token = token_store.application_access(application=application, user_id="").token
        connections = application.v3.all_connections(token, mode=mode)
        subscriptions = application.v3.all_subscriptions(token, webhook_id=application.webhook_id, mode=mode)
    return (
        {(each.user_id, each.vehicle_id): each.connection_id for each in connections},
        frozenset((each.user_id, each.vehicle_id) for each in subscriptions),
    )

"""Effects of changed connections: open pages are updated, and alerts are raised and resolved.

Alerts change in the transaction that changes the connection.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from django.db.models import Count, Q

from alerts import services as alerts
from alerts.types import AlertCondition, AlertType
from connect.status.states import DEGRADED, HEALTHY, ConnectionState
from core import pubsub
from core.pubsub import Channel
from vehicles.models import Vehicle

if TYPE_CHECKING:
    from connect.models import Connection


def on_transition(changes: Iterable[tuple[Connection, str]], *, now: datetime) -> None:
    """Handles connections that changed their state, each with its former state. The caller has locked their rows."""
    changes = list(changes)
    _publish_change(connection for connection, _ in changes)
    update_alerts(
        [
            connection
            for connection, before in changes
            # A change between healthy states, as with first data, affects no alert.
            if connection.state not in HEALTHY or before in DEGRADED
        ],
        now=now,
    )


def update_alerts(connections: Collection[Connection], *, now: datetime) -> None:
    """Raises and resolves alerts by the state of these connections, whose rows the caller has locked."""
    if not connections:
        return
    degraded = [each for each in connections if each.degraded]
    alerts.raise_alerts(conditions=[_access_lost(each) for each in degraded], now=now)
    others = [each.pk for each in connections if not each.degraded]
    alerts.resolve(kind=AlertType.CONNECTION, subject_ids=others, now=now)
    removed = [each.vehicle_id for each in connections if each.state == ConnectionState.REMOVED]
    alerts.resolve_for_vehicles(vehicle_ids=_without_connection(removed), now=now)


def _publish_change(connections: Iterable[Connection]) -> None:
    vehicles: dict[int, set[int]] = {}
    for each in connections:
        vehicles.setdefault(each.fleet_id, set()).add(each.vehicle_id)
    pubsub.publish_on_commit(channel=Channel.CONNECTIONS, vehicles=vehicles)


def _access_lost(connection: Connection) -> AlertCondition:
    """Returns the alert condition of a degraded connection. Missing data has a lower level, as data may resume."""
    return AlertCondition(
        AlertType.CONNECTION,
        connection.fleet_id,
        connection.vehicle_id,
        subject_id=connection.pk,
        level=int(connection.state != ConnectionState.STALE),
        payload={"state": str(connection.state)},
    )


def _without_connection(vehicle_ids: list[int]) -> list[int]:
    if not vehicle_ids:
        return []
    connection_count = Count("connections", filter=~Q(connections__state=ConnectionState.REMOVED))
    disconnected = (
        Vehicle.objects.filter(pk__in=vehicle_ids)
        .alias(connection_count=connection_count)
        .filter(connection_count=0)
    )
    return list(disconnected.values_list("pk", flat=True))

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


def on_transition(moves: Iterable[tuple[Connection, str]], *, now: datetime) -> None:
    """Handles connections that changed their state, each with its former state. The caller has locked their rows."""
    moves = list(moves)
    _publish_change(connection for connection, _ in moves)
    update_alerts(
        [
            connection
            for connection, before in moves
            # A change between healthy states, as with first data, affects no alert.
            if connection.state not in HEALTHY or before in DEGRADED
        ],
        now=now,
    )


def update_alerts(connections: Collection[Connection], *, now: datetime) -> None:
    """Raises and resolves alerts by the state of these connections, whose rows the caller has locked."""
    if not connections:
        return
    troubled = [each for each in connections if each.troubled]
    alerts.raise_alerts(conditions=[_access_lost(each) for each in troubled], now=now)
    others = [each.pk for each in connections if not each.troubled]
    alerts.resolve(kind=AlertType.CONNECTION, subject_ids=others, now=now)
    left = [each.vehicle_id for each in connections if each.state == ConnectionState.REMOVED]
    alerts.resolve_for_vehicles(vehicle_ids=_without_connection(left), now=now)


def _publish_change(connections: Iterable[Connection]) -> None:
    cars: dict[int, set[int]] = {}
    for each in connections:
        cars.setdefault(each.fleet_id, set()).add(each.vehicle_id)
    pubsub.publish_on_commit(channel=Channel.CONNECTIONS, vehicles=cars)


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
    standing = Count("connections", filter=~Q(connections__state=ConnectionState.REMOVED))
    left = Vehicle.objects.filter(pk__in=vehicle_ids).alias(standing=standing).filter(standing=0)
    return list(left.values_list("pk", flat=True))

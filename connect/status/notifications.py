"""Who is told that connections changed: open pages, and by notices (alerts) those who have to do something.

Notices begin and end in the transaction of the change.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from django.db.models import Count, Q

from alerts import services as alerts
from alerts.types import Condition, Kind
from connect.status.states import DEGRADED, HEALTHY, ConnectionState
from core import pubsub
from core.pubsub import Channel
from vehicles.models import Vehicle

if TYPE_CHECKING:
    from connect.models import Connection


def on_transition(moves: Iterable[tuple[Connection, str]], *, now: datetime) -> None:
    """These connections have changed their state; each with the one that it left. Their rows are held by the caller."""
    moves = list(moves)
    _publish_change(connection for connection, _ in moves)
    resolve_alerts(
        [
            connection
            for connection, before in moves
            # From well to well, as with first data, there is nothing to begin and nothing to end.
            if connection.state not in HEALTHY or before in DEGRADED
        ],
        now=now,
    )


def resolve_alerts(connections: Collection[Connection], *, now: datetime) -> None:
    """Notices of these connections, whose rows the caller holds, follow their state."""
    if not connections:
        return
    troubled = [each for each in connections if each.troubled]
    alerts.begin(conditions=[on_access_lost(each) for each in troubled], now=now)
    others = [each.pk for each in connections if not each.troubled]
    alerts.end(kind=Kind.CONNECTION, subjects=others, now=now)
    left = [each.vehicle_id for each in connections if each.state == ConnectionState.REMOVED]
    alerts.end_of_cars(vehicle_ids=_without_connection(left), now=now)


def _publish_change(connections: Iterable[Connection]) -> None:
    cars: dict[int, set[int]] = {}
    for each in connections:
        cars.setdefault(each.fleet_id, set()).add(each.vehicle_id)
    pubsub.publish_on_commit(channel=Channel.CONNECTIONS, vehicles=cars)


def on_access_lost(connection: Connection) -> Condition:
    """The condition of a connection in trouble. That somebody must act is worse than silence, which may pass."""
    return Condition(
        Kind.CONNECTION,
        connection.fleet_id,
        connection.vehicle_id,
        subject=connection.pk,
        level=int(connection.state != ConnectionState.STALE),
        facts={"state": str(connection.state)},
    )


def _without_connection(vehicle_ids: list[int]) -> list[int]:
    if not vehicle_ids:
        return []
    standing = Count("connections", filter=~Q(connections__state=ConnectionState.REMOVED))
    left = Vehicle.objects.filter(pk__in=vehicle_ids).alias(standing=standing).filter(standing=0)
    return list(left.values_list("pk", flat=True))

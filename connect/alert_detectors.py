"""Detectors of alerts about connections that were missed, and of token pairs of API v2 that are about to expire.

Alerts are usually raised and resolved with the change of a connection's state (connect.status.notifications).
"""

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef

from accounts.models import SmartcarApiVersion
from alerts import battery
from alerts import services as alerts
from alerts.models import Alert, AlertSettings
from alerts.types import AlertCondition, AlertType
from connect.models import Connection, ConnectionState, UserToken
from connect.status import notifications
from connect.status.states import DEGRADED, TERMINATED
from connect.v2.token_refresh import WARN_AT_DAYS
from vehicles import services as vehicles

_BATCH = 500


def detect_connections(*, now: datetime) -> None:
    """Raises and resolves alerts that were missed when a connection changed its state."""
    open_alerts = Alert.objects.filter(kind=AlertType.CONNECTION, resolved_at=None)
    turned_off = AlertSettings.objects.filter(fleet=OuterRef("fleet_id")).exclude(
        kinds__contains=[AlertType.CONNECTION]
    )
    degraded = Connection.objects.filter(state__in=DEGRADED)
    missing = degraded.filter(~Exists(turned_off)).exclude(
        Exists(open_alerts.filter(subject_id=OuterRef("pk")))
    )
    obsolete = open_alerts.exclude(subject_id__in=degraded.values("pk"))
    ids = [*missing.values_list("pk", flat=True), *obsolete.values_list("subject_id", flat=True)]
    for batch in _batches(ids):
        with transaction.atomic():
            # Locked, so that the state doesn't change before the alert is stored.
            locked = Connection.objects.filter(pk__in=batch).order_by("pk").select_for_update(no_key=True)
            notifications.update_alerts(list(locked), now=now)


def detect_expiring_tokens(*, now: datetime) -> None:
    """Raises an alert per fleet for each token pair of API v2 that expires soon; a driver's vehicles share a pair."""
    soon = now + timedelta(days=max(WARN_AT_DAYS))
    expiring = Connection.objects.filter(
        api_version=SmartcarApiVersion.V2, tokens__revoked_at=None, tokens__refresh_expires_at__lt=soon
    ).exclude(state__in=TERMINATED)
    pairs: dict[int, UserToken] = {}
    users: dict[tuple[int, int], list[Connection]] = {}
    for connection in expiring.select_related("tokens").order_by("pk"):
        if connection.tokens is not None:
            pairs[connection.tokens.pk] = connection.tokens
            users.setdefault((connection.fleet_id, connection.tokens.pk), []).append(connection)
    conditions = [_expiring(pairs[pk], connections, now=now) for (_, pk), connections in users.items()]
    alerts.raise_alerts(conditions=conditions, now=now)
    open_alerts = Alert.objects.filter(kind=AlertType.TOKEN, resolved_at=None)
    obsolete = [
        pk
        for pk, fleet_id, pair_id in open_alerts.values_list("pk", "fleet_id", "subject_id")
        if (fleet_id, pair_id) not in users
    ]
    alerts.resolve_alerts(alert_ids=obsolete, now=now)


def _expiring(pair: UserToken, connections: list[Connection], *, now: datetime) -> AlertCondition:
    first = connections[0]
    return AlertCondition(
        AlertType.TOKEN,
        first.fleet_id,
        first.vehicle_id,
        subject_id=pair.pk,
        level=sum(pair.refresh_expires_at < now + timedelta(days=days) for days in WARN_AT_DAYS) - 1,
        payload={
            "ends": pair.refresh_expires_at.isoformat(),
            "connection": first.pk,
            "cars": len({each.vehicle_id for each in connections}),
        },
    )


def detect_batteries(*, now: datetime) -> None:
    """Raises and resolves alerts that were missed when signals arrived; resolves those of disconnected vehicles."""
    missed = battery.find_missed(now=now)
    alerted = Alert.objects.filter(kind=AlertType.BATTERY, resolved_at=None)
    vehicle_ids = {*missed, *alerted.values_list("subject_id", flat=True)}
    connected = Connection.objects.exclude(state=ConnectionState.REMOVED).filter(vehicle_id__in=vehicle_ids)
    disconnected = vehicle_ids - set(connected.values_list("vehicle_id", flat=True))
    for batch in _batches(set(missed) - disconnected):
        with transaction.atomic():
            vehicles.lock_vehicles(vehicle_ids=batch)
            battery.evaluate(vehicle_ids=batch, now=now)
    alerts.resolve(kind=AlertType.BATTERY, subject_ids=sorted(disconnected), now=now)


def _batches(ids: Collection[int]) -> Iterator[list[int]]:
    """Yields the sorted IDs in batches of one transaction each."""
    ordered = sorted(ids)
    return (ordered[start : start + _BATCH] for start in range(0, len(ordered), _BATCH))

"""The net below notices: finds what nobody told of, and judges what only time brings about, the end of token pairs."""

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef

from accounts.models import SmartcarApiVersion
from alerts import battery
from alerts import services as alerts
from alerts.models import FleetRules, Notice
from alerts.types import Condition, Kind
from connect.models import Connection, ConnectionState, UserToken
from connect.status import notifications
from connect.status.states import DEGRADED, TERMINATED
from connect.v2.token_refresh import WARN_AT_DAYS
from vehicles import services as vehicles

_BATCH = 500


def reconcile_alerts(*, now: datetime) -> None:
    """One round. Repeating it changes nothing."""
    _connections(now=now)
    _pairs(now=now)
    _batteries(now=now)


def _connections(*, now: datetime) -> None:
    open_notices = Notice.objects.filter(kind=Kind.CONNECTION, ended_at=None)
    unwatched = FleetRules.objects.filter(fleet=OuterRef("fleet_id")).exclude(
        kinds__contains=[Kind.CONNECTION]
    )
    overlooked = Connection.objects.filter(~Exists(unwatched), state__in=DEGRADED).exclude(
        Exists(open_notices.filter(subject=OuterRef("pk")))
    )
    troubled = Connection.objects.filter(state__in=DEGRADED)
    over = open_notices.exclude(subject__in=troubled.values("pk"))
    ids = [*overlooked.values_list("pk", flat=True), *over.values_list("subject", flat=True)]
    for some in _slices(ids):
        with transaction.atomic():
            # Held, as whoever changes a connection holds it: what is read here is so until the notice is in.
            held = Connection.objects.filter(pk__in=some).order_by("pk").select_for_update(no_key=True)
            notifications.resolve_alerts(list(held), now=now)


def _pairs(*, now: datetime) -> None:
    """Token pairs of v2 that end soon, by fleet: a driver's cars share one."""
    soon = now + timedelta(days=max(WARN_AT_DAYS))
    ending = Connection.objects.filter(
        api_version=SmartcarApiVersion.V2, tokens__revoked_at=None, tokens__refresh_expires_at__lt=soon
    ).exclude(state__in=TERMINATED)
    pairs: dict[int, UserToken] = {}
    living: dict[tuple[int, int], list[Connection]] = {}
    for connection in ending.select_related("tokens").order_by("pk"):
        if connection.tokens is not None:
            pairs[connection.tokens.pk] = connection.tokens
            living.setdefault((connection.fleet_id, connection.tokens.pk), []).append(connection)
    conditions = [_ending(pairs[pk], connections, now=now) for (_, pk), connections in living.items()]
    alerts.begin(conditions=conditions, now=now)
    open_notices = Notice.objects.filter(kind=Kind.TOKEN, ended_at=None)
    over = open_notices.exclude(subject__in=list(pairs))
    alerts.end(kind=Kind.TOKEN, subjects=list(over.values_list("subject", flat=True)), now=now)


def _ending(pair: UserToken, connections: list[Connection], *, now: datetime) -> Condition:
    first = connections[0]
    return Condition(
        Kind.TOKEN,
        first.fleet_id,
        first.vehicle_id,
        subject=pair.pk,
        level=sum(pair.refresh_expires_at < now + timedelta(days=days) for days in WARN_AT_DAYS) - 1,
        facts={
            "ends": pair.refresh_expires_at.isoformat(),
            "connection": first.pk,
            "cars": len({each.vehicle_id for each in connections}),
        },
    )


def _batteries(*, now: datetime) -> None:
    overlooked = battery.overlooked(now=now)
    noticed = Notice.objects.filter(kind=Kind.BATTERY, ended_at=None).values_list("subject", flat=True)
    cars = {*overlooked, *noticed}
    connected = Connection.objects.exclude(state=ConnectionState.REMOVED).filter(vehicle_id__in=cars)
    left = cars - set(connected.values_list("vehicle_id", flat=True))
    for some in _slices(set(overlooked) - left):
        with transaction.atomic():
            vehicles.lock_vehicles(vehicle_ids=some)
            battery.judge(vehicle_ids=some, now=now)
    alerts.end(kind=Kind.BATTERY, subjects=sorted(left), now=now)


def _slices(ids: Collection[int]) -> Iterator[list[int]]:
    """The ids in order, as many at a time as one transaction takes."""
    ordered = sorted(ids)
    return (ordered[start : start + _BATCH] for start in range(0, len(ordered), _BATCH))

"""Raising, resolving and acknowledging alerts. Callers report conditions; these functions decide what is new."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet

from accounts.models import Fleet, User
from alerts.models import Alert, AlertSettings
from alerts.types import REOPEN_WINDOW, AlertCondition, AlertType

_Key = tuple[str, int, int]
_CHANGED_FIELDS = [
    "level",
    "payload",
    "last_raised_at",
    "emailed_at",
    "acknowledged_at",
    "acknowledged_by",
    "resolved_at",
]


def raise_alerts(*, conditions: Iterable[AlertCondition], now: datetime) -> int:
    """Makes sure that each of these conditions has an open alert. Returns how many are new or worse than before.

    An alert that was resolved within its REOPEN_WINDOW is reopened. Types that the fleet has turned off are skipped.
    Takes four queries for any number of conditions.
    """
    wanted = {_key(each): each for each in _enabled(list(conditions))}
    return _raise(wanted, now=now) if wanted else 0


def resolve(*, kind: AlertType, subject_ids: Collection[int], now: datetime) -> int:
    """Resolves the open alerts of this type about these subjects. Returns how many there were."""
    if not subject_ids:
        return 0
    return _resolve(Alert.objects.filter(kind=kind, subject_id__in=list(subject_ids)), now=now)


def resolve_alerts(*, alert_ids: Collection[int], now: datetime) -> int:
    """Resolves those of these alerts that are open, where a subject concerns several fleets. Returns how many."""
    return _resolve(Alert.objects.filter(pk__in=list(alert_ids)), now=now) if alert_ids else 0


def resolve_for_vehicles(*, vehicle_ids: Collection[int], now: datetime) -> int:
    """Resolves all open alerts about vehicles that left their fleet. Returns how many there were."""
    return _resolve(Alert.objects.filter(vehicle_id__in=list(vehicle_ids)), now=now) if vehicle_ids else 0


def resolve_for_fleet(*, fleet: Fleet, kinds: Collection[AlertType], now: datetime) -> int:
    """Resolves the open alerts of types that the fleet has turned off. Returns how many there were."""
    return _resolve(Alert.objects.filter(fleet=fleet, kind__in=list(kinds)), now=now) if kinds else 0


def acknowledge(
    *, fleet: Fleet, kinds: Iterable[AlertType], user: User, now: datetime, alert_id: int | None = None
) -> int:
    """Acknowledges the fleet's open alerts of these types, or the one with this id. Returns how many were open and
    unacknowledged."""
    found = Alert.objects.filter(fleet=fleet, resolved_at=None, acknowledged_at=None)
    if alert_id is not None:
        found = found.filter(pk=alert_id)
    # One type at a time: a transaction that records deliveries locks alerts of one type after another.
    return sum(found.filter(kind=kind).update(acknowledged_at=now, acknowledged_by=user) for kind in kinds)


@transaction.atomic
def _raise(wanted: Mapping[_Key, AlertCondition], *, now: datetime) -> int:
    existing = _lock_existing(wanted.values(), now=now)
    raised = 0
    changed: list[Alert] = []
    for key, alert in existing.items():
        raised += wanted[key].level > alert.level
        if _update(alert, wanted[key], now=now):
            changed.append(alert)
    Alert.objects.bulk_update(changed, _CHANGED_FIELDS)
    # All transactions insert in the same order, so that two that raise the same alerts don't deadlock.
    fresh = [wanted[key] for key in sorted(wanted.keys() - existing.keys())]
    Alert.objects.bulk_create([_new(each, now=now) for each in fresh], ignore_conflicts=True)
    return raised + len(fresh)


def _resolve(alerts: QuerySet[Alert], *, now: datetime) -> int:
    with transaction.atomic():
        locked = alerts.filter(resolved_at=None).order_by("pk").select_for_update(no_key=True)
        ids = list(locked.values_list("pk", flat=True))
        return Alert.objects.filter(pk__in=ids).update(resolved_at=now) if ids else 0


def _enabled(conditions: list[AlertCondition]) -> list[AlertCondition]:
    if not conditions:
        return []
    found = AlertSettings.objects.filter(fleet_id__in={each.fleet_id for each in conditions})
    kinds = dict(found.values_list("fleet_id", "kinds"))
    return [each for each in conditions if each.kind in kinds.get(each.fleet_id, AlertType.values)]


def _lock_existing(conditions: Collection[AlertCondition], *, now: datetime) -> dict[_Key, Alert]:
    """The open alert of each of these conditions, or the one resolved so recently that it is reopened."""
    recent = Q()
    for kind, window in REOPEN_WINDOW.items():
        recent |= Q(kind=kind) & (Q(resolved_at=None) | Q(resolved_at__gt=now - window))
    found = Alert.objects.filter(
        recent,
        kind__in={each.kind for each in conditions},
        subject_id__in={each.subject_id for each in conditions},
        fleet_id__in={each.fleet_id for each in conditions},
    )
    wanted = {_key(each) for each in conditions}
    existing: dict[_Key, Alert] = {}
    # The last one of a subject wins; an open alert is always the last.
    for alert in found.order_by("pk").select_for_update(no_key=True):
        key = (alert.kind, alert.subject_id, alert.fleet_id)
        if key in wanted:
            existing[key] = alert
    return existing


def _update(alert: Alert, condition: AlertCondition, *, now: datetime) -> bool:
    """Whether this changed the alert. A condition worse than ever before is raised again, even if acknowledged."""
    worse = condition.level > alert.level
    if alert.is_open and not worse and alert.payload == condition.payload:
        return False
    alert.resolved_at, alert.payload = None, condition.payload
    if worse:
        alert.level, alert.last_raised_at, alert.emailed_at = condition.level, now, None
        alert.acknowledged_at = alert.acknowledged_by = None
    return True


def _new(condition: AlertCondition, *, now: datetime) -> Alert:
    return Alert(
        fleet_id=condition.fleet_id,
        kind=condition.kind,
        vehicle_id=condition.vehicle_id,
        subject_id=condition.subject_id,
        level=condition.level,
        payload=condition.payload,
        opened_at=now,
        last_raised_at=now,
    )


def _key(condition: AlertCondition) -> _Key:
    return (condition.kind.value, condition.subject_id, condition.fleet_id)

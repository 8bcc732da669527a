"""Reading alerts, always limited to what a member may see."""

from collections.abc import Collection, Iterable
from typing import NamedTuple

from django.db.models import Count, Q, QuerySet

from accounts.models import Fleet, Membership
from alerts.models import Alert, NotificationPreference
from alerts.preferences import effective_preferences
from alerts.types import AlertType

OPEN, RESOLVED = "open", "resolved"
_UNACKNOWLEDGED = Q(resolved_at=None, acknowledged_at=None)


class AlertCounts(NamedTuple):
    """How many alerts of a fleet are unacknowledged, open (acknowledged or not), and resolved."""

    unacknowledged: int
    open: int
    resolved: int


def list_alerts(
    *, fleet: Fleet, kinds: Collection[AlertType], state: str = "", kind: str = ""
) -> QuerySet[Alert]:
    """The fleet's alerts of these types, unacknowledged ones first.

    `state` is OPEN, RESOLVED or "" for both; `kind` limits the result to one type.
    """
    found = Alert.objects.filter(fleet=fleet, kind__in=kinds)
    found = found.select_related("fleet", "vehicle", "acknowledged_by")
    if state in (OPEN, RESOLVED):
        found = found.filter(resolved_at__isnull=state == OPEN)
    return found.filter(kind=kind) if kind in AlertType.values else found


def count_alerts(*, fleet: Fleet, kinds: Collection[AlertType]) -> AlertCounts:
    """Counts the fleet's alerts of these types."""
    counted = (
        Alert.objects.filter(fleet=fleet, kind__in=kinds)
        .order_by()
        .aggregate(
            unacknowledged=Count("pk", filter=_UNACKNOWLEDGED),
            open=Count("pk", filter=Q(resolved_at=None)),
            resolved=Count("pk", filter=Q(resolved_at__isnull=False)),
        )
    )
    return AlertCounts(**counted)


def recent_unacknowledged(*, memberships: Iterable[Membership], limit: int) -> list[Alert]:
    """The newest unacknowledged alerts, of the types that a user with these memberships gets in app. Two queries."""
    memberships = list(memberships)
    preferences = NotificationPreference.objects.in_bulk([each.pk for each in memberships])
    wanted = Q(pk__in=[])
    for each in memberships:
        kinds, _ = effective_preferences(each, preferences.get(each.pk))
        wanted |= Q(fleet=each.fleet_id, kind__in=kinds)
    return list(Alert.objects.filter(_UNACKNOWLEDGED, wanted).select_related("vehicle", "fleet")[:limit])


def email_recipients(*, fleet_id: int) -> list[tuple[Membership, frozenset[AlertType]]]:
    """The fleet's active members who get emails, each with the types. Two queries."""
    members = list(
        Membership.objects.filter(fleet_id=fleet_id, user__is_active=True)
        .select_related("user")
        .order_by("pk")
    )
    preferences = NotificationPreference.objects.in_bulk([each.pk for each in members])
    wanted = [(each, effective_preferences(each, preferences.get(each.pk))[1]) for each in members]
    return [(member, kinds) for member, kinds in wanted if kinds]

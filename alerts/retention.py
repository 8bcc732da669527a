"""How long resolved alerts are kept, and the erasure of a vehicle's alerts."""

from datetime import datetime, timedelta

from alerts.models import Alert

RETENTION = timedelta(days=365)
_BATCH = 5000


def purge(*, now: datetime) -> int:
    """Deletes alerts that were resolved longer than RETENTION ago. Returns how many."""
    old = Alert.objects.filter(resolved_at__lt=now - RETENTION).order_by("pk").values_list("pk", flat=True)
    deleted = 0
    while ids := list(old[:_BATCH]):
        Alert.objects.filter(pk__in=ids).delete()
        deleted += len(ids)
    return deleted


def erase_vehicle(*, vehicle_id: int, since: datetime | None, until: datetime, limit: int) -> int:
    """Deletes at most `limit` alerts about a vehicle, opened from `since` (None: ever) to `until`. Returns how many."""
    found = Alert.objects.filter(vehicle_id=vehicle_id, opened_at__lte=until)
    if since is not None:
        found = found.filter(opened_at__gte=since)
    ids = list(found.order_by("pk").values_list("pk", flat=True)[:limit])
    Alert.objects.filter(pk__in=ids).delete()
    return len(ids)

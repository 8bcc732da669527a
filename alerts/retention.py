"""How long notices and letters stay, and what goes with a car."""

from datetime import datetime, timedelta

from alerts.models import Letter, Notice

KEPT = timedelta(days=365)
_BATCH = 5000


def tidy(*, now: datetime) -> int:
    """Removes what was over a year ago. Returns how many notices and letters."""
    old = Notice.objects.filter(ended_at__lt=now - KEPT).order_by("pk").values_list("pk", flat=True)
    letters = Letter.objects.filter(created_at__lt=now - KEPT).order_by("pk").values_list("pk", flat=True)
    removed = 0
    for model, found in ((Notice, old), (Letter, letters)):
        while ids := list(found[:_BATCH]):
            model._base_manager.filter(pk__in=ids).delete()
            removed += len(ids)
    return removed


def forget(*, vehicle_id: int, since: datetime | None, until: datetime, limit: int) -> int:
    """Erases at most `limit` notices about a car that began from `since` (None: ever) to `until`. Returns how many."""
    about = Notice.objects.filter(vehicle_id=vehicle_id, opened_at__lte=until)
    if since is not None:
        about = about.filter(opened_at__gte=since)
    ids = list(about.order_by("pk").values_list("pk", flat=True)[:limit])
    Notice.objects.filter(pk__in=ids).delete()
    return len(ids)

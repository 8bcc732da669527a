from celery import shared_task
from django.utils import timezone

from vehicles import partitions, retention, rollups


@shared_task
def sum_up() -> None:
    """Sums up the hours and days that are over."""
    rollups.compute_rollups(now=timezone.now())


@shared_task
def keep_history() -> None:
    """Makes the partitions of the months to come, and lets go of what no fleet keeps any longer."""
    now = timezone.now()
    partitions.make(now=now, since=retention.oldest_kept(now=now))
    retention.purge(now=now)

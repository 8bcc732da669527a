from celery import shared_task
from django.utils import timezone

from core.task_queue import accept_former_name
from vehicles import partitions, retention, rollups


@shared_task
def compute_rollups() -> None:
    """Summarizes the hours and days that are over."""
    rollups.compute_rollups(now=timezone.now())


@shared_task
def maintain_partitions() -> None:
    """Creates the partitions of coming months, and deletes history whose retention period is over."""
    now = timezone.now()
    partitions.create(now=now, since=retention.oldest_retained(now=now))
    retention.purge(now=now)


accept_former_name("vehicles.tasks.sum_up", compute_rollups)
accept_former_name("vehicles.tasks.keep_history", maintain_partitions)

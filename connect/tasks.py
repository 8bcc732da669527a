from celery import shared_task
from django.utils import timezone

from connect import refreshing, subscriptions
from connect.models import Connection


@shared_task
def complete_connection(connection_id: int) -> None:
    """Subscribes one newly connected car."""
    connection = Connection.objects.select_related("vehicle", "tokens").filter(pk=connection_id).first()
    if connection is not None:
        subscriptions.complete(connection=connection)


@shared_task
def complete_connections() -> None:
    """Sweeps up what a lost doorbell or a refusal left unsubscribed."""
    for connection in subscriptions.unfinished():
        subscriptions.complete(connection=connection)


@shared_task
def refresh_tokens() -> None:
    """Rotates v2 token pairs long before they end, and warns of those that are near it."""
    refreshing.refresh_due(now=timezone.now())
    refreshing.warn(now=timezone.now())

from importlib import import_module

from celery import shared_task
from django.db import connection as database
from django.db import transaction
from django.utils import timezone

from alerts import detectors
from connect import subscriptions
from connect.driver_portal import privacy
from connect.models import Connection
from connect.offboarding import selectors as removals
from connect.offboarding import worker
from connect.reconciliation import services as comparison
from connect.status import monitor
from connect.v2 import token_refresh
from connect.v2.api_migration import worker as generation_moves
from connect.v2.api_migration.models import ApiMigration
from core.task_queue import enqueue_on_commit


@shared_task
def complete_connection(connection_id: int) -> None:
    """Subscribes one newly connected car."""
    connection = Connection.objects.select_related("vehicle", "tokens").filter(pk=connection_id).first()
    if connection is not None:
        subscriptions.ensure_subscribed(connection=connection)


@shared_task
def complete_connections() -> None:
    """Sweeps up what a lost doorbell or a refusal left unsubscribed."""
    for connection in subscriptions.pending_subscriptions():
        subscriptions.ensure_subscribed(connection=connection)


@shared_task
def refresh_tokens() -> None:
    """Rotates v2 token pairs long before they end, and warns of those that are near it."""
    token_refresh.refresh_due(now=timezone.now())
    token_refresh.log_expiring(now=timezone.now())


@shared_task
def move_generation(move_id: int) -> None:
    """Goes on with one fleet's move to another API version; rings again while there is more to do."""
    move = ApiMigration.objects.filter(pk=move_id).first()
    if move is not None and generation_moves.run(move=move):
        enqueue_on_commit("connect.tasks.move_generation", move_id)


@shared_task
def move_generations() -> None:
    """Takes up moves whose cars wait no longer, or whose worker died."""
    for move in generation_moves.is_running():
        enqueue_on_commit("connect.tasks.move_generation", move.pk)


@shared_task
def hide_places() -> None:
    """Drops the last known place of cars whose working hours just ended."""
    privacy.end_expired_pauses(now=timezone.now())


@shared_task
def watch_connections() -> None:
    """Notices silence, settles what is suspected, and looks again at connections in trouble."""
    monitor.monitor_connections(now=timezone.now())


@shared_task
def probe_connection(connection_id: int) -> None:
    """Looks whether one connection works."""
    found = Connection.objects.select_related("vehicle", "fleet", "tokens", "application")
    connection = found.filter(pk=connection_id).first()
    if connection is not None:
        monitor.probe(connection=connection, now=timezone.now())


@shared_task
def carry_out_removal(removal_id: int) -> None:
    """Does what is left of one car's removal."""
    worker.run(removal_id=removal_id)


@shared_task
def sweep_removals() -> None:
    """Takes up removals that a crash, a lost doorbell or a refusal left unfinished."""
    for removal_id in removals.due_requests(now=timezone.now()):
        worker.run(removal_id=removal_id)


@shared_task
def compare_connections() -> None:
    """Compares our connections and subscriptions with Smartcar's own lists."""
    comparison.reconcile_all()


# The version before this one may still enqueue these; to be removed with its columns.


@shared_task
def find_notices() -> None:
    """The former name of alerts.tasks.detect_missed."""
    detectors.run_all(now=timezone.now())


@shared_task
def mail_unsent() -> None:
    """Queues the emails that the old version left unsent."""
    carry = import_module("connect.migrations.0018_outgoing_emails").carry
    with transaction.atomic(), database.cursor() as cursor:
        carry(cursor)


@shared_task
def mail_invitation(invitation_id: int) -> None:
    """An invitation, enqueued by the old version."""
    mail_unsent()


@shared_task
def mail_driver_page(page_id: int) -> None:
    """The link of a driver's page, enqueued by the old version."""
    mail_unsent()

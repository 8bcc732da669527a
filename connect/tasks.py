from importlib import import_module

from celery import shared_task
from django.db import connection as database
from django.db import transaction
from django.utils import timezone

from alerts.tasks import detect_missed
from connect import retention, subscriptions
from connect.business_fleet import services as business_fleet
from connect.driver_portal import privacy
from connect.models import Connection
from connect.offboarding import selectors, worker
from connect.reconciliation import services as reconciliation
from connect.refusals import services as refusals
from connect.reminders import services as reminders
from connect.status import monitor
from connect.v2 import tasks as v2_tasks  # noqa: F401  (registers the tasks)
from core.task_queue import accept_former_name


@shared_task
def complete_connection(connection_id: int) -> None:
    """Subscribes one newly connected vehicle."""
    connection = Connection.objects.select_related("vehicle", "tokens").filter(pk=connection_id).first()
    if connection is not None:
        subscriptions.ensure_subscribed(connection=connection)


@shared_task
def complete_connections() -> None:
    """Subscribes vehicles whose task was lost or whose subscription failed."""
    for connection in subscriptions.pending_subscriptions():
        subscriptions.ensure_subscribed(connection=connection)


@shared_task
def expire_locations() -> None:
    """Deletes the last known location of vehicles whose tracking hours just ended."""
    privacy.end_expired_pauses(now=timezone.now())


@shared_task
def monitor_connections() -> None:
    """Detects missing data, confirms pending issues, and probes degraded connections."""
    monitor.monitor_connections(now=timezone.now())


@shared_task
def probe_connection(connection_id: int) -> None:
    """Checks whether one connection works."""
    found = Connection.objects.select_related("vehicle", "fleet", "tokens", "application")
    connection = found.filter(pk=connection_id).first()
    if connection is not None:
        monitor.probe(connection=connection, now=timezone.now())


@shared_task
def remind_drivers() -> None:
    """Asks and reminds drivers, in fleets that chose this."""
    reminders.remind_drivers(now=timezone.now())


@shared_task
def run_offboarding(request_id: int) -> None:
    """Continues the offboarding of one vehicle."""
    worker.run(offboarding_id=request_id)


@shared_task
def sweep_offboarding() -> None:
    """Continues offboarding requests that a crash, a lost task or a failure left unfinished."""
    for request_id in selectors.due_requests(now=timezone.now()):
        worker.run(offboarding_id=request_id)


@shared_task
def end_refused_grants() -> None:
    """Ends grants at Smartcar whose authorization was refused here."""
    refusals.end_due(now=timezone.now())


@shared_task
def reconcile_connections() -> None:
    """Compares our connections with Smartcar's lists; adopts and retires vehicles without a driver."""
    business_fleet.adopt_all()
    reconciliation.reconcile_all()
    business_fleet.retire_vanished()


@shared_task
def adopt_vehicles() -> None:
    """Adopts vehicles that Smartcar connected by itself."""
    business_fleet.adopt_all()


@shared_task
def purge() -> None:
    """Deletes authorizations and invitations that ended long ago."""
    retention.purge(now=timezone.now())


# Version 0.1 may still enqueue these tasks. They can be removed together with its columns.


@shared_task
def mail_unsent() -> None:
    """Queues the emails that version 0.1 has not sent."""
    carry = import_module("connect.migrations.0018_outgoing_emails").carry
    with transaction.atomic(), database.cursor() as cursor:
        carry(cursor)


@shared_task
def mail_invitation(invitation_id: int) -> None:
    """Queues emails for a task of version 0.1 about an invitation."""
    mail_unsent()


@shared_task
def mail_driver_page(page_id: int) -> None:
    """Queues emails for a task of version 0.1 about a driver portal."""
    mail_unsent()


accept_former_name("connect.tasks.hide_places", expire_locations)
accept_former_name("connect.tasks.watch_connections", monitor_connections)
accept_former_name("connect.tasks.carry_out_removal", run_offboarding)
accept_former_name("connect.tasks.sweep_removals", sweep_offboarding)
accept_former_name("connect.tasks.compare_connections", reconcile_connections)
accept_former_name("connect.tasks.find_notices", detect_missed)

import logging
import threading
from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from connect.gateway import CallPurpose
from connect.models import Connection
from connect.token_store import TokensUnavailableError
from core.task_queue import accept_former_name
from smartcar_api import SmartcarError
from webhooks import application_cutover, polling, processing, retention, silence_monitor

logger = logging.getLogger(__name__)


# Under constant load, a task would never end. After this time another task continues.
TURN_SECONDS = 60.0
_processing = threading.Lock()
_requested = threading.Event()


@shared_task
def process_inbox() -> None:
    """Processes the queued deliveries of the inbox. Enqueued by the receiver and by Celery beat.

    Several worker processes share the work. In each, one thread does the processing on behalf of the other threads'
    tasks, so that batches grow with the load.
    """
    _requested.set()
    while _requested.is_set() and _processing.acquire(blocking=False):
        try:
            _requested.clear()
            processing.process_waiting(seconds=TURN_SECONDS)
        finally:
            _processing.release()


@shared_task
def release_quarantined() -> None:
    """Releases deliveries that were quarantined until their vehicle was connected."""
    if processing.release_quarantined():
        processing.process_waiting()


@shared_task
def fetch_vehicle(connection_id: int) -> None:
    """Fetches one vehicle through the API. A fetch that the rate limit defers is repeated later."""
    connection = Connection.objects.select_related("vehicle", "tokens").filter(pk=connection_id).first()
    if connection is None or not connection.granted:
        return
    try:
        polling.fetch_now(connection=connection, purpose=CallPurpose.BACKGROUND)
    except SmartcarError as error:
        if error.deferred:
            until = timezone.now() + timedelta(seconds=error.retry_after or 60)
            silence_monitor.defer(vehicle_id=connection.vehicle_id, until=until)
        else:
            logger.warning("Connection %s could not be fetched: %s", connection_id, type(error).__name__)
    except TokensUnavailableError as error:
        logger.warning("Connection %s could not be fetched: %s", connection_id, type(error).__name__)


@shared_task
def fetch_due() -> None:
    """Fetches vehicles that commands and connections have recorded as due."""
    polling.enqueue_due_fetches(now=timezone.now())


@shared_task
def poll_silent_vehicles() -> None:
    """Fetches vehicles that have not delivered for much longer than usual."""
    silence_monitor.poll_silent(now=timezone.now())


@shared_task
def purge() -> None:
    """Deletes inbox entries whose retention period is over, and those of applications that have too many."""
    retention.purge(now=timezone.now())
    retention.trim_unrecorded()


@shared_task
def finish_application_cutover() -> None:
    """Ends the former connections of vehicles that deliver through the new application."""
    application_cutover.finish_cutover()


accept_former_name("webhooks.tasks.pull", fetch_vehicle)
accept_former_name("webhooks.tasks.read_silent", poll_silent_vehicles)
accept_former_name("webhooks.tasks.tidy_inbox", purge)
accept_former_name("webhooks.tasks.retire_replaced", finish_application_cutover)

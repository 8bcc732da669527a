import logging
import threading
from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from connect.gateway import CallPurpose
from connect.models import Connection
from connect.token_store import TokensUnavailableError
from smartcar_api import SmartcarError
from webhooks import application_cutover, polling, processing, retention, silence_monitor

logger = logging.getLogger(__name__)


# Under a load that never ends a task would never, either; what takes too long is given to another worker.
TURN_SECONDS = 60.0
_processing = threading.Lock()
_rung = threading.Event()


@shared_task
def process_inbox() -> None:
    """Rung by the receiver, swept by beat. Several worker processes share what waits; in each of them one thread
    works and takes what the others were rung for, so that batches grow with the load instead of crumbling.
    """
    _rung.set()
    while _rung.is_set() and _processing.acquire(blocking=False):
        try:
            _rung.clear()
            processing.process_waiting(seconds=TURN_SECONDS)
        finally:
            _processing.release()


@shared_task
def release_quarantined() -> None:
    """Releases what waited for its car to be connected."""
    if processing.release_quarantined():
        processing.process_waiting()


@shared_task
def pull(connection_id: int) -> None:
    """Reads one car through the API. What finds no room in the request budget is put off, not failed."""
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
            logger.warning("Connection %s could not be read: %s", connection_id, type(error).__name__)
    except TokensUnavailableError as error:
        logger.warning("Connection %s could not be read: %s", connection_id, type(error).__name__)


@shared_task
def read_silent() -> None:
    """Has cars read that are silent for longer than they ever are."""
    silence_monitor.poll_silent(now=timezone.now())


@shared_task
def tidy_inbox() -> None:
    """Drops what the inbox need not keep any longer."""
    retention.purge(now=timezone.now())


@shared_task
def retire_replaced() -> None:
    """Ends the old connections of cars that were moved to another application and deliver by it."""
    application_cutover.finish_cutover()

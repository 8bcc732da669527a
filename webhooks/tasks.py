import logging
import threading

from celery import shared_task

from connect.gateway import Purpose
from connect.models import Connection
from connect.smartcar import SmartcarError
from connect.vault import TokensUnavailableError
from webhooks import processing, reconcile, replacing

logger = logging.getLogger(__name__)


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
            processing.process_waiting()
        finally:
            _processing.release()


@shared_task
def release_quarantined() -> None:
    """Releases what waited for its car to be connected."""
    if processing.release_quarantined():
        processing.process_waiting()


@shared_task
def pull(connection_id: int) -> None:
    """Reads one car through the API."""
    connection = Connection.objects.select_related("vehicle", "tokens").filter(pk=connection_id).first()
    if connection is None or not connection.granted:
        return
    try:
        reconcile.pull(connection=connection, purpose=Purpose.BACKGROUND)
    except (SmartcarError, TokensUnavailableError) as error:
        logger.warning("Connection %s could not be read: %s", connection_id, type(error).__name__)


@shared_task
def retire_replaced() -> None:
    """Ends the old connections of cars that their fleet's new application delivers."""
    replacing.retire_replaced()


@shared_task
def pull_silent() -> None:
    """Reads connected cars that never delivered."""
    for connection_id in reconcile.silent():
        pull.delay(connection_id)

"""Ringing a Celery task once the transaction is in.

A silent broker costs latency, never data: sweepers find the work.
"""

import logging

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)


def ring(task: str, *ids: int) -> None:
    """Enqueues the task of this name on commit. Arguments are row ids: nothing else is fit to lie in a broker."""
    transaction.on_commit(lambda: ring_now(task, *ids))


def ring_now(task: str, *ids: int) -> None:
    """Enqueues it at once, for rows that are in already. May block for as long as the broker's time-outs."""
    try:
        current_app.send_task(task, args=ids)
    except (OperationalError, RedisError, OSError) as error:
        logger.warning("The broker did not take %s (%s); the sweeper will.", task, type(error).__name__)

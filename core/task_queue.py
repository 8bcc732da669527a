"""Enqueuing Celery tasks once the transaction is committed.

When the broker is unavailable, tasks start later but no work is lost: periodic sweepers find due rows.
"""

import logging

from celery import Task, current_app, shared_task
from django.db import transaction
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)


def enqueue_on_commit(task: str, *ids: int) -> None:
    """Enqueues the task with this name on commit. Arguments are row ids; no other data goes to the broker."""
    transaction.on_commit(lambda: enqueue(task, *ids))


def enqueue(task: str, *ids: int) -> None:
    """Enqueues the task immediately, for rows already committed. Blocks no longer than the broker's timeouts."""
    try:
        current_app.send_task(task, args=ids)
    except (OperationalError, RedisError, OSError) as error:
        logger.warning("The broker did not accept %s (%s); the sweeper will.", task, type(error).__name__)


def accept_former_name(name: str, task: Task[..., None]) -> None:
    """Lets messages that version 0.1 enqueued under this name run the task. To be removed with the next release."""

    @shared_task(name=name)
    def run(*ids: int) -> None:
        task(*ids)

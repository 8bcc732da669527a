from importlib import import_module

from celery import shared_task
from django.db import connection, transaction
from django.utils import timezone

from alerts import detectors, emails, retention
from core.task_queue import accept_former_name


@shared_task
def send_digests() -> None:
    """Queues the emails about new alerts."""
    emails.build_digests(now=timezone.now())


@shared_task
def detect_missed() -> None:
    """Raises and resolves alerts whose conditions were missed."""
    detectors.run_all(now=timezone.now())


@shared_task
def purge_alerts() -> None:
    """Deletes alerts that were resolved long ago."""
    retention.purge(now=timezone.now())


# Names that version 0.1 may still enqueue while it is running; to be removed with its tables.


@shared_task
def post_notices() -> None:
    """Queues the emails that version 0.1 has not sent, and digests of new alerts."""
    carry = import_module("alerts.migrations.0002_outgoing_emails").carry
    with transaction.atomic(), connection.cursor() as cursor:
        carry(cursor)
    send_digests()


@shared_task
def mail_letter(letter_id: int) -> None:
    """An email about alerts, enqueued by version 0.1."""
    post_notices()


accept_former_name("alerts.tasks.tidy_notices", purge_alerts)

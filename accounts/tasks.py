"""Names of tasks that the version before this one may still enqueue; to be removed with its tables."""

from importlib import import_module

from celery import shared_task
from django.db import connection, transaction


@shared_task
def mail_unsent() -> None:
    """Queues the emails that the old version left unsent."""
    carry = import_module("accounts.migrations.0016_outgoing_emails").carry
    with transaction.atomic(), connection.cursor() as cursor:
        carry(cursor)


@shared_task
def mail_letter(letter_id: int) -> None:
    """An email about an account, enqueued by the old version."""
    mail_unsent()


@shared_task
def mail_member_invitation(invitation_id: int) -> None:
    """An invitation, enqueued by the old version."""
    mail_unsent()

"""Tasks that version 0.1 may have enqueued. They are to be removed together with its tables."""

from importlib import import_module

from celery import shared_task
from django.db import connection, transaction


@shared_task
def mail_unsent() -> None:
    """Queues the emails that version 0.1 didn't send."""
    carry = import_module("accounts.migrations.0016_outgoing_emails").carry
    with transaction.atomic(), connection.cursor() as cursor:
        carry(cursor)


@shared_task
def mail_letter(letter_id: int) -> None:
    """Handles an account email that version 0.1 enqueued."""
    mail_unsent()


@shared_task
def mail_member_invitation(invitation_id: int) -> None:
    """Handles an invitation email that version 0.1 enqueued."""
    mail_unsent()

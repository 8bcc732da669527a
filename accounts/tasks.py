from importlib import import_module

from celery import shared_task
from django.db import connection, transaction
from django.utils import timezone

from accounts import retention


@shared_task
def purge() -> None:
    """Deletes old sessions and invitations."""
    retention.purge(now=timezone.now())


# Version 0.1 may still enqueue these tasks. They can be removed together with its tables.


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

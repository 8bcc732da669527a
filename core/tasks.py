from celery import shared_task
from django.utils import timezone

from core.mail import sender, services
from core.task_queue import enqueue


@shared_task
def send_email(email_id: int) -> None:
    """Makes one attempt to send an email."""
    sender.send(email_id=email_id, now=timezone.now())


@shared_task
def send_due_emails() -> None:
    """Enqueues emails whose retry is due, whose task was lost, or whose worker died."""
    for email_id in services.due_emails(now=timezone.now()):
        enqueue("core.tasks.send_email", email_id)


@shared_task
def purge_emails() -> None:
    """Deletes emails that were finished long ago."""
    services.purge(now=timezone.now())

from celery import shared_task
from django.utils import timezone

from alerts import email_digest, retention
from alerts.models import Letter


@shared_task
def post_notices() -> None:
    """Makes letters of what is new, and sends those that were left unsent."""
    email_digest.gather(now=timezone.now())
    for letter in email_digest.unsent(now=timezone.now()):
        email_digest.mail(letter=letter, now=timezone.now())


@shared_task
def mail_letter(letter_id: int) -> None:
    """Sends one letter."""
    letter = Letter.objects.select_related("fleet", "user").filter(pk=letter_id).first()
    if letter is not None:
        email_digest.mail(letter=letter, now=timezone.now())


@shared_task
def tidy_notices() -> None:
    """Removes what was over a year ago."""
    retention.tidy(now=timezone.now())

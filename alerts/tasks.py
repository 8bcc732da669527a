from celery import shared_task
from django.utils import timezone

from alerts import keeping, posting
from alerts.models import Letter


@shared_task
def post_notices() -> None:
    """Makes letters of what is new, and sends those that were left unsent."""
    posting.gather(now=timezone.now())
    for letter in posting.unsent(now=timezone.now()):
        posting.mail(letter=letter, now=timezone.now())


@shared_task
def mail_letter(letter_id: int) -> None:
    """Sends one letter."""
    letter = Letter.objects.select_related("fleet", "user").filter(pk=letter_id).first()
    if letter is not None:
        posting.mail(letter=letter, now=timezone.now())


@shared_task
def tidy_notices() -> None:
    """Removes what was over a year ago."""
    keeping.tidy(now=timezone.now())

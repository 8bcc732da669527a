"""Helpers that send queued emails as the workers do."""

from django.core import mail
from django.utils import timezone

from core.mail.models import EmailState, OutgoingEmail
from core.mail.sender import send


def send_pending() -> list[str]:
    """Sends the pending emails. Returns their texts."""
    before = len(mail.outbox)
    for email in OutgoingEmail.objects.filter(state=EmailState.PENDING).order_by("created_at", "pk"):
        send(email_id=email.pk, now=timezone.now())
    return [str(sent.body) for sent in mail.outbox[before:]]


def pending() -> int:
    """Returns the number of emails to be sent."""
    return OutgoingEmail.objects.filter(state=EmailState.PENDING).count()

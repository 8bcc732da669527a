"""Sending queued emails in tests, as the workers do."""

from django.core import mail
from django.utils import timezone

from core.mail.models import EmailState, OutgoingEmail
from core.mail.sender import send


def send_pending() -> list[str]:
    """Sends the emails that wait; returns the texts."""
    before = len(mail.outbox)
    for email in OutgoingEmail.objects.filter(state=EmailState.PENDING).order_by("created_at", "pk"):
        send(email_id=email.pk, now=timezone.now())
    return [str(sent.body) for sent in mail.outbox[before:]]


def pending() -> int:
    """How many emails wait to be sent."""
    return OutgoingEmail.objects.filter(state=EmailState.PENDING).count()

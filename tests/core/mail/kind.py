"""A kind of email for the tests, also registered in the processes that they start."""

from accounts.models import User
from core.mail.kinds import EmailKind, RenderedEmail, register
from core.mail.models import OutgoingEmail

NOTE = "tests.note"


def render_note(email: OutgoingEmail) -> RenderedEmail | None:
    """Returns a greeting, or None for an inactive user. Raises KeyError if the row's parameters request that."""
    user = User.objects.filter(pk=email.object_id, is_active=True).first()
    if email.params.get("broken"):
        raise KeyError("nia@home.example")
    return RenderedEmail("A note", "Hello") if user is not None else None


def register_note() -> None:
    register(EmailKind(NOTE, "Note", User, render_note))


def send_in_own_process(email_id: int) -> None:
    """Send the email as a worker's process does."""
    from django.utils import timezone

    from core.mail.sender import send

    register_note()
    send(email_id=email_id, now=timezone.now())

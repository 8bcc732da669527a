"""The outgoing email and the codes of its state and errors."""

import uuid
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class EmailState(models.TextChoices):
    PENDING = "pending", _("Requested")
    SENDING = "sending", _("Sending")
    SENT = "sent", _("Sent")
    FAILED = "failed", _("Not sent")
    CANCELED = "canceled", _("Canceled")


class EmailError(models.TextChoices):
    """Why the last attempt failed. Only the rejections of a recipient and of a message are final."""

    UNREACHABLE = "unreachable", _("The mail server couldn't be reached.")
    SIGN_IN_FAILED = "sign_in_failed", _("The mail server didn't accept our sign-in.")
    SENDER_REJECTED = "sender_rejected", _("The mail server rejected the sender address.")
    RECIPIENT_REJECTED = "recipient_rejected", _("The mail server rejected the recipient's address.")
    MESSAGE_REJECTED = "message_rejected", _("The mail server rejected the email.")
    DEFERRED = "deferred", _("The mail server temporarily refused the email.")
    CONNECTION_LOST = "connection_lost", _("The connection to the mail server was lost.")
    NOT_RENDERED = "not_rendered", _("The email couldn't be created.")
    INTERRUPTED = "interrupted", _("Sending was interrupted.")
    TOO_LATE = "too_late", _("The email couldn't be sent in time.")


# An email that couldn't be sent for this long has failed.
GIVE_UP_AFTER = timedelta(days=1)
FINISHED = (EmailState.SENT, EmailState.FAILED, EmailState.CANCELED)


def new_message_id() -> str:
    """A Message-ID that no other email has, in the site's domain."""
    return f"<{uuid.uuid4().hex}@{urlsplit(settings.SITE_URL).hostname}>"


class OutgoingEmail(models.Model):
    """An email to one recipient. Subject and text are rendered from `kind`, `object_id` and `params` on sending.

    `kind` is a code of a registered EmailKind, which also defines the model that `object_id` refers to. `params` holds
    further codes and ids for the renderer, never a secret. An attempt holds the row until `leased_until`; `attempts`
    distinguishes one attempt from the next.
    """

    kind = models.CharField(max_length=60)
    object_id = models.BigIntegerField()
    params = models.JSONField(default=dict, blank=True)
    recipient = models.EmailField()
    language = models.CharField(max_length=10, blank=True)
    message_id = models.CharField(max_length=320, unique=True, default=new_message_id, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    state = models.CharField(max_length=8, choices=EmailState.choices, default=EmailState.PENDING)
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(default=timezone.now)
    give_up_at = models.DateTimeField()
    leased_until = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=20, choices=EmailError.choices, blank=True)
    error_params = models.JSONField(default=dict, blank=True)
    # The server's own message, without addresses and links.
    smtp_response = models.CharField(max_length=200, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        indexes = [
            models.Index(fields=["kind", "object_id", "-created_at"], name="core_email_object"),
            models.Index(
                fields=["next_attempt_at"], name="core_email_pending", condition=models.Q(state="pending")
            ),
            models.Index(
                fields=["leased_until"], name="core_email_sending", condition=models.Q(state="sending")
            ),
            models.Index(
                fields=["finished_at"],
                name="core_email_finished",
                condition=models.Q(finished_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"Email {self.pk} ({self.kind})"

    @property
    def is_failed(self) -> bool:
        """Whether the sender has given up."""
        return self.state == EmailState.FAILED

    @property
    def is_retrying(self) -> bool:
        """Whether an attempt failed and another will follow."""
        return self.state in (EmailState.PENDING, EmailState.SENDING) and bool(self.error)

    @property
    def error_message(self) -> str:
        """The reason for the last failed attempt, in the active language; "" without one."""
        return str(EmailError(self.error).label) if self.error in EmailError.values else ""

    @property
    def queued_at(self) -> datetime:
        """When the email was queued, or queued again."""
        return self.give_up_at - GIVE_UP_AFTER

"""The inbox: every delivery and API response, stored as received and before it is interpreted."""

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.message_codes import CODE_LENGTH, Message, render


class Source(models.TextChoices):
    WEBHOOK = "webhook", _("Webhook")
    PULL_V2 = "pull_v2", _("API v2")
    PULL_V3 = "pull_v3", _("API v3")


class EntryState(models.TextChoices):
    WAITING = "waiting", _("Queued")
    PROCESSED = "processed", _("Processed")
    DUPLICATE = "duplicate", _("Duplicate")
    TEST = "test", _("Test, not recorded")
    QUARANTINED = "quarantined", _("Quarantined")
    DEAD = "dead", _("Processing failed")


class InboxEntry(models.Model):
    """One delivery or API response. Every state but `waiting` is final; an event ID is processed at most once."""

    source = models.CharField(max_length=8, choices=Source.choices, default=Source.WEBHOOK)
    received_at = models.DateTimeField()
    body = models.BinaryField()
    # The application whose management token signed the delivery (null: the one in the settings), and which token.
    application = models.ForeignKey(
        "connect.SmartcarApplication",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )
    key_fingerprint = models.CharField(max_length=16, blank=True, default="", db_default="")
    # Written by versions before 0.2.0, and read while any of them may be running (webhooks.keys).
    signed_with = models.CharField(max_length=64, blank=True, default="", db_default="", editable=False)
    smartcar_vehicle_id = models.CharField("Smartcar vehicle id", max_length=128, blank=True)
    event_id = models.CharField(max_length=128, blank=True)
    event_type = models.CharField(max_length=40, blank=True)
    state = models.CharField(max_length=12, choices=EntryState.choices, default=EntryState.WAITING)
    note_code = models.CharField(max_length=CODE_LENGTH, blank=True, default="", db_default="")
    note_params = models.JSONField(blank=True, default=dict, db_default={})
    attempts = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True, blank=True)
    processed_at = models.DateTimeField(null=True, blank=True)
    traceback = models.TextField(blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "inbox entries"
        indexes = [
            models.Index(fields=["id"], name="webhooks_waiting", condition=Q(state=EntryState.WAITING)),
            # Excludes new entries: their vehicle isn't known before processing, and the receiver inserts faster.
            models.Index(
                fields=["smartcar_vehicle_id", "received_at"],
                name="webhooks_of_a_vehicle_by_time",
                condition=~Q(smartcar_vehicle_id=""),
            ),
            models.Index(
                fields=["smartcar_vehicle_id"],
                name="webhooks_quarantine",
                condition=Q(state=EntryState.QUARANTINED),
            ),
            # The few entries that may need attention, among the many that were processed.
            models.Index(
                fields=["state", "id"],
                name="webhooks_set_aside",
                condition=~Q(state__in=[EntryState.WAITING, EntryState.PROCESSED]),
            ),
            models.Index(
                fields=["event_type", "id"],
                name="webhooks_rare_types",
                condition=~Q(event_type__in=["", "VEHICLE_STATE"]),
            ),
            # Rows are stored in the order of receipt, so a BRIN index is sufficient, and costs next to nothing.
            BrinIndex(fields=["received_at"], name="webhooks_received", pages_per_range=32),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["event_id"],
                name="webhooks_event_once",
                condition=Q(state=EntryState.PROCESSED) & ~Q(event_id=""),
            )
        ]

    def __str__(self) -> str:
        return f"{self.event_type or self.get_source_display()} {self.pk}"

    @property
    def note(self) -> str:
        """Why the delivery was not recorded, or not in full, in the active language."""
        return render(self.note_code, self.note_params)

    def set_note(self, message: Message) -> None:
        """Sets the note to a message of webhooks.messages, without saving."""
        self.note_code, self.note_params = message.code, message.params


from webhooks.rejections import RejectedDeliveryCount as RejectedDeliveryCount  # noqa: E402
from webhooks.silence_monitor import DeliveryCadence as DeliveryCadence  # noqa: E402
from webhooks.vehicle_errors import VehicleError as VehicleError  # noqa: E402

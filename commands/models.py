"""The command ledger: one row per command and car, never deleted, each change of state with its time."""

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import Fleet, Generation, User
from commands import parameters as of_command
from commands.kinds import Kind
from connect.models import Connection
from vehicles.models import Vehicle


class State(models.TextChoices):
    """requested → sending → accepted → confirmed, or one of the ends that explain why not."""

    REQUESTED = "requested", "Waiting to be sent"
    SENDING = "sending", "Being sent"
    ACCEPTED = "accepted", "Waiting for the car"
    CONFIRMED = "confirmed", "Confirmed by the car"
    UNCONFIRMED = "unconfirmed", "Accepted, not confirmed"
    UNKNOWN = "unknown", "Outcome unknown"
    REFUSED = "refused", "Refused"
    FAILED = "failed", "Failed"
    EXPIRED = "expired", "Expired before it was sent"


# A later signal may still settle these.
AWAITING_SIGNAL = (State.SENDING, State.ACCEPTED, State.UNKNOWN)
UNDELIVERED = (State.REQUESTED, State.SENDING)


class Command(models.Model):
    """One command to one car."""

    fleet = models.ForeignKey(Fleet, on_delete=models.CASCADE, related_name="commands")
    vehicle = models.ForeignKey(Vehicle, on_delete=models.CASCADE, related_name="commands")
    connection = models.ForeignKey(Connection, on_delete=models.SET_NULL, null=True, related_name="commands")
    kind = models.CharField(max_length=24, choices=Kind.choices)
    parameters = models.JSONField(default=dict, blank=True)
    generation = models.CharField(max_length=2, choices=Generation.choices)
    state = models.CharField(max_length=12, choices=State.choices, default=State.REQUESTED)
    requested_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    requested_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    accepted_at = models.DateTimeField(null=True, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)
    message = models.CharField(max_length=300, blank=True)
    error_type = models.CharField(max_length=60, blank=True)
    error_code = models.CharField(max_length=60, blank=True)
    request_id = models.CharField(max_length=80, blank=True)
    execution_id = models.CharField(max_length=80, blank=True)
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-requested_at", "-id"]
        indexes = [
            models.Index(fields=["vehicle", "-requested_at"], name="commands_recent"),
            models.Index(
                fields=["state"],
                name="commands_open",
                condition=Q(state__in=[*UNDELIVERED, State.ACCEPTED, State.UNKNOWN]),
            ),
        ]
        constraints = [
            # Two managers pressing at once: the second finds the first's command under way.
            models.UniqueConstraint(
                fields=["vehicle"], name="commands_one_under_way", condition=Q(state__in=UNDELIVERED)
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.vehicle}"

    @property
    def title(self) -> str:
        """What was asked for, in words, with its parameters."""
        carried = of_command.in_words(Kind(self.kind), self.parameters)
        return f"{self.get_kind_display()} {carried}".rstrip()

    @property
    def open(self) -> bool:
        """Whether its state may still change by itself."""
        return self.state in (*UNDELIVERED, State.ACCEPTED)

    def move(self, *, to: State, come_from: tuple[State, ...], now: datetime, **columns: object) -> bool:
        """Changes the state if it is still one of `come_from`: exactly one of several processes succeeds."""
        mine = Command.objects.filter(pk=self.pk, state__in=come_from)
        return mine.update(state=to, changed_at=now, **columns) == 1

    def claim(self, *, now: datetime) -> bool:
        """Takes the command for sending, once and for all, unless it has expired."""
        mine = Command.objects.filter(pk=self.pk, state=State.REQUESTED, expires_at__gt=now)
        return mine.update(state=State.SENDING, sent_at=now, changed_at=now) == 1

"""The command ledger: one row per command and car, never deleted, each change of state with its time."""

from datetime import datetime
from typing import Any

from django.db import models, transaction
from django.db.models import Q
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Fleet, SmartcarApiVersion, User
from commands import parameters as of_command
from commands.messages import MessageFields, message_columns
from commands.types import UNLOCKING, CommandType
from connect.models import Connection
from core import pubsub
from core.message_codes import Message
from core.pubsub import Channel
from vehicles.models import Vehicle


class CommandState(models.TextChoices):
    """requested → sending → accepted → confirmed, or one of the ends that explain why not."""

    QUEUED = "queued", _("Queued")
    WAITING = "waiting", _("Waiting for vehicle")
    REQUESTED = "requested", _("Requested")
    SENDING = "sending", _("Sending")
    RETRYING = "retrying", _("Retrying")
    ACCEPTED = "accepted", _("Accepted")
    CONFIRMED = "confirmed", _("Confirmed")
    UNCONFIRMED = "unconfirmed", _("Accepted (unconfirmed)")
    UNKNOWN = "unknown", _("Unknown")
    REFUSED = "refused", _("Rejected")
    FAILED = "failed", _("Failed")
    EXPIRED = "expired", _("Expired")
    CANCELLED = "cancelled", _("Canceled")


# A later signal may still settle these.
AWAITING_SIGNAL = (
    CommandState.SENDING,
    CommandState.RETRYING,
    CommandState.ACCEPTED,
    CommandState.UNKNOWN,
    CommandState.UNCONFIRMED,
)
# One of them per car: what is on its way to the car now.
UNDELIVERED = (CommandState.REQUESTED, CommandState.SENDING, CommandState.RETRYING)
# Nothing of it has left this machine yet.
UNSENT = (CommandState.QUEUED, CommandState.WAITING, CommandState.REQUESTED)
# Kept moving by the sweeper.
OPEN = (CommandState.QUEUED, CommandState.WAITING, *UNDELIVERED, CommandState.ACCEPTED, CommandState.UNKNOWN)
# Errors of a car that passes its next sign of life.
ASLEEP = frozenset({"ASLEEP", "UNREACHABLE"})


class Command(MessageFields):
    """One command to one car."""

    fleet = models.ForeignKey(Fleet, on_delete=models.CASCADE, related_name="commands")
    vehicle = models.ForeignKey(Vehicle, on_delete=models.CASCADE, related_name="commands")
    connection = models.ForeignKey(Connection, on_delete=models.SET_NULL, null=True, related_name="commands")
    bulk = models.ForeignKey(
        "commands.BulkCommand", on_delete=models.SET_NULL, null=True, blank=True, related_name="commands"
    )
    kind = models.CharField(max_length=24, choices=CommandType.choices)
    parameters = models.JSONField(default=dict, blank=True)
    api_version = models.CharField(db_column="generation", max_length=2, choices=SmartcarApiVersion.choices)
    state = models.CharField(max_length=12, choices=CommandState.choices, default=CommandState.REQUESTED)
    requested_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    reason = models.CharField(max_length=200, blank=True)
    idempotency_key = models.CharField(max_length=80, blank=True)
    fingerprint = models.CharField(max_length=64, blank=True)
    requested_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True, blank=True)
    accepted_at = models.DateTimeField(null=True, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)
    reads = models.PositiveSmallIntegerField(default=0)
    next_read_at = models.DateTimeField(null=True, blank=True)
    error_type = models.CharField(max_length=60, blank=True)
    error_code = models.CharField(max_length=60, blank=True)
    request_id = models.CharField(max_length=80, blank=True)
    execution_id = models.CharField(max_length=80, blank=True)
    schedule_id = models.CharField(max_length=80, blank=True)
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-requested_at", "-id"]
        indexes = [
            models.Index(fields=["vehicle", "-requested_at"], name="commands_recent"),
            models.Index(fields=["fleet", "-requested_at"], name="commands_of_fleet"),
            models.Index(fields=["state"], name="commands_open_now", condition=Q(state__in=OPEN)),
        ]
        constraints = [
            # Two managers pressing at once: the second finds the first's command under way.
            models.UniqueConstraint(
                fields=["vehicle"], name="commands_one_on_its_way", condition=Q(state__in=UNDELIVERED)
            ),
            models.UniqueConstraint(
                fields=["requested_by", "idempotency_key"],
                name="commands_key_once",
                condition=~Q(idempotency_key=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.vehicle}"

    @property
    def title(self) -> str:
        """What was asked for, in words, with its parameters."""
        carried = of_command.describe_parameters(CommandType(self.kind), self.parameters)
        return f"{self.get_kind_display()} {carried}".rstrip()

    @property
    def open(self) -> bool:
        """Whether its state may still change by itself."""
        return self.state in OPEN

    @property
    def cancellable(self) -> bool:
        return self.state in UNSENT

    @property
    def may_wait_for_the_car(self) -> bool:
        """Whether it was refused by a car that sleeps, and may be sent once when it wakes. What opens a car may not."""
        asleep = self.error_type == "VEHICLE_STATE" and self.error_code in ASLEEP
        return self.state == CommandState.REFUSED and asleep and self.kind not in UNLOCKING

    def move(
        self,
        *,
        to: CommandState,
        come_from: tuple[CommandState, ...],
        now: datetime,
        message: Message | None = None,
        smartcar_message: str = "",
        **columns: Any,
    ) -> bool:
        """Changes the state if it is still one of `come_from`: exactly one of several processes succeeds.

        The change is recorded with its time and message. Without a message the command keeps the one it has.
        """
        if message is not None:
            columns |= message_columns(message, smartcar_message)
        with transaction.atomic():
            mine = Command.objects.filter(pk=self.pk, state__in=come_from)
            moved = mine.update(state=to, changed_at=now, **columns) == 1
            if moved:
                self.note_change(to=to, now=now, message=message, smartcar_message=smartcar_message)
        return moved

    def claim(self, *, now: datetime) -> bool:
        """Takes the command for sending, once and for all, unless it has expired."""
        with transaction.atomic():
            due = Q(next_try_at=None) | Q(next_try_at__lte=now)
            mine = Command.objects.filter(
                due, pk=self.pk, state__in=(CommandState.REQUESTED, CommandState.RETRYING), expires_at__gt=now
            )
            claimed = mine.update(
                state=CommandState.SENDING, claimed_at=now, changed_at=now, attempts=models.F("attempts") + 1
            )
            if claimed:
                self.note_change(to=CommandState.SENDING, now=now)
        return claimed == 1

    def mark_sent(self, *, now: datetime) -> bool:
        """Writes down, right before the call, that the car may hear it from now on; false if it is too late for that.

        A claim without this mark has sent nothing, whatever became of its process.
        """
        mine = Command.objects.filter(pk=self.pk, state=CommandState.SENDING, expires_at__gt=now)
        return mine.update(sent_at=Coalesce("sent_at", now)) == 1

    def note_change(
        self, *, to: CommandState, now: datetime, message: Message | None = None, smartcar_message: str = ""
    ) -> None:
        """Adds a line to the command's history, and notifies the open pages about the car."""
        CommandEvent.objects.create(
            command=self, state=to, at=now, **message_columns(message or Message(), smartcar_message)
        )
        pubsub.publish_on_commit(channel=Channel.COMMANDS, vehicles={self.fleet_id: [self.vehicle_id]})


class CommandEvent(MessageFields):
    """A command came into a state. Written once, with the change itself."""

    command = models.ForeignKey(Command, on_delete=models.CASCADE, related_name="changes")
    state = models.CharField(max_length=12, choices=CommandState.choices)
    at = models.DateTimeField()

    class Meta:
        db_table = "commands_change"
        ordering = ["at", "id"]

    def __str__(self) -> str:
        return f"{self.get_state_display()}, {self.at:%Y-%m-%d %H:%M:%S}"


class ReasonRequirement(models.TextChoices):
    NOTHING = "nothing", _("No reason required")
    UNLOCK = "unlock", _("Reason required to unlock")
    EVERYTHING = "everything", _("Reason required for every command")


class CommandPolicy(models.Model):
    """What a fleet asks of those who send commands. A fleet without a row asks for nothing."""

    fleet = models.OneToOneField(
        Fleet, on_delete=models.CASCADE, primary_key=True, related_name="command_policy"
    )
    reason_for = models.CharField(
        max_length=12, choices=ReasonRequirement.choices, default=ReasonRequirement.NOTHING
    )

    class Meta:
        verbose_name_plural = "command policies"

    def __str__(self) -> str:
        return f"{self.fleet}: {self.get_reason_for_display()}"

    def needs_reason(self, kind: CommandType) -> bool:
        """Whether this command has to say why."""
        wanted = {ReasonRequirement.EVERYTHING: True, ReasonRequirement.UNLOCK: kind in UNLOCKING}
        return wanted.get(ReasonRequirement(self.reason_for), False)


# Part of the app, in modules of their own.
from commands.bulk.models import BulkCommand as BulkCommand  # noqa: E402

"""The command history: one row per command and vehicle, never deleted, with the time of each state change."""

from datetime import datetime, timedelta
from typing import Any

from django.db import models, transaction
from django.db.models import Q
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import ApiToken, Fleet, SmartcarApiVersion, User
from commands import parameters as of_command
from commands.messages import MessageFields, message_columns
from commands.types import UNLOCKING, CommandType
from connect.models import Connection
from core import pubsub
from core.message_codes import Message
from core.pubsub import Channel
from smartcar_api.error_docs import documentation_url
from vehicles.models import Vehicle


class CommandState(models.TextChoices):
    """The states of a command: requested → sending → accepted → confirmed, or a final state that explains why not."""

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
    SUPERSEDED = "superseded", _("Superseded")


# A later signal may still settle these.
AWAITING_SIGNAL = (
    CommandState.SENDING,
    CommandState.RETRYING,
    CommandState.ACCEPTED,
    CommandState.UNKNOWN,
    CommandState.UNCONFIRMED,
)
# In progress: at most one command per vehicle is in these states.
UNDELIVERED = (CommandState.REQUESTED, CommandState.SENDING, CommandState.RETRYING)
# Nothing was sent to Smartcar yet.
UNSENT = (CommandState.QUEUED, CommandState.WAITING, CommandState.REQUESTED)
# The sweeper processes these.
OPEN = (CommandState.QUEUED, CommandState.WAITING, *UNDELIVERED, CommandState.ACCEPTED, CommandState.UNKNOWN)
# A request may take this long to reach Smartcar, on a busy machine, too.
_TIME_TO_ARRIVE = timedelta(seconds=2)
# A signal from later than this may be the result of another action.
EVIDENCE_MAX_AGE = timedelta(hours=24)
# Errors that resolve when the vehicle reports again.
ASLEEP = frozenset({"ASLEEP", "UNREACHABLE"})


class Command(MessageFields):
    """One command to one vehicle."""

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
    # A service account's token, in place of a user.
    requested_by_account = models.ForeignKey(
        ApiToken, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
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
            # If two managers send a command at the same time, the second one finds the first in progress.
            models.UniqueConstraint(
                fields=["vehicle"], name="commands_one_on_its_way", condition=Q(state__in=UNDELIVERED)
            ),
            models.UniqueConstraint(
                fields=["requested_by", "idempotency_key"],
                name="commands_key_once",
                condition=~Q(idempotency_key=""),
            ),
            models.UniqueConstraint(
                fields=["requested_by_account", "idempotency_key"],
                name="commands_account_key_once",
                condition=Q(requested_by_account__isnull=False) & ~Q(idempotency_key=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.vehicle}"

    @property
    def requester(self) -> User | str | None:
        """The user or the name of the service account that requested the command; None for a deleted user."""
        if self.requested_by is not None or self.requested_by_account is None:
            return self.requested_by
        return self.requested_by_account.name

    @property
    def title(self) -> str:
        """The label of the command with its parameters."""
        text = of_command.describe_parameters(CommandType(self.kind), self.parameters)
        return f"{self.get_kind_display()} {text}".rstrip()

    @property
    def open(self) -> bool:
        """Whether the state may still change without a user's action. An unknown command's can't after a day."""
        if self.state == CommandState.UNKNOWN:
            return timezone.now() < (self.sent_at or self.changed_at) + EVIDENCE_MAX_AGE
        return self.state in OPEN

    @property
    def cancellable(self) -> bool:
        return self.state in UNSENT

    @property
    def can_retry_when_online(self) -> bool:
        """Whether a sleeping vehicle rejected the command, which can then be sent when it wakes.

        Never true for unlocks.
        """
        asleep = self.error_type == "VEHICLE_STATE" and self.error_code in ASLEEP
        return self.state == CommandState.REFUSED and asleep and self.kind not in UNLOCKING

    def transition(
        self,
        *,
        to: CommandState,
        from_states: tuple[CommandState, ...],
        now: datetime,
        message: Message | None = None,
        smartcar_message: str = "",
        **columns: Any,
    ) -> bool:
        """Changes the state if it is one of `from_states`. Of several concurrent processes, exactly one succeeds.

        The change is recorded with its time and message. Without a message, the command's previous one remains.
        """
        if message is not None:
            columns |= message_columns(message, smartcar_message)
        with transaction.atomic():
            query = Command.objects.filter(pk=self.pk, state__in=from_states)
            changed = query.update(state=to, changed_at=now, **columns) == 1
            if changed:
                self.log_transition(to=to, now=now, message=message, smartcar_message=smartcar_message)
        return changed

    @property
    def documentation_url(self) -> str:
        """The page of Smartcar's documentation about the error, "" if there is none."""
        return documentation_url(self.error_type, self.error_code)

    def claim(self, *, now: datetime) -> bool:
        """Claims the command for sending, unless it has expired. Only one process can claim it."""
        with transaction.atomic():
            due = Q(next_try_at=None) | Q(next_try_at__lte=now)
            query = Command.objects.filter(
                due, pk=self.pk, state__in=(CommandState.REQUESTED, CommandState.RETRYING), expires_at__gt=now
            )
            claimed = query.update(
                state=CommandState.SENDING, claimed_at=now, changed_at=now, attempts=models.F("attempts") + 1
            )
            if claimed:
                self.log_transition(to=CommandState.SENDING, now=now)
        return claimed == 1

    def mark_sent(self, *, now: datetime) -> bool:
        """Records, right before the call, that the vehicle may receive the command from now on.

        Returns False if it is too late to send: the command could arrive after its expiry. A claim without this mark
        has sent nothing, whatever happened to its process.
        """
        query = Command.objects.filter(
            pk=self.pk, state=CommandState.SENDING, expires_at__gt=now + _TIME_TO_ARRIVE
        )
        return query.update(sent_at=Coalesce("sent_at", now)) == 1

    def log_transition(
        self, *, to: CommandState, now: datetime, message: Message | None = None, smartcar_message: str = ""
    ) -> None:
        """Adds an entry to the command's history and notifies open pages about the vehicle."""
        CommandEvent.objects.create(
            command=self, state=to, at=now, **message_columns(message or Message(), smartcar_message)
        )
        pubsub.publish_on_commit(channel=Channel.COMMANDS, vehicles={self.fleet_id: [self.vehicle_id]})


class CommandEvent(MessageFields):
    """A state change of a command. Written once, together with the change."""

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
    """Which commands of a fleet need a reason. Without a row, none do."""

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
        """Whether this command needs a reason."""
        required = {ReasonRequirement.EVERYTHING: True, ReasonRequirement.UNLOCK: kind in UNLOCKING}
        return required.get(ReasonRequirement(self.reason_for), False)


# Models of this app that are defined in other modules.
from commands.bulk.models import BulkCommand as BulkCommand  # noqa: E402
from commands.scheduled.models import ScheduledCommand as ScheduledCommand  # noqa: E402
from commands.scheduled.models import ScheduledRun as ScheduledRun  # noqa: E402

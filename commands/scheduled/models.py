"""Commands that are sent at a later time, once or every week."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import Fleet, User
from commands import parameters as of_command
from commands.bulk.models import BulkCommand
from commands.types import UNLOCKING, CommandType
from core.message_codes import CODE_LENGTH, render
from vehicles.models import Vehicle


class ScheduledCommand(models.Model):
    """A command to chosen vehicles at a time of day in the fleet's time zone: `on` one date, or on `weekdays`.

    Monday is 0. `next_at` is the next occurrence, computed in `time_zone`; None after the last one and once the
    schedule has ended. An unlock can't be scheduled: it must never be late, and needs a person's request.
    """

    fleet = models.ForeignKey(Fleet, on_delete=models.CASCADE, related_name="scheduled_commands")
    vehicles = models.ManyToManyField(Vehicle, related_name="scheduled_commands")
    kind = models.CharField(max_length=24, choices=CommandType.choices)
    parameters = models.JSONField(default=dict, blank=True)
    reason = models.CharField(max_length=200, blank=True)
    at = models.TimeField()
    on = models.DateField(null=True, blank=True)
    weekdays = ArrayField(models.PositiveSmallIntegerField(), default=list, blank=True)
    time_zone = models.CharField(max_length=64)
    next_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    paused_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_code = models.CharField(max_length=CODE_LENGTH, blank=True, default="", db_default="")

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(
                fields=["next_at"],
                name="commands_schedule_due",
                condition=Q(next_at__isnull=False, paused_at=None, ended_at=None),
            )
        ]
        constraints = [
            models.CheckConstraint(
                condition=~Q(kind__in=sorted(UNLOCKING)), name="commands_schedule_never_unlocks"
            )
        ]

    def __str__(self) -> str:
        return f"{self.title}, {self.at:%H:%M}"

    @property
    def title(self) -> str:
        """The label of the command with its parameters."""
        text = of_command.describe_parameters(CommandType(self.kind), self.parameters)
        return f"{self.get_kind_display()} {text}".rstrip()

    @property
    def over(self) -> bool:
        """Whether it never sends anything again."""
        return self.ended_at is not None or (self.next_at is None and self.paused_at is None)

    @property
    def ended_because(self) -> str:
        """Why it was ended, in the active language; "" if it wasn't."""
        return render(self.ended_code)


class ScheduledRun(models.Model):
    """What became of one occurrence: `due_at` is when, `bulk` what was sent."""

    schedule = models.ForeignKey(ScheduledCommand, on_delete=models.CASCADE, related_name="runs")
    due_at = models.DateTimeField()
    at = models.DateTimeField()
    message_code = models.CharField(max_length=CODE_LENGTH)
    bulk = models.ForeignKey(BulkCommand, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["-due_at"]
        constraints = [
            # At most one command per occurrence, whatever happens to the processes that send it.
            models.UniqueConstraint(fields=["schedule", "due_at"], name="commands_schedule_run_once")
        ]

    def __str__(self) -> str:
        return f"{self.schedule}: {self.message}"

    @property
    def message(self) -> str:
        """The outcome, in the active language."""
        return render(self.message_code)

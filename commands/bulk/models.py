"""One command to many vehicles. Each vehicle has its own row in the command history."""

from django.db import models

from accounts.models import Fleet, User
from commands import parameters as of_command
from commands.types import CommandType


class BulkCommand(models.Model):
    """A command that a member sent to several vehicles of a fleet. Its commands start as CommandState.QUEUED."""

    fleet = models.ForeignKey(Fleet, on_delete=models.CASCADE, related_name="bulk_commands")
    kind = models.CharField(max_length=24, choices=CommandType.choices)
    parameters = models.JSONField(default=dict, blank=True)
    reason = models.CharField(max_length=200, blank=True)
    requested_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    requested_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    # How many selected vehicles got no command, by commands.preconditions.SkipReason.
    skipped = models.JSONField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-requested_at", "-id"]
        indexes = [models.Index(fields=["fleet", "-requested_at"], name="commands_bulk_recent")]

    def __str__(self) -> str:
        return f"{self.title}, {self.requested_at:%Y-%m-%d %H:%M}"

    @property
    def title(self) -> str:
        """The label of the command with its parameters."""
        text = of_command.describe_parameters(CommandType(self.kind), self.parameters)
        return f"{self.get_kind_display()} {text}".rstrip()

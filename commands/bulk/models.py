"""One command asked of many cars at once. What becomes of each car is a row of the ledger."""

from django.db import models

from accounts.models import Fleet, User
from commands import parameters as of_command
from commands.types import CommandType


class BulkCommand(models.Model):
    """Who asked which cars of a fleet for what. Its commands wait for their turn (State.QUEUED)."""

    fleet = models.ForeignKey(Fleet, on_delete=models.CASCADE, related_name="bulk_commands")
    kind = models.CharField(max_length=24, choices=CommandType.choices)
    parameters = models.JSONField(default=dict, blank=True)
    reason = models.CharField(max_length=200, blank=True)
    requested_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    requested_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    cancelled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-requested_at", "-id"]
        indexes = [models.Index(fields=["fleet", "-requested_at"], name="commands_bulk_recent")]

    def __str__(self) -> str:
        return f"{self.title}, {self.requested_at:%Y-%m-%d %H:%M}"

    @property
    def title(self) -> str:
        """What was asked for, in words, with its parameters."""
        carried = of_command.describe_parameters(CommandType(self.kind), self.parameters)
        return f"{self.get_kind_display()} {carried}".rstrip()

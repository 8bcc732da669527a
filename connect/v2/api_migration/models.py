"""A fleet's move to another API version, and how each of its connections fares in it: the report, kept for good."""

from datetime import timedelta

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Fleet, SmartcarApiVersion, User


class MigrationState(models.TextChoices):
    RUNNING = "running", _("Under way")
    FINISHED = "finished", _("Finished")
    STOPPED = "stopped", _("Stopped")


class ApiMigration(models.Model):
    """One move of one fleet to `API version`. At most one of a fleet is under way."""

    fleet = models.ForeignKey(Fleet, on_delete=models.CASCADE, related_name="generation_moves")
    api_version = models.CharField(db_column="generation", max_length=2, choices=SmartcarApiVersion.choices)
    started_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    started_at = models.DateTimeField(default=timezone.now)
    state = models.CharField(max_length=8, choices=MigrationState.choices, default=MigrationState.RUNNING)
    ended_at = models.DateTimeField(null=True, blank=True)
    surveyed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "connect_generationmove"
        ordering = ["-started_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["fleet"], condition=Q(state="running"), name="connect_one_generation_move"
            )
        ]

    def __str__(self) -> str:
        return f"{self.fleet} to {self.api_version}, {self.started_at:%Y-%m-%d %H:%M}"


class ConnectionMigrationState(models.TextChoices):
    WAITING = "waiting", _("Waiting")
    SUBSCRIBING = "subscribing", _("Subscription under way")
    SUBSCRIBED = "subscribed", _("Listed and subscribed")
    MOVED = "moved", _("Moved")
    STAYED = "stayed", _("Could not move")


UNFINISHED = (
    ConnectionMigrationState.WAITING,
    ConnectionMigrationState.SUBSCRIBING,
    ConnectionMigrationState.SUBSCRIBED,
)


class ConnectionMigration(models.Model):
    """One connection in a move. `reason` says what was in the way; `user_id` is the Smartcar user found for it."""

    PAUSES = tuple(timedelta(seconds=seconds) for seconds in (15, 60, 300, 900, 3600, 3600))

    move = models.ForeignKey(ApiMigration, on_delete=models.CASCADE, related_name="steps")
    connection = models.ForeignKey(
        "connect.Connection", on_delete=models.CASCADE, related_name="generation_moves"
    )
    state = models.CharField(
        max_length=12, choices=ConnectionMigrationState.choices, default=ConnectionMigrationState.WAITING
    )
    reason = models.CharField(max_length=300, blank=True)
    user_id = models.CharField("Smartcar user id", max_length=128, blank=True)
    connection_id_found = models.CharField("Smartcar connection id", max_length=128, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(default=timezone.now)
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "connect_connectionmove"
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["move", "connection"], name="connect_once_in_a_move")]
        indexes = [models.Index(fields=["move", "state", "next_try_at"], name="connect_move_due")]

    def __str__(self) -> str:
        return f"Connection {self.connection_id}: {self.get_state_display()}"

"""API migrations of fleets and the state of each connection in them. They are stored permanently, as a report."""

from datetime import timedelta

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Fleet, SmartcarApiVersion, User
from connect.messages import Problem, code_field, params_field, smartcar_message_field
from core.message_codes import Message, MessageCatalog


class MigrationState(models.TextChoices):
    RUNNING = "running", _("In progress")
    FINISHED = "finished", _("Completed")
    STOPPED = "stopped", _("Stopped")


class ApiMigration(models.Model):
    """One migration of a fleet to `api_version`. A fleet has at most one running migration."""

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
    WAITING = "waiting", _("Queued")
    SUBSCRIBING = "subscribing", _("Subscribing")
    SUBSCRIBED = "subscribed", _("Listed and subscribed")
    MOVED = "moved", _("Migrated")
    STAYED = "stayed", _("Not migrated")


UNFINISHED = (
    ConnectionMigrationState.WAITING,
    ConnectionMigrationState.SUBSCRIBING,
    ConnectionMigrationState.SUBSCRIBED,
)


class MigrationMessage(MessageCatalog):
    """Why a connection can't be migrated to the other API version, or doesn't need to be."""

    ASK_SUPPORT = (
        "migration.ask_support",
        _(
            "If the vehicle still responds on v2, contact Smartcar support. Otherwise, invite "
            "the driver to reconnect it."
        ),
    )
    CONNECTION_CHANGED = "migration.connection_changed", _("The connection changed in the meantime.")
    CONNECTION_ENDED = "migration.connection_ended", _("The connection has ended.")
    NO_TOKENS = (
        "migration.no_tokens",
        _(
            "v2 requires a token pair that only the driver can authorize, and this vehicle has "
            "none. Invite the driver to reconnect it."
        ),
    )
    NOT_LISTED = "migration.not_listed", _("Smartcar's API v3 doesn't list this vehicle for its driver.")
    NOT_SUBSCRIBED = (
        "migration.not_subscribed",
        _("Smartcar confirmed the webhook subscription but doesn't list it."),
    )
    OTHERS_LISTED = (
        "migration.others_listed",
        _("Smartcar's API v3 doesn't list this vehicle for its driver but lists several others."),
    )
    RECONNECTED = "migration.reconnected", _("The driver reconnected in the meantime.")


class ConnectionMigration(models.Model):
    """One connection in a migration. `user_id` is the Smartcar user that was found for it."""

    PAUSES = tuple(timedelta(seconds=seconds) for seconds in (15, 60, 300, 900, 3600, 3600))

    move = models.ForeignKey(ApiMigration, on_delete=models.CASCADE, related_name="steps")
    connection = models.ForeignKey(
        "connect.Connection", on_delete=models.CASCADE, related_name="generation_moves"
    )
    state = models.CharField(
        max_length=12, choices=ConnectionMigrationState.choices, default=ConnectionMigrationState.WAITING
    )
    reason_code = code_field()
    reason_params = params_field()
    reason_smartcar_message = smartcar_message_field()
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

    @property
    def reason(self) -> Problem:
        """Why the connection wasn't migrated or didn't need to be; false if there was no problem."""
        return Problem(Message(self.reason_code, self.reason_params), self.reason_smartcar_message)

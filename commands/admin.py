import json
from typing import TypeVar

from django.contrib import admin
from django.http import HttpRequest

from accounts.audit import AuditEvent, AuditObject, log_event
from commands.models import (
    BulkCommand,
    Command,
    CommandEvent,
    CommandPolicy,
    ScheduledCommand,
    ScheduledRun,
)
from core.admin import MaskedAdmin, ReadOnlyAdmin
from vehicles.location_privacy import is_place_key

HIDDEN = "(hidden)"
Sent = TypeVar("Sent", Command, BulkCommand)


class _ParametersAdmin(MaskedAdmin[Sent]):
    """Masks the coordinates among a command's parameters."""

    exclude = ["parameters"]

    def masked_value(self, row: Sent) -> str:
        shown = {key: HIDDEN if is_place_key(key) else value for key, value in row.parameters.items()}
        return json.dumps(shown) if shown else ""

    def whole_value(self, row: Sent) -> str:
        return json.dumps(row.parameters)

    def record_view(self, request: HttpRequest, row: Sent) -> None:
        kind = AuditObject.COMMAND if isinstance(row, Command) else AuditObject.BULK_COMMAND
        log_event(
            fleet=row.fleet,
            actor=request.user,  # type: ignore[arg-type]
            event=AuditEvent.COMMAND_PLACE_VIEWED,
            about=(kind, row.pk),
        )


@admin.register(Command)
class CommandAdmin(_ParametersAdmin[Command]):
    """The command history, read-only: members of the fleet send commands on the vehicle's page."""

    list_display = ["requested_at", "vehicle", "title", "state", "requested_by", "fleet", "changed_at"]
    list_filter = ["state", "kind", "api_version", "fleet"]
    search_fields = [
        "vehicle__name",
        "vehicle__smartcar_id",
        "requested_by__email",
        "request_id",
        "execution_id",
    ]
    list_select_related = ["vehicle", "requested_by", "fleet"]
    date_hierarchy = "requested_at"


@admin.register(CommandEvent)
class ChangeAdmin(ReadOnlyAdmin[CommandEvent]):
    """The state changes of commands, read-only."""

    list_display = ["at", "command", "state", "message"]
    list_filter = ["state"]
    search_fields = ["command__vehicle__smartcar_id", "command__vehicle__name"]
    list_select_related = ["command__vehicle"]
    date_hierarchy = "at"


@admin.register(BulkCommand)
class BulkCommandAdmin(_ParametersAdmin[BulkCommand]):
    """Bulk commands, read-only."""

    list_display = ["requested_at", "title", "requested_by", "fleet", "cancelled_at"]
    list_filter = ["kind", "fleet"]
    search_fields = ["requested_by__email", "reason"]
    list_select_related = ["requested_by", "fleet"]


@admin.register(CommandPolicy)
class CommandPolicyAdmin(ReadOnlyAdmin[CommandPolicy]):
    """Which commands need a reason, per fleet. Owners change this on the fleet's command policy page."""

    list_display = ["fleet", "reason_for"]
    list_filter = ["reason_for"]
    search_fields = ["fleet__name"]
    list_select_related = ["fleet"]


@admin.register(ScheduledCommand)
class ScheduledCommandAdmin(ReadOnlyAdmin[ScheduledCommand]):
    """Scheduled commands, read-only: members of the fleet schedule them."""

    list_display = ["title", "fleet", "next_at", "paused_at", "ended_at", "created_by"]
    list_filter = ["kind", "fleet"]
    search_fields = ["created_by__email", "reason"]
    list_select_related = ["created_by", "fleet"]


@admin.register(ScheduledRun)
class ScheduledRunAdmin(ReadOnlyAdmin[ScheduledRun]):
    """What became of the occurrences of scheduled commands, read-only."""

    list_display = ["due_at", "schedule", "message"]
    list_filter = ["schedule__kind"]
    search_fields = ["schedule__fleet__name"]
    list_select_related = ["schedule"]

from django.contrib import admin

from commands.models import BulkCommand, Command, CommandEvent, CommandPolicy
from core.admin import ReadOnlyAdmin


@admin.register(Command)
class CommandAdmin(ReadOnlyAdmin[Command]):
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
class BulkCommandAdmin(ReadOnlyAdmin[BulkCommand]):
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

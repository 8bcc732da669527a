from django.contrib import admin

from accounts.readonly_admin import ReadOnlyAdmin
from commands.models import Command


@admin.register(Command)
class CommandAdmin(ReadOnlyAdmin[Command]):
    """The ledger, to look at only: a command is asked for on the car's page, by a member of its fleet."""

    list_display = ["requested_at", "vehicle", "title", "state", "requested_by", "fleet", "changed_at"]
    list_filter = ["state", "kind", "generation", "fleet"]
    search_fields = [
        "vehicle__name",
        "vehicle__smartcar_id",
        "requested_by__email",
        "request_id",
        "execution_id",
    ]
    list_select_related = ["vehicle", "requested_by", "fleet"]
    date_hierarchy = "requested_at"

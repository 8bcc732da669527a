from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.doorbell import ring
from webhooks.models import InboxEntry
from webhooks.replay import replay


@admin.register(InboxEntry)
class InboxEntryAdmin(admin.ModelAdmin[InboxEntry]):
    """Messages to look at, without their bodies: those hold places and VINs."""

    list_display = [
        "id",
        "received_at",
        "source",
        "event_type",
        "smartcar_vehicle_id",
        "state",
        "attempts",
        "note",
    ]
    list_filter = ["state", "source", "event_type"]
    search_fields = ["event_id", "smartcar_vehicle_id"]
    date_hierarchy = "received_at"
    exclude = ["body"]
    actions = ["process_again"]
    show_full_result_count = False

    @admin.action(description="Process again", permissions=["view"])
    def process_again(self, request: HttpRequest, queryset: QuerySet[InboxEntry]) -> None:
        count = replay(entries=queryset)
        ring("webhooks.tasks.process_inbox")
        messages.info(request, f"{count} messages wait to be processed again.")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: InboxEntry | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: InboxEntry | None = None) -> bool:
        return False

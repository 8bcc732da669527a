from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.admin.auditing import log_admin_action
from core.admin import ReadOnlyAdmin
from webhooks.models import InboxEntry
from webhooks.rejections import RejectedDeliveryCount
from webhooks.replay import replay
from webhooks.silence_monitor import DeliveryCadence
from webhooks.vehicle_errors import VehicleError


@admin.register(InboxEntry)
class InboxEntryAdmin(ReadOnlyAdmin[InboxEntry]):
    """Inbox entries without their bodies, which contain locations and VINs."""

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
    exclude = ["body", "note_params"]
    actions = ["process_again"]

    @admin.action(description="Process again", permissions=["act"])
    def process_again(self, request: HttpRequest, queryset: QuerySet[InboxEntry]) -> None:
        log_admin_action(request, action="Process again", rows=queryset)
        count = replay(entries=queryset)
        messages.info(request, f"Deliveries queued for processing: {count}")


@admin.register(VehicleError)
class VehicleErrorAdmin(ReadOnlyAdmin[VehicleError]):
    """Errors that Smartcar reported, with the number of repetitions."""

    list_display = ["vehicle", "type", "code", "state", "signals", "first_at", "last_at", "count"]
    list_filter = ["state", "type"]
    search_fields = ["vehicle__name", "vehicle__smartcar_id", "type", "code"]
    date_hierarchy = "last_at"
    list_select_related = ["vehicle"]


@admin.register(RejectedDeliveryCount)
class RejectedDeliveryCountAdmin(ReadOnlyAdmin[RejectedDeliveryCount]):
    """Rejected deliveries by day and reason."""

    list_display = ["day", "reason", "count"]
    list_filter = ["reason"]
    search_fields = ["reason"]
    date_hierarchy = "day"


@admin.register(DeliveryCadence)
class DeliveryCadenceAdmin(ReadOnlyAdmin[DeliveryCadence]):
    """The usual interval between a vehicle's deliveries, and the fetches made since the last one."""

    list_display = [
        "vehicle",
        "last_delivery_at",
        "usual_seconds",
        "documented_seconds",
        "reads",
        "next_read_at",
    ]
    list_filter = ["vehicle__fleet"]
    search_fields = ["vehicle__name", "vehicle__smartcar_id"]
    list_select_related = ["vehicle"]

from django.contrib import admin

from connect.usage.models import FleetAllowance
from core.admin import ReadOnlyAdmin


@admin.register(FleetAllowance)
class FleetAllowanceAdmin(ReadOnlyAdmin[FleetAllowance]):
    """The fleets' monthly limits, read-only. Owners and managers set them on the fleet's API usage page."""

    list_display = ["fleet", "calls"]
    list_filter = ["calls"]
    search_fields = ["fleet__name"]
    list_select_related = ["fleet"]

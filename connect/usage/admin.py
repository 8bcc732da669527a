from django.contrib import admin

from connect.usage.models import FleetAllowance
from core.admin import ReadOnlyAdmin


@admin.register(FleetAllowance)
class FleetAllowanceAdmin(ReadOnlyAdmin[FleetAllowance]):
    """What fleets allow themselves; their owners change it on the fleet's page of usage."""

    list_display = ["fleet", "calls"]
    list_filter = ["calls"]
    search_fields = ["fleet__name"]
    list_select_related = ["fleet"]

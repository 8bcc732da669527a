from django.contrib import admin

from accounts.readonly_admin import ReadOnlyAdmin
from connect.budget.models import FleetAllowance


@admin.register(FleetAllowance)
class FleetAllowanceAdmin(ReadOnlyAdmin[FleetAllowance]):
    """What fleets allow themselves; their owners change it on the fleet's page of usage."""

    list_display = ["fleet", "calls"]
    list_filter = ["calls"]
    search_fields = ["fleet__name"]
    list_select_related = ["fleet"]

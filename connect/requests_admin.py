"""What fleets request from drivers, in the admin, read-only."""

from django.contrib import admin

from connect.models import BulkRequest, DriverReminder, PermissionSettings, ReminderSettings
from core.admin import ReadOnlyAdmin


@admin.register(PermissionSettings)
class PermissionSettingsAdmin(ReadOnlyAdmin[PermissionSettings]):
    list_display = ["fleet", "changed_at"]
    list_filter = ["changed_at"]
    search_fields = ["fleet__name", "scopes"]
    list_select_related = ["fleet"]


@admin.register(BulkRequest)
class BulkRequestAdmin(ReadOnlyAdmin[BulkRequest]):
    list_display = ["fleet", "purpose", "make", "created_by", "created_at"]
    list_filter = ["purpose", "fleet"]
    search_fields = ["fleet__name", "make"]
    list_select_related = ["fleet", "created_by"]


@admin.register(ReminderSettings)
class ReminderSettingsAdmin(ReadOnlyAdmin[ReminderSettings]):
    list_display = ["fleet", "enabled", "quiet_from", "quiet_until"]
    list_filter = ["enabled"]
    search_fields = ["fleet__name"]
    list_select_related = ["fleet"]


@admin.register(DriverReminder)
class DriverReminderAdmin(ReadOnlyAdmin[DriverReminder]):
    list_display = ["invitation", "number", "created_at"]
    list_filter = ["number", "invitation__fleet"]
    search_fields = ["invitation__fleet__name"]
    list_select_related = ["invitation__fleet"]

from django.contrib import admin

from alerts.models import Alert, AlertSettings, NotificationPreference
from core.admin import ReadOnlyAdmin


@admin.register(Alert)
class AlertAdmin(ReadOnlyAdmin[Alert]):
    list_display = ["opened_at", "fleet", "kind", "vehicle", "level", "acknowledged_by", "resolved_at"]
    list_filter = ["kind", "fleet", "resolved_at"]
    search_fields = ["vehicle__name", "vehicle__smartcar_id"]
    list_select_related = ["fleet", "vehicle", "acknowledged_by"]


@admin.register(AlertSettings)
class AlertSettingsAdmin(ReadOnlyAdmin[AlertSettings]):
    list_display = ["fleet", "low_battery", "kinds"]
    list_filter = ["low_battery"]
    search_fields = ["fleet__name"]
    list_select_related = ["fleet"]


@admin.register(NotificationPreference)
class NotificationPreferenceAdmin(ReadOnlyAdmin[NotificationPreference]):
    list_display = ["membership", "in_app", "by_email"]
    list_filter = ["membership__fleet"]
    search_fields = ["membership__user__email"]
    list_select_related = ["membership__user", "membership__fleet"]

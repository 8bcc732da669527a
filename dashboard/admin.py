from django.contrib import admin

from core.admin import ReadOnlyAdmin
from dashboard.fleet_settings import admin as fleet_settings_admin  # noqa: F401  registers
from dashboard.models import SavedView


@admin.register(SavedView)
class SavedViewAdmin(ReadOnlyAdmin[SavedView]):
    list_display = ["name", "fleet", "user", "shared", "created_at"]
    list_filter = ["shared", "fleet"]
    search_fields = ["name", "user__email", "fleet__name"]
    list_select_related = ["fleet", "user"]

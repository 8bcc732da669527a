from django.contrib import admin

from connect.v2.api_migration.models import ApiMigration, ConnectionMigration
from core.admin import ReadOnlyAdmin


@admin.register(ApiMigration)
class ApiMigrationAdmin(ReadOnlyAdmin[ApiMigration]):
    list_display = ["fleet", "api_version", "state", "started_by", "started_at", "ended_at"]
    list_filter = ["state", "api_version", "fleet"]
    search_fields = ["fleet__name", "started_by__email"]
    list_select_related = ["fleet", "started_by"]


@admin.register(ConnectionMigration)
class ConnectionMigrationAdmin(ReadOnlyAdmin[ConnectionMigration]):
    list_display = ["connection", "move", "state", "reason", "attempts", "next_try_at", "changed_at"]
    list_filter = ["state", "move__api_version", "move__fleet"]
    search_fields = ["connection__vehicle__name", "connection__vehicle__smartcar_id", "reason_code"]
    list_select_related = ["connection__vehicle", "move__fleet"]

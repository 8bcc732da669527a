"""Refused grants in the admin, read-only."""

from django.contrib import admin

from connect.models import RefusedGrant
from core.admin import ReadOnlyAdmin


@admin.register(RefusedGrant)
class RefusedGrantAdmin(ReadOnlyAdmin[RefusedGrant]):
    list_display = ["refused_at", "authorization", "smartcar_vehicle_id", "ended_at", "attempts", "problem"]
    list_filter = ["ended_at", "authorization__fleet"]
    search_fields = ["smartcar_vehicle_id", "smartcar_user_id", "request_id"]
    list_select_related = ["authorization__fleet"]
    exclude = ["tokens"]

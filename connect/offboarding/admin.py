"""Offboardings in the admin, read-only."""

from django.contrib import admin

from connect.offboarding.models import ErasureRecord, GrantRevocation, OffboardingRequest
from core.admin import ReadOnlyAdmin


@admin.register(OffboardingRequest)
class OffboardingRequestAdmin(ReadOnlyAdmin[OffboardingRequest]):
    list_display = ["pk", "fleet", "asked_at", "by_driver", "extent", "finished_at", "attempts", "problem"]
    list_filter = ["extent", "by_driver", "finished_at", "fleet"]
    search_fields = ["vehicle__smartcar_id", "fleet__name"]
    list_select_related = ["fleet"]


@admin.register(GrantRevocation)
class GrantRevocationAdmin(ReadOnlyAdmin[GrantRevocation]):
    list_display = ["offboarding", "connection", "end", "ended_at", "request_id", "listing", "listed_at"]
    list_filter = ["end", "listing", "offboarding__fleet"]
    search_fields = ["request_id", "connection__vehicle__smartcar_id"]
    list_select_related = ["offboarding", "connection__vehicle"]


@admin.register(ErasureRecord)
class ErasureRecordAdmin(ReadOnlyAdmin[ErasureRecord]):
    list_display = ["offboarding", "kind", "rows", "done_at", "note"]
    list_filter = ["kind", "done_at", "offboarding__fleet"]
    search_fields = ["kind", "offboarding__vehicle__smartcar_id"]
    list_select_related = ["offboarding"]

"""Rules in the admin: staff decide which fleet the vehicles of a shared application join."""

from django.contrib import admin

from accounts.admin.auditing import AuditedAdmin
from connect.business_fleet.models import AdoptionRule


@admin.register(AdoptionRule)
class AdoptionRuleAdmin(AuditedAdmin[AdoptionRule]):
    list_display = ["fleet", "application", "model", "created_by", "created_at"]
    list_filter = ["application"]
    search_fields = ["fleet__name", "model"]
    list_select_related = ["fleet", "application", "created_by"]
    fields = ["fleet", "application", "model"]

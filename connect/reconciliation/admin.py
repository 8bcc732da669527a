"""Reconciliations in the admin, for all fleets, including connections that Smartcar lists but that are unknown here."""

from django.contrib import admin

from connect.reconciliation.models import Discrepancy, FleetReconciliation, Reconciliation
from core.admin import ReadOnlyAdmin


@admin.register(Reconciliation)
class ReconciliationAdmin(ReadOnlyAdmin[Reconciliation]):
    list_display = [
        "began_at",
        "application",
        "api_version",
        "outcome",
        "ours",
        "theirs",
        "subscriptions",
        "problem",
    ]
    list_filter = ["outcome", "api_version", "began_at"]
    search_fields = ["application__name", "problem_code"]
    list_select_related = ["application"]


@admin.register(Discrepancy)
class DiscrepancyAdmin(ReadOnlyAdmin[Discrepancy]):
    list_display = ["reconciliation", "kind", "connection", "smartcar_vehicle_id", "repaired", "note"]
    list_filter = ["kind", "repaired", "connection__fleet"]
    search_fields = ["smartcar_vehicle_id", "smartcar_user_id"]
    list_select_related = ["reconciliation", "connection__vehicle"]


@admin.register(FleetReconciliation)
class FleetReconciliationAdmin(ReadOnlyAdmin[FleetReconciliation]):
    list_display = ["reconciliation", "fleet", "connections"]
    list_filter = ["fleet", "reconciliation__outcome"]
    search_fields = ["fleet__name"]
    list_select_related = ["reconciliation", "fleet"]

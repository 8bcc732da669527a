from django.contrib import admin

from connect.status.models import PendingIssue, Transition
from core.admin import ReadOnlyAdmin


@admin.register(Transition)
class TransitionAdmin(ReadOnlyAdmin[Transition]):
    list_display = ["at", "connection", "from_state", "to_state", "reason", "evidence"]
    list_filter = ["to_state", "from_state", "at", "connection__fleet"]
    search_fields = ["connection__vehicle__name", "connection__vehicle__smartcar_id", "evidence_params"]
    list_select_related = ["connection__vehicle"]


@admin.register(PendingIssue)
class PendingIssueAdmin(ReadOnlyAdmin[PendingIssue]):
    list_display = ["since", "connection", "state", "error", "source", "evidence"]
    list_filter = ["state", "source", "connection__fleet"]
    search_fields = [
        "connection__vehicle__name",
        "connection__vehicle__smartcar_id",
        "error",
        "evidence_params",
    ]
    list_select_related = ["connection__vehicle"]

"""Fleets in the admin, with the rules of the settings page."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.admin.auditing import AuditedAdmin
from accounts.admin.exporting import ExportMixin
from accounts.admin.memberships import MembershipInline, save_members
from accounts.models import Fleet, Membership
from dashboard.fleet_settings import deletion
from dashboard.fleet_settings.forms import DRIVER_FACING, SettingsForm
from dashboard.fleet_settings.services import update_settings


class FleetAdminForm(SettingsForm):
    """A fleet's settings, with the slug of a new fleet."""

    class Meta(SettingsForm.Meta):
        fields = (*SettingsForm.Meta.fields, "slug")  # type: ignore[assignment]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if self.losses and not cleaned.get("confirmed"):
            self.add_error("confirmed", " ".join([*self.losses, "Check this box to confirm."]))
        return cleaned


@admin.register(Fleet)
class FleetAdmin(ExportMixin, AuditedAdmin[Fleet]):
    """Fleets. The API version is changed by a migration on the fleet's Smartcar page, not here.

    A fleet is deleted in three steps: export, offboarding of all vehicles, and deletion of the rest.
    """

    form = FleetAdminForm
    list_display = ["name", "slug", "api_version", "unit_system", "created_at"]
    list_filter = ["api_version", "unit_system"]
    search_fields = ["name", "slug"]
    fields = [
        "name",
        "slug",
        "api_version",
        *DRIVER_FACING,
        "unit_system",
        "time_zone",
        "raw_retention_months",
        "rollup_retention_months",
        "confirmed",
    ]
    inlines = [MembershipInline]
    actions = ["offboard_vehicles"]

    def get_readonly_fields(self, request: HttpRequest, obj: Fleet | None = None) -> list[str]:
        # The slug is part of links in emails and bookmarks.
        return ["api_version", "slug"] if obj else ["api_version"]

    def get_prepopulated_fields(
        self, request: HttpRequest, obj: Fleet | None = None
    ) -> dict[str, Sequence[str]]:
        return {} if obj else {"slug": ["name"]}

    def save_model(self, request: HttpRequest, obj: Fleet, form: forms.ModelForm[Any], change: bool) -> None:
        if not change:
            obj.api_version = settings.SMARTCAR_API_VERSION
            super().save_model(request, obj, form, change)
            return
        values = {name: form.cleaned_data[name] for name in SettingsForm.Meta.fields}
        update_settings(fleet=obj, values=values, actor=request.user)  # type: ignore[arg-type]

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        if formset.model is Membership:
            save_members(request, formset)
        else:
            super().save_formset(request, form, formset, change)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Writes only Django's own log: the services have logged each change in the audit log."""
        return admin.ModelAdmin.log_change(self, request, obj, message)

    @admin.action(description="Offboard all vehicles and erase their data", permissions=["delete"])
    def offboard_vehicles(self, request: HttpRequest, queryset: QuerySet[Fleet]) -> None:
        count = sum(
            deletion.offboard_all(fleet=fleet, actor=request.user)  # type: ignore[arg-type, misc]
            for fleet in queryset
        )
        messages.info(request, f"Vehicles being offboarded: {count}")

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Lists the fleets only: what belongs to them goes with them, and can be millions of rows."""
        fleets = list(objs)
        problems = [reason for fleet in fleets for reason in deletion.obstacles(fleet=fleet)]
        return [str(fleet) for fleet in fleets], {"fleets": len(fleets)}, set(), problems

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """Writes only Django's own log: the service logs the deletion in the audit log of the site."""
        return admin.ModelAdmin.log_deletions(self, request, queryset)

    def delete_model(self, request: HttpRequest, obj: Fleet) -> None:
        deletion.delete_fleet(fleet=obj, actor=request.user)  # type: ignore[arg-type]

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Fleet]) -> None:
        for fleet in queryset:
            self.delete_model(request, fleet)

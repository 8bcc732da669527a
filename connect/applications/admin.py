"""Applications in the admin, for staff. Secrets are write-only."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from accounts.admin.auditing import AuditedAdmin
from accounts.models import User
from connect.applications import services
from connect.applications.forms import SmartcarApplicationForm
from connect.applications.models import FleetApplication, SmartcarApplication
from connect.applications.setup_events import SetupEvent
from core.admin import ReadOnlyAdmin


@admin.register(SmartcarApplication)
class SmartcarApplicationAdmin(AuditedAdmin[SmartcarApplication]):
    form = SmartcarApplicationForm
    list_display = ["name", "application_id", "client_id", "webhook_id", "holds"]
    list_filter = ["created_at"]
    search_fields = ["name", "application_id", "client_id", "webhook_id"]

    @admin.display(description="secrets set")
    def holds(self, row: SmartcarApplication) -> str:
        secrets = {
            "application secret": row.application_secret_ciphertext,
            "client secret": row.client_secret_ciphertext,
            "management tokens": row.management_tokens_ciphertext,
        }
        return ", ".join(name for name, ciphertext in secrets.items() if ciphertext) or "none"

    def save_model(
        self, request: HttpRequest, obj: SmartcarApplication, form: forms.ModelForm[Any], change: bool
    ) -> None:
        if isinstance(form, SmartcarApplicationForm):
            services.save_application(row=obj, secrets=form.secrets)


@admin.register(FleetApplication)
class FleetApplicationAdmin(admin.ModelAdmin[FleetApplication]):
    list_display = ["fleet", "application", "since"]
    list_filter = ["application"]
    search_fields = ["fleet__name"]
    list_select_related = ["fleet", "application"]
    fields = ["fleet", "application"]

    def save_model(
        self, request: HttpRequest, obj: FleetApplication, form: forms.ModelForm[Any], change: bool
    ) -> None:
        services.choose_application(fleet=obj.fleet, application=obj.application, actor=_actor(request))
        obj.pk = FleetApplication.objects.get(fleet=obj.fleet).pk

    def delete_model(self, request: HttpRequest, obj: FleetApplication) -> None:
        services.choose_application(fleet=obj.fleet, application=None, actor=_actor(request))

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for choice in queryset.select_related("fleet"):
            self.delete_model(request, choice)


def _actor(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None


@admin.register(SetupEvent)
class SetupEventAdmin(ReadOnlyAdmin[SetupEvent]):
    list_display = ["milestone", "application", "at"]
    list_filter = ["milestone", "application"]
    search_fields = ["application__name"]
    list_select_related = ["application"]

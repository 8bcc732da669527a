"""Rules in the admin: staff decide which fleet the vehicles of a shared application join."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest

from accounts.models import User
from connect.business_fleet import services
from connect.business_fleet.models import AdoptionRule


@admin.register(AdoptionRule)
class AdoptionRuleAdmin(admin.ModelAdmin[AdoptionRule]):
    list_display = ["fleet", "application", "model", "created_by", "created_at"]
    list_filter = ["application"]
    search_fields = ["fleet__name", "model"]
    list_select_related = ["fleet", "application", "created_by"]
    fields = ["fleet", "application", "model"]

    def save_model(self, request: HttpRequest, obj: AdoptionRule, form: ModelForm[Any], change: bool) -> None:
        obj.created_by_id = obj.created_by_id or request.user.pk
        super().save_model(request, obj, form, change)
        services.log_rule(rule=obj, actor=_actor(request), started=True)

    def delete_model(self, request: HttpRequest, obj: AdoptionRule) -> None:
        services.log_rule(rule=obj, actor=_actor(request), started=False)
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[AdoptionRule]) -> None:
        for rule in queryset.select_related("fleet"):
            self.delete_model(request, rule)


def _actor(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None

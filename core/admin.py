"""Read-only lists in the admin."""

from typing import TypeVar

from django.contrib import admin
from django.contrib.auth import get_permission_codename
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.views.decorators.http import require_POST

Row = TypeVar("Row", bound=models.Model)


class ReadOnlyAdmin(admin.ModelAdmin[Row]):
    """Shows rows without editing them; actions call services. Searches don't count the whole table."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Row | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Row | None = None) -> bool:
        return False

    def has_act_permission(self, request: HttpRequest) -> bool:
        """Whether the user may run actions (`permissions=["act"]`): viewing isn't enough, changing such rows is."""
        codename = get_permission_codename("change", self.opts)
        return request.user.has_perm(f"{self.opts.app_label}.{codename}")


class MaskedAdmin(ReadOnlyAdmin[Row]):
    """Masks one sensitive value of each row. A button shows the value, after recording that in the audit log."""

    def masked_value(self, row: Row) -> str:
        """Returns the value as everybody may see it; "" if there is none."""
        raise NotImplementedError

    def whole_value(self, row: Row) -> str:
        """Returns the whole value."""
        raise NotImplementedError

    def record_view(self, request: HttpRequest, row: Row) -> None:
        """Records in the audit log that the user views the whole value."""
        raise NotImplementedError

    @admin.display(description="masked")
    def masked(self, row: Row) -> str:
        """Shows the masked value with a button, which submits the surrounding form to another address."""
        value = self.masked_value(row)
        if not value:
            return "-"
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_reveal"
        button = (
            '{} <button type="submit" class="button" formaction="{}" formnovalidate>Show (recorded)</button>'
        )
        return format_html(button, value, reverse(name, args=[row.pk]))

    def get_readonly_fields(self, request: HttpRequest, obj: Row | None = None) -> list[str]:
        return [*super().get_readonly_fields(request, obj), "masked"]

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_reveal"
        page = path("<path:object_id>/reveal/", self.admin_site.admin_view(self.reveal), name=name)
        return [page, *super().get_urls()]

    @method_decorator(require_POST)
    def reveal(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Shows the whole value, and records that."""
        row = self.get_object(request, object_id)
        if row is None or not self.has_view_permission(request, row):
            raise Http404("No such row.")
        self.record_view(request, row)
        context = {
            **self.admin_site.each_context(request),
            "title": str(row),
            "opts": self.opts,
            "value": self.whole_value(row),
        }
        return render(request, "admin/revealed.html", context)

"""Read-only lists in the admin, and the list of outgoing emails."""

from collections.abc import Sequence
from typing import TypeVar

from django.contrib import admin
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.views.decorators.http import require_POST

from core.mail import services
from core.mail.kinds import kind_label
from core.mail.models import OutgoingEmail

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

    def get_readonly_fields(self, request: HttpRequest, obj: Row | None = None) -> Sequence[str]:
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


@admin.register(OutgoingEmail)
class OutgoingEmailAdmin(ReadOnlyAdmin[OutgoingEmail]):
    """Outgoing emails and why they failed. The texts are never stored."""

    list_display = [
        "created_at",
        "kind_name",
        "recipient",
        "state",
        "error",
        "smtp_response",
        "attempts",
        "next_attempt_at",
        "sent_at",
    ]
    list_filter = ["state", "error", "kind"]
    search_fields = ["recipient", "message_id"]
    actions = ["retry"]

    @admin.display(description="kind", ordering="kind")
    def kind_name(self, email: OutgoingEmail) -> str:
        return kind_label(email.kind)

    @admin.action(description="Retry failed emails")
    def retry(self, request: HttpRequest, queryset: models.QuerySet[OutgoingEmail]) -> None:
        retried = sum(services.retry(email=email, now=timezone.now()) for email in queryset)
        self.message_user(request, f"{retried} emails are queued again.")

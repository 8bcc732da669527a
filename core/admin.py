"""Read-only lists in the admin, and the list of outgoing emails."""

from typing import TypeVar

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils import timezone

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

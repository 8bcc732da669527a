from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts.admin.auditing import log_admin_action
from core.admin import ReadOnlyAdmin
from core.mail import services
from core.mail.kinds import kind_label
from core.mail.models import OutgoingEmail


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

    @admin.action(description="Retry failed emails", permissions=["act"])
    def retry(self, request: HttpRequest, queryset: QuerySet[OutgoingEmail]) -> None:
        retried = [email for email in queryset if services.retry(email=email, now=timezone.now())]
        log_admin_action(request, action="Retry failed emails", rows=retried)
        self.message_user(request, f"{len(retried)} emails are queued again.")

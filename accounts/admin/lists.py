"""Read-only lists: the audit log, API tokens, invitations."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.models import ApiToken, AuditLogEntry, MemberInvitation
from accounts.tokens.services import revoke_token
from core.admin import ReadOnlyAdmin


@admin.register(AuditLogEntry)
class AuditLogEntryAdmin(ReadOnlyAdmin[AuditLogEntry]):
    """Entries of all fleets, and of the site: those without a fleet."""

    list_display = ["at", "fleet", "actor", "event", "object_type", "object_id"]
    list_filter = ["fleet", "event"]
    search_fields = ["actor__email", "event", "object_id"]
    list_select_related = ["fleet", "actor"]


@admin.register(ApiToken)
class ApiTokenAdmin(ReadOnlyAdmin[ApiToken]):
    """API tokens, read-only except for revoking. Token hashes aren't shown."""

    list_display = [
        "name",
        "prefix",
        "user",
        "fleet",
        "may_command",
        "created_at",
        "last_used_at",
        "expires_at",
        "revoked_at",
    ]
    list_filter = ["fleet", "revoked_at"]
    search_fields = ["name", "prefix", "user__email"]
    list_select_related = ["user", "fleet"]
    exclude = ["secret_hash"]
    actions = ["revoke"]

    @admin.action(description="Revoke", permissions=["act"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        ended = sum(revoke_token(token=token, actor=request.user) for token in queryset)  # type: ignore[arg-type]
        messages.info(request, f"Tokens revoked: {ended}")


@admin.register(MemberInvitation)
class MemberInvitationAdmin(ReadOnlyAdmin[MemberInvitation]):
    """Invitations, read-only. The parts of their links aren't shown."""

    list_display = [
        "email",
        "fleet",
        "role",
        "created_by",
        "created_at",
        "expires_at",
        "used_at",
        "revoked_at",
    ]
    list_filter = ["fleet", "role", "used_at", "revoked_at"]
    search_fields = ["email", "fleet__name"]
    list_select_related = ["fleet", "created_by"]
    exclude = ["nonce", "secret_hash"]

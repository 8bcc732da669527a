from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.admin.auditing import log_admin_action
from accounts.audit import AuditEvent, AuditObject, log_event
from connect import (
    requests_admin,  # noqa: F401  registers
    token_store,
)
from connect.applications import admin as applications_admin  # noqa: F401  registers
from connect.business_fleet import admin as business_fleet_admin  # noqa: F401  registers
from connect.models import (
    ApplicationToken,
    AuthorizationRequest,
    Connection,
    DriverPortal,
    Invitation,
    LocationPause,
    TrackingSchedule,
    UserToken,
)
from connect.offboarding import admin as offboarding_admin  # noqa: F401  registers
from connect.reconciliation import admin as reconciliation_admin  # noqa: F401  registers
from connect.refusals import admin as refusals_admin  # noqa: F401  registers
from connect.status import admin as status_admin  # noqa: F401  registers
from connect.usage import admin as usage_admin  # noqa: F401  registers
from connect.v2 import user_tokens
from connect.v2.api_migration import admin as api_migration_admin  # noqa: F401  registers
from core.admin import MaskedAdmin, ReadOnlyAdmin
from core.task_queue import enqueue_on_commit
from smartcar_api import SmartcarError
from vehicles.details import mask_vin


@admin.register(Connection)
class ConnectionAdmin(ReadOnlyAdmin[Connection]):
    list_display = [
        "vehicle",
        "fleet",
        "application",
        "api_version",
        "mode",
        "state",
        "state_since",
        "subscribed_at",
    ]
    list_filter = ["state", "api_version", "mode", "fleet"]
    search_fields = ["vehicle__name", "vehicle__smartcar_id", "smartcar_user_id", "fleet__name"]
    list_select_related = ["vehicle", "fleet", "application"]
    exclude = ["tokens"]
    actions = ["subscribe"]

    @admin.action(description="Subscribe to the webhook", permissions=["act"])
    def subscribe(self, request: HttpRequest, queryset: QuerySet[Connection]) -> None:
        queryset.update(subscribed_at=None, next_subscription_try_at=None)
        for connection in queryset:
            enqueue_on_commit("connect.tasks.complete_connection", connection.pk)
        log_admin_action(request, action="Subscribe to the webhook", rows=queryset)
        messages.info(request, f"{queryset.count()} connections are being subscribed.")


@admin.register(AuthorizationRequest)
class AuthorizationRequestAdmin(ReadOnlyAdmin[AuthorizationRequest]):
    list_display = [
        "created_at",
        "fleet",
        "started_by",
        "invitation",
        "api_version",
        "mode",
        "used_at",
        "outcome",
    ]
    list_filter = ["api_version", "mode", "fleet"]
    search_fields = [
        "started_by__email",
        "invitation__driver_email",
        "fleet__name",
        "outcome_code",
        "external_id",
    ]
    list_select_related = ["fleet", "started_by", "invitation__fleet"]
    exclude = ["state_hash", "session_hash"]


@admin.register(Invitation)
class InvitationAdmin(MaskedAdmin[Invitation]):
    """Invitations, read-only, with masked VINs."""

    list_display = [
        "created_at",
        "fleet",
        "driver_name",
        "driver_email",
        "created_by",
        "expires_at",
        "used_at",
    ]
    list_filter = ["fleet", "mode", "by_email", "used_at", "revoked_at"]
    search_fields = ["driver_name", "driver_email", "fleet__name", "created_by__email"]
    list_select_related = ["fleet", "created_by"]
    exclude = ["nonce", "secret_hash", "vin"]

    def masked_value(self, row: Invitation) -> str:
        return mask_vin(row.vin)

    def whole_value(self, row: Invitation) -> str:
        return row.vin

    def record_view(self, request: HttpRequest, row: Invitation) -> None:
        log_event(
            fleet=row.fleet,
            actor=request.user,  # type: ignore[arg-type]
            event=AuditEvent.DRIVER_INVITATION_VIN_VIEWED,
            about=(AuditObject.INVITATION, row.pk),
        )


@admin.register(DriverPortal)
class DriverPortalAdmin(ReadOnlyAdmin[DriverPortal]):
    list_display = ["created_at", "fleet", "driver_name", "driver_email", "revoked_at"]
    list_filter = ["fleet", "revoked_at"]
    search_fields = ["driver_name", "driver_email", "smartcar_user_id", "fleet__name"]
    list_select_related = ["fleet"]
    exclude = ["nonce", "secret_hash"]


@admin.register(LocationPause)
class LocationPauseAdmin(ReadOnlyAdmin[LocationPause]):
    list_display = ["connection", "began_at", "ends_at"]
    list_filter = ["connection__fleet", "ends_at"]
    search_fields = ["connection__vehicle__name", "connection__vehicle__smartcar_id"]
    list_select_related = ["connection__vehicle"]


@admin.register(TrackingSchedule)
class TrackingScheduleAdmin(ReadOnlyAdmin[TrackingSchedule]):
    list_display = ["connection", "starts", "ends", "weekdays_only"]
    list_filter = ["connection__fleet", "weekdays_only"]
    search_fields = ["connection__vehicle__name", "connection__vehicle__smartcar_id"]
    list_select_related = ["connection__vehicle"]


@admin.register(UserToken)
class UserTokenAdmin(ReadOnlyAdmin[UserToken]):
    list_display = ["pk", "smartcar_user_id", "refreshed_at", "refresh_expires_at", "revoked_at", "version"]
    list_filter = ["revoked_at", "refresh_expires_at"]
    search_fields = ["smartcar_user_id"]
    exclude = ["access_ciphertext", "refresh_ciphertext"]
    actions = ["refresh"]

    @admin.action(description="Refresh now", permissions=["act"])
    def refresh(self, request: HttpRequest, queryset: QuerySet[UserToken]) -> None:
        log_admin_action(request, action="Refresh now", rows=queryset[:20])
        for tokens in queryset[:20]:
            try:
                user_tokens.refresh(tokens=tokens)
            except (SmartcarError, token_store.TokensUnavailableError) as error:
                messages.error(request, f"{tokens}: {error}")
            else:
                messages.success(request, f"{tokens} is refreshed.")


@admin.register(ApplicationToken)
class ApplicationTokenAdmin(ReadOnlyAdmin[ApplicationToken]):
    list_display = ["client_id", "expires_at", "version"]
    list_filter = ["expires_at"]
    search_fields = ["client_id"]
    exclude = ["token_ciphertext"]

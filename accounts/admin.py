from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from accounts.audit import AuditEvent, AuditObject, log_event
from accounts.members.departures import end_membership
from accounts.models import ApiToken, AuditLogEntry, Fleet, MemberInvitation, Membership, User
from accounts.tokens.services import revoke_token
from core.admin import ReadOnlyAdmin


def _sign_in(request: HttpRequest, extra_context: object = None) -> HttpResponse:
    """Sends staff to the regular sign-in, so that the admin requires a second factor, too."""
    if not request.user.is_authenticated:
        return redirect_to_login(request.GET.get("next") or reverse("admin:index"))
    if not request.user.is_staff:
        raise PermissionDenied("The admin is for administrators of this site.")
    return redirect("admin:index")


admin.site.login = _sign_in  # type: ignore[method-assign]
# allauth's own admin pages would show secrets, and allow edits that leave related rows inconsistent.
for _model in (EmailAddress, Authenticator, UserSession):
    admin.site.unregister(_model)


class NewUserForm(AdminUserCreationForm):  # type: ignore[type-arg]
    class Meta:
        model = User
        fields = ["email"]


class UserForm(UserChangeForm):  # type: ignore[type-arg]
    class Meta:
        model = User
        fields = "__all__"


@admin.register(User)
class UserAdmin(DjangoUserAdmin):  # type: ignore[type-arg]
    form = UserForm
    add_form = NewUserForm
    ordering = ["email"]
    list_display = ["email", "first_name", "last_name", "is_staff", "is_active", "last_login"]
    list_filter = ["is_staff", "is_active", "memberships__role"]
    search_fields = ["email", "first_name", "last_name"]
    fieldsets = [
        (None, {"fields": ["email", "password"]}),
        ("Person", {"fields": ["first_name", "last_name"]}),
        ("Rights", {"fields": ["is_active", "is_staff", "is_superuser", "groups", "user_permissions"]}),
        ("Dates", {"fields": ["last_login", "date_joined"]}),
    ]
    add_fieldsets = [
        (None, {"classes": ["wide"], "fields": ["email", "usable_password", "password1", "password2"]})
    ]


class MembershipInline(admin.TabularInline[Membership, Fleet]):
    model = Membership
    autocomplete_fields = ["user"]
    extra = 0


@admin.register(Fleet)
class FleetAdmin(admin.ModelAdmin[Fleet]):
    list_display = ["name", "slug", "api_version", "unit_system", "created_at"]
    list_filter = ["api_version", "unit_system"]
    search_fields = ["name", "slug"]
    prepopulated_fields = {"slug": ["name"]}
    inlines = [MembershipInline]

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Saves the members. Removed ones lose their access as on the members page."""
        if formset.model is not Membership:
            super().save_formset(request, form, formset, change)
            return
        saved = formset.save(commit=False)
        for membership in formset.deleted_objects:
            _end(request, membership)
        for membership in saved:
            membership.save()
        formset.save_m2m()


@admin.register(Membership)
class MembershipAdmin(admin.ModelAdmin[Membership]):
    list_display = ["user", "fleet", "role", "created_at"]
    list_filter = ["role", "fleet"]
    search_fields = ["user__email", "fleet__name"]
    autocomplete_fields = ["user", "fleet"]
    list_select_related = ["user", "fleet"]

    def delete_model(self, request: HttpRequest, obj: Membership) -> None:
        """Ends the membership as the members page does."""
        _end(request, obj)

    @transaction.atomic
    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Membership]) -> None:
        """Ends the selected memberships as the members page does."""
        for membership in queryset.select_related("fleet", "user"):
            _end(request, membership)


@transaction.atomic
def _end(request: HttpRequest, membership: Membership) -> None:
    actor: Any = request.user  # staff: only they reach the admin
    log_event(
        fleet=membership.fleet,
        actor=actor,
        event=AuditEvent.MEMBER_REMOVED,
        about=(AuditObject.MEMBER, membership.user_id),
        data={"name": membership.user.email},
    )
    end_membership(membership=membership, actor=actor)


@admin.register(AuditLogEntry)
class AuditLogEntryAdmin(ReadOnlyAdmin[AuditLogEntry]):
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

    @admin.action(description="Revoke", permissions=["view"])
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


@admin.register(Authenticator)
class AuthenticatorAdmin(ReadOnlyAdmin[Authenticator]):
    """Second factors and passkeys, without their secrets. A superuser can delete those that a user has lost."""

    list_display = ["user", "type", "created_at", "last_used_at"]
    list_filter = ["type"]
    search_fields = ["user__email"]
    list_select_related = ["user"]
    exclude = ["data"]

    def has_delete_permission(self, request: HttpRequest, obj: Authenticator | None = None) -> bool:
        return bool(request.user.is_superuser)


@admin.register(UserSession)
class UserSessionAdmin(ReadOnlyAdmin[UserSession]):
    list_display = ["user", "ip", "user_agent", "created_at"]
    search_fields = ["user__email", "ip"]
    list_select_related = ["user"]
    exclude = ["session_key", "data"]

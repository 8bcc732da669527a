"""Users in the admin, with their second factors, sessions and failed attempts."""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django import forms
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.admin.auditing import AuditedAdmin
from accounts.admin.exporting import ExportMixin
from accounts.admin.memberships import last_owners
from accounts.members.deactivation import deactivate_user, reactivate_user
from accounts.members.erasure import erase_user, was_exported
from accounts.models import AttemptCount, User
from core.admin import ReadOnlyAdmin

# allauth's own admin pages would show secrets, and allow edits that leave related rows inconsistent. Django's page of
# groups lets staff give rights that they don't have.
for _model in (EmailAddress, Authenticator, UserSession, Group):
    admin.site.unregister(_model)

# What only superusers may give.
_SITE_RIGHTS = ["is_staff", "is_superuser", "groups", "user_permissions"]


class NewUserForm(AdminUserCreationForm):  # type: ignore[type-arg]
    class Meta:
        model = User
        fields = ["email"]


class UserForm(UserChangeForm):  # type: ignore[type-arg]
    class Meta:
        model = User
        fields = "__all__"

    def clean_is_active(self) -> bool:
        active: bool = self.cleaned_data["is_active"]
        owned = [] if active else last_owners(self.instance.memberships.select_related("fleet"))
        if owned:
            names = ", ".join(str(each.fleet) for each in owned)
            raise ValidationError(
                f"This user is the only active owner of {names}. Make another member an owner first."
            )
        return active


@admin.register(User)
class UserAdmin(ExportMixin, AuditedAdmin[User], DjangoUserAdmin):  # type: ignore[type-arg]
    """Users. Only superusers change superusers, and give rights in the admin. Deletion erases every trace."""

    form = UserForm
    add_form = NewUserForm
    ordering = ["email"]
    list_display = ["email", "first_name", "last_name", "is_staff", "is_active", "last_login"]
    list_filter = ["is_staff", "is_active", "memberships__role"]
    search_fields = ["email", "first_name", "last_name"]
    fieldsets = [
        (None, {"fields": ["email", "password"]}),
        ("Person", {"fields": ["first_name", "last_name"]}),
        ("Rights", {"fields": ["is_active", *_SITE_RIGHTS]}),
        ("Dates", {"fields": ["last_login", "date_joined"]}),
    ]
    add_fieldsets = [
        (None, {"classes": ["wide"], "fields": ["email", "usable_password", "password1", "password2"]})
    ]

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> list[str]:
        return [] if request.user.is_superuser else _SITE_RIGHTS

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        allowed: bool = super().has_change_permission(request, obj)
        return allowed and (obj is None or not obj.is_superuser or request.user.is_superuser)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        allowed: bool = super().has_delete_permission(request, obj)
        return allowed and (obj is None or not obj.is_superuser or request.user.is_superuser)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Protects last owners, and users whose data wasn't exported. The rest belongs to the user."""
        users = [user for user in objs if self.has_delete_permission(request, user)]
        owned = [each for user in users for each in user.memberships.select_related("fleet", "user")]
        problems = [f"{each} (the only active owner)" for each in last_owners(owned)]
        problems += [f"{user} (export the data first)" for user in users if not was_exported(user)]
        denied: set[str] = set() if len(users) == len(objs) else {"superuser"}
        return [str(user) for user in users], {"users": len(users)}, denied, problems

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        erase_user(user=obj, actor=request.user)  # type: ignore[arg-type]

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for user in queryset:
            self.delete_model(request, user)

    def save_model(self, request: HttpRequest, obj: User, form: forms.ModelForm[Any], change: bool) -> None:
        super().save_model(request, obj, form, change)
        if change and "is_active" in form.changed_data:
            switch = reactivate_user if obj.is_active else deactivate_user
            switch(user=obj, actor=request.user)  # type: ignore[arg-type]


@admin.register(Group)
class GroupAdmin(AuditedAdmin[Group], DjangoGroupAdmin):
    """Groups of staff with their rights in the admin, for superusers."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def has_view_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return bool(request.user.is_superuser)

    has_add_permission = has_module_permission
    has_change_permission = has_view_permission
    has_delete_permission = has_view_permission


@admin.register(Authenticator)
class AuthenticatorAdmin(AuditedAdmin[Authenticator], ReadOnlyAdmin[Authenticator]):
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


@admin.register(AttemptCount)
class AttemptCountAdmin(ReadOnlyAdmin[AttemptCount]):
    """Failed attempts to sign in or to confirm one's identity."""

    list_display = ["user", "scope", "attempts", "since"]
    list_filter = ["since"]
    search_fields = ["user__email"]
    list_select_related = ["user"]

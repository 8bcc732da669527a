"""Members in the admin, added, changed and removed with the services of the members page."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest

from accounts.members import services
from accounts.members.selectors import is_last_owner
from accounts.models import Fleet, Membership, Role, User
from accounts.services import add_member

_NO_OWNER = "A fleet needs at least one active owner. Make another member an owner first."


class MembershipForm(forms.ModelForm[Membership]):
    """A membership. The person of an existing one can't be replaced by another."""

    class Meta:
        model = Membership
        fields = ["fleet", "user", "role"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            for name in {"fleet", "user"} & self.fields.keys():
                self.fields[name].disabled = True


class SingleMembershipForm(MembershipForm):
    """The form of a membership's own page, which keeps the fleet's last owner."""

    def clean_role(self) -> str:
        role: str = self.cleaned_data["role"]
        if self.instance.pk and role != Role.OWNER:
            stored = services.lock_owners(Membership.objects.get(pk=self.instance.pk))
            if stored is not None and is_last_owner(membership=stored):
                raise ValidationError(_NO_OWNER)
        return role


class MembershipFormSet(BaseInlineFormSet[Membership, Fleet, MembershipForm]):
    """The members on a fleet's page, which keep at least one active owner."""

    def clean(self) -> None:
        super().clean()
        if any(self.errors):
            return
        # Locked until the admin's transaction ends, so that nobody removes the other owner meanwhile.
        list(Membership.objects.select_for_update().filter(fleet_id=self.instance.pk or 0, role=Role.OWNER))
        rows = [
            each.cleaned_data
            for each in self.forms
            if each.cleaned_data and not each.cleaned_data.get("DELETE")
        ]
        if not any(row["role"] == Role.OWNER and row["user"].is_active for row in rows):
            raise ValidationError(_NO_OWNER)


class MembershipInline(admin.TabularInline[Membership, Fleet]):
    model = Membership
    form = MembershipForm
    formset = MembershipFormSet  # type: ignore[assignment]  # its form differs from the base class's
    fields = ["user", "role"]
    autocomplete_fields = ["user"]
    extra = 0


def save_members(request: HttpRequest, formset: Any) -> None:
    """Saves a fleet's members from a MembershipFormSet: new ones first, so that an owner is left at any time."""
    formset.save(commit=False)
    actor = _actor(request)
    for new in formset.new_objects:
        add_member(fleet=new.fleet, user=new.user, role=Role(new.role), actor=actor)
    changed = [member for member, _ in formset.changed_objects]
    for member in sorted(changed, key=lambda each: each.role != Role.OWNER):
        services.change_role(membership=member, role=Role(member.role), user=actor)
    for member in formset.deleted_objects:
        services.remove_member(membership=member, user=actor)
    formset.save_m2m()


@admin.register(Membership)
class MembershipAdmin(admin.ModelAdmin[Membership]):
    form = SingleMembershipForm
    list_display = ["user", "fleet", "role", "created_at"]
    list_filter = ["role", "fleet"]
    search_fields = ["user__email", "fleet__name"]
    autocomplete_fields = ["user", "fleet"]
    list_select_related = ["user", "fleet"]

    def save_model(
        self, request: HttpRequest, obj: Membership, form: forms.ModelForm[Any], change: bool
    ) -> None:
        actor, role = _actor(request), Role(obj.role)
        if change:
            services.change_role(membership=obj, role=role, user=actor)
        else:
            obj.pk = add_member(fleet=obj.fleet, user=obj.user, role=role, actor=actor).pk

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Protects the last owners. What belongs to a membership ends with it and needs no permissions of its own."""
        deleted, counts, _, protected = super().get_deleted_objects(objs, request)
        return deleted, counts, set(), [*protected, *map(str, last_owners(objs))]

    def delete_model(self, request: HttpRequest, obj: Membership) -> None:
        services.remove_member(membership=obj, user=_actor(request))

    @transaction.atomic
    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Membership]) -> None:
        for membership in queryset.select_related("fleet", "user"):
            services.remove_member(membership=membership, user=_actor(request))


def last_owners(memberships: Iterable[Membership]) -> list[Membership]:
    """Returns those of the memberships without all of which a fleet would have no active owner."""
    owners = [each for each in memberships if each.role == Role.OWNER]
    gone = {each.pk for each in owners}
    remaining = Membership.objects.filter(role=Role.OWNER, user__is_active=True).exclude(pk__in=gone)
    kept = set(remaining.filter(fleet__in=[each.fleet_id for each in owners]).values_list("fleet", flat=True))
    return [each for each in owners if each.fleet_id not in kept]


def _actor(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # only staff reach the admin
    return request.user

"""Permissions of roles.

All pages and API calls load their fleet here: non-members get 404, members without permission 403.
"""

from enum import StrEnum

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.models import Fleet, Membership, Role, User


class Permission(StrEnum):
    """What a member may do in a fleet, in English, worded to follow "doesn't let you"."""

    VIEW = gettext_noop("view its vehicles")
    CONNECT = gettext_noop("connect vehicles")
    COMMAND = gettext_noop("send commands to vehicles")
    INSPECT = gettext_noop("view its deliveries")
    BUDGET = gettext_noop("view its API usage")
    AUDIT = gettext_noop("see its audit log")
    ADMINISTER = gettext_noop("view other members' access")
    MOVE = gettext_noop("migrate the fleet to another Smartcar API version or application")


PERMISSIONS: dict[str, frozenset[Permission]] = {
    Role.OWNER: frozenset(Permission),
    Role.MANAGER: frozenset(Permission) - {Permission.ADMINISTER, Permission.MOVE},
    Role.VIEWER: frozenset({Permission.VIEW}),
    Role.DRIVER: frozenset(),
}


def has_permission(*, membership: Membership, right: Permission) -> bool:
    """Whether the member's role has the permission."""
    return right in PERMISSIONS[membership.role]


def lost_permissions(*, before: str, after: str) -> frozenset[Permission]:
    """Returns the permissions that a member loses when their role changes."""
    return PERMISSIONS[before] - PERMISSIONS[after]


def get_membership_or_404(*, user: User | AnonymousUser, slug: str, right: Permission) -> Membership:
    """Returns the user's membership in the fleet named by `slug`, with the fleet loaded.

    Raises Http404 for non-members, so that they can't find out whether a fleet exists, and PermissionDenied for members
    whose role lacks the permission.
    """
    membership = (
        Membership.objects.select_related("fleet").filter(user_id=user.pk, fleet__slug=slug).first()
        if user.is_authenticated
        else None
    )
    if membership is None:
        raise Http404("There is no such fleet, or you are not a member of it.")
    if not has_permission(membership=membership, right=right):
        raise PermissionDenied(
            _(
                "Your role in this fleet (%(role)s) doesn't let you %(action)s. Ask a fleet owner to "
                "change your role."
            )
            % {"role": membership.get_role_display(), "action": _(right.value)}
        )
    return membership


def fleets_for(*, user: User | AnonymousUser, right: Permission) -> QuerySet[Fleet]:
    """Returns the fleets in which the user has the permission, ordered by name."""
    if not user.is_authenticated:
        return Fleet.objects.none()
    roles = [role for role, rights in PERMISSIONS.items() if right in rights]
    return Fleet.objects.filter(memberships__user_id=user.pk, memberships__role__in=roles).order_by("name")

"""Saving, listing and deleting saved views."""

from django.db.models import Q, QuerySet

from accounts.models import Membership
from accounts.permissions import Permission, has_permission
from dashboard.vehicle_list.saved_models import SavedView

MAX_VIEWS = 50


class TooManyError(Exception):
    """The member already has the maximum number of views."""


class ExistsError(Exception):
    """The member already has a view with this name."""


def list_views(*, membership: Membership) -> QuerySet[SavedView]:
    """Returns the member's own views and shared views of others, ordered by name."""
    views = SavedView.objects.filter(fleet_id=membership.fleet_id).select_related("user")
    return views.filter(Q(user_id=membership.user_id) | Q(shared=True))


def can_delete(*, membership: Membership, view: SavedView) -> bool:
    """Whether the member may delete the view: its creator and fleet owners may."""
    return view.user_id == membership.user_id or has_permission(
        membership=membership, right=Permission.ADMINISTER
    )


def save(*, membership: Membership, name: str, query: str, shared: bool, replace: bool = False) -> SavedView:
    """Saves the view under this name. Raises TooManyError, and ExistsError if `replace` isn't set for a known name."""
    mine = SavedView.objects.filter(fleet_id=membership.fleet_id, user_id=membership.user_id)
    exists = mine.filter(name=name).exists()
    if exists and not replace:
        raise ExistsError
    if not exists and mine.count() >= MAX_VIEWS:
        raise TooManyError
    view, _ = SavedView.objects.update_or_create(
        fleet_id=membership.fleet_id,
        user_id=membership.user_id,
        name=name,
        defaults={"query": query, "shared": shared},
    )
    return view

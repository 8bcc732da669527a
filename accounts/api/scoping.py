"""The fleets that an API request can access. A token is limited to its own fleet, a service account to its scopes."""

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404
from rest_framework.request import Request

from accounts.models import ApiToken, Fleet, User
from accounts.permissions import Permission, fleets_for, get_membership_or_404
from accounts.tokens.scopes import permissions_of, scope_for


def accessible_fleets(request: Request, *, right: Permission, slug: str = "") -> QuerySet[Fleet]:
    """Returns the fleets in which the caller currently has the permission `right`, only the one named `slug` if given.

    Raises Http404 for a fleet that the caller or the token doesn't belong to. Raises PermissionDenied if `slug` or a
    token selects a fleet in which the caller's role, or a service account's scopes, lack the permission.
    """
    token = request.auth
    if isinstance(token, ApiToken):
        if slug and slug != token.fleet.slug:
            raise Http404("There is no such fleet, or this token is for another one.")
        slug = token.fleet.slug
        if token.is_service_account:
            _require_scope(token, right)
            return Fleet.objects.filter(pk=token.fleet_id)
    if slug:
        membership = get_membership_or_404(user=request.user, slug=slug, right=right)
        return Fleet.objects.filter(pk=membership.fleet_id)
    return fleets_for(user=request.user, right=right)


def permitted_fleets(request: Request, *, right: Permission) -> QuerySet[Fleet]:
    """Returns all fleets in which the caller has the permission; none of them is selected, so nothing is raised."""
    token = request.auth
    if isinstance(token, ApiToken) and token.is_service_account:
        granted = right in permissions_of(token.scopes)
        return Fleet.objects.filter(pk=token.fleet_id) if granted else Fleet.objects.none()
    return fleets_for(user=request.user, right=right)


def acting_user(request: Request, *, fleet: Fleet, right: Permission) -> User | None:
    """Returns the user who acts in the fleet, or None for a service account. Raises like `accessible_fleets`."""
    accessible_fleets(request, right=right, slug=fleet.slug)
    return request.user if isinstance(request.user, User) else None


def service_account(request: Request) -> ApiToken | None:
    """Returns the token of the service account that calls, or None if a user does."""
    token = request.auth
    return token if isinstance(token, ApiToken) and token.is_service_account else None


def _require_scope(token: ApiToken, right: Permission) -> None:
    if right not in permissions_of(token.scopes):
        scope = scope_for(right)
        needed = f"It needs the scope {scope.value}." if scope else "Service accounts can't do this."
        raise PermissionDenied(f"This service account doesn't allow this call. {needed}")

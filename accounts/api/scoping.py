"""The fleets that an API request can access. A token is limited to its own fleet."""

from django.db.models import QuerySet
from django.http import Http404
from rest_framework.request import Request

from accounts.models import ApiToken, Fleet
from accounts.permissions import Permission, fleets_for, get_membership_or_404


def accessible_fleets(request: Request, *, right: Permission, slug: str = "") -> QuerySet[Fleet]:
    """Returns the fleets in which the caller currently has the permission `right`, only the one named `slug` if given.

    Raises Http404 for a fleet that the caller or the token doesn't belong to. Raises PermissionDenied if `slug` or a
    token selects a fleet in which the caller's role lacks the permission.
    """
    token = request.auth
    if isinstance(token, ApiToken):
        if slug and slug != token.fleet.slug:
            raise Http404("There is no such fleet, or this token is for another one.")
        slug = token.fleet.slug
    if slug:
        membership = get_membership_or_404(user=request.user, slug=slug, right=right)
        return Fleet.objects.filter(pk=membership.fleet_id)
    return fleets_for(user=request.user, right=right)

"""Queries for a fleet's API tokens."""

from django.db.models import QuerySet

from accounts.models import ApiToken, Membership
from accounts.permissions import Permission, has_permission


def list_tokens(*, membership: Membership) -> QuerySet[ApiToken]:
    """Returns the tokens of users that the member may see and revoke, newest first: their own, or all for an owner."""
    tokens = ApiToken.objects.filter(fleet=membership.fleet, user__isnull=False).select_related("user")
    if has_permission(membership=membership, right=Permission.ADMINISTER):
        return tokens
    return tokens.filter(user=membership.user)

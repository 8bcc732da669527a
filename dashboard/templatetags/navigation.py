from dataclasses import dataclass

from django import template
from django.http import HttpRequest
from django.template.context import RequestContext
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import Fleet, Membership
from accounts.permissions import Permission, has_permission

register = template.Library()


@dataclass(frozen=True, slots=True)
class _NavItem:
    """A fleet page in the navigation. Views whose names start with `within` belong to it; the longest match wins."""

    label: str | Promise
    view: str
    right: Permission
    within: str


_NAV_ITEMS = (
    _NavItem(_("Vehicles"), "dashboard:vehicles", Permission.VIEW, "dashboard:"),
    _NavItem(_("Places"), "dashboard:places", Permission.VIEW, "dashboard:place"),
    _NavItem(_("Commands"), "commands:history", Permission.VIEW, "commands:"),
    _NavItem(_("Connections"), "connections:overview", Permission.CONNECT, "connections:"),
    _NavItem(_("Alerts"), "alerts:overview", Permission.VIEW, "alerts:"),
    _NavItem(_("Invitations"), "connect:invitations", Permission.CONNECT, "connect:invitations"),
    _NavItem(_("Webhook log"), "webhooks:log", Permission.INSPECT, "webhooks:"),
    _NavItem(_("API usage"), "usage:overview", Permission.BUDGET, "usage:"),
    _NavItem("Smartcar", "connect:integration", Permission.CONNECT, "connect:integration"),
    _NavItem(_("Members"), "accounts:members", Permission.ADMINISTER, "accounts:members"),
    _NavItem(_("API tokens"), "accounts:tokens", Permission.VIEW, "accounts:"),
    _NavItem(_("Audit log"), "dashboard:audit_log", Permission.AUDIT, "dashboard:audit_log"),
    _NavItem(_("Settings"), "dashboard:settings", Permission.CONNECT, "dashboard:settings"),
)


@dataclass(frozen=True, slots=True)
class Link:
    """One entry of the navigation."""

    label: str
    url: str
    current: bool


@register.inclusion_tag("dashboard/navigation.html", takes_context=True)
def fleet_navigation(context: RequestContext) -> dict[str, object]:
    """Returns links to the current fleet's pages, as far as the member may open them; none for other users."""
    fleet, request = context.get("fleet"), context.get("request")
    if (
        not isinstance(fleet, Fleet)
        or not isinstance(request, HttpRequest)
        or not request.user.is_authenticated
    ):
        return {"links": []}
    known = context.get("membership")
    if isinstance(known, Membership):
        membership: Membership | None = known
    else:
        membership = Membership.objects.filter(fleet=fleet, user=request.user).first()
    here = request.resolver_match.view_name if request.resolver_match else ""
    within = max((item.within for item in _NAV_ITEMS if here.startswith(item.within)), key=len, default="")
    return {
        "links": [
            Link(str(item.label), reverse(item.view, args=[fleet.slug]), item.within == within)
            for item in _NAV_ITEMS
            if membership is not None and has_permission(membership=membership, right=item.right)
        ]
    }


def fleet_pages(*, membership: Membership) -> list[Link]:
    """Returns links to the fleet's pages that the member may open, without regard to the current one."""
    return [
        Link(str(item.label), reverse(item.view, args=[membership.fleet.slug]), current=False)
        for item in _NAV_ITEMS
        if has_permission(membership=membership, right=item.right)
    ]

from dataclasses import dataclass

from django import template
from django.http import HttpRequest
from django.template.context import RequestContext
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import Fleet, Membership
from accounts.permissions import Right, has_right

register = template.Library()


@dataclass(frozen=True, slots=True)
class _Place:
    """A page of a fleet that the navigation leads to; views whose names start with `within` belong to it.

    Of two that fit, the longer one counts.
    """

    label: str | Promise
    view: str
    right: Right
    within: str


_PLACES = (
    _Place(_("Cars"), "fleet:fleet", Right.VIEW, "fleet:"),
    _Place(_("Places"), "fleet:places", Right.VIEW, "fleet:place"),
    _Place(_("Commands"), "commands:ledger", Right.VIEW, "commands:"),
    _Place(_("Connections"), "connections:overview", Right.CONNECT, "connections:"),
    _Place(_("Notices"), "notices:overview", Right.VIEW, "notices:"),
    _Place(_("Invitations"), "connect:invitations", Right.CONNECT, "connect:invitations"),
    _Place(_("Inbox"), "webhooks:inbox", Right.INSPECT, "webhooks:"),
    _Place(_("Usage"), "usage:overview", Right.BUDGET, "usage:"),
    _Place("Smartcar", "connect:setup", Right.CONNECT, "connect:setup"),
    _Place(_("Members"), "accounts:members", Right.ADMINISTER, "accounts:members"),
    _Place(_("API tokens"), "accounts:tokens", Right.VIEW, "accounts:"),
    _Place(_("Settings"), "fleet:settings", Right.CONNECT, "fleet:settings"),
)


@dataclass(frozen=True, slots=True)
class Link:
    """One entry of the navigation."""

    label: str
    url: str
    current: bool


@register.inclusion_tag("dashboard/navigation.html", takes_context=True)
def fleet_navigation(context: RequestContext) -> dict[str, object]:
    """The pages of the fleet that is shown, as far as the member may open them; none for others."""
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
    within = max((place.within for place in _PLACES if here.startswith(place.within)), key=len, default="")
    return {
        "links": [
            Link(str(place.label), reverse(place.view, args=[fleet.slug]), place.within == within)
            for place in _PLACES
            if membership is not None and has_right(membership=membership, right=place.right)
        ]
    }

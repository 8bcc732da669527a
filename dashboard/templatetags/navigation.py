from collections.abc import Sequence

from django import template
from django.http import HttpRequest
from django.template.context import RequestContext

from accounts.models import Fleet, Membership
from accounts.permissions import Permission, has_permission
from connect.connections.selectors import count_healthy_and_degraded
from dashboard.navigation import navigation_for

register = template.Library()


@register.inclusion_tag("dashboard/navigation.html", takes_context=True)
def navigation(context: RequestContext) -> dict[str, object]:
    """The rail of every page for signed-in users, and on phones the bars above and below the page.

    Pages that belong to no fleet show the pages of the user's fleet, if it is the only one.
    """
    request, shown = context.get("request"), context.get("fleet")
    my_fleets: Sequence[Fleet] = list(context.get("my_fleets") or [])
    if not isinstance(request, HttpRequest) or not request.user.is_authenticated:
        return {}
    frame: dict[str, object] = {
        "request": request,
        "user": request.user,
        "perms": context.get("perms"),
        "csrf_token": context.get("csrf_token"),
        "my_fleets": my_fleets,
    }
    fleet = shown if isinstance(shown, Fleet) else my_fleets[0] if len(my_fleets) == 1 else None
    membership = _membership(context, fleet=fleet, request=request)
    if fleet is None or membership is None:
        return frame
    view_name = request.resolver_match.view_name if request.resolver_match else ""
    groups = navigation_for(fleet=fleet, membership=membership, view_name=view_name)
    frame |= {"fleet": fleet, "groups": groups, "view_name": view_name}
    if has_permission(membership=membership, right=Permission.CONNECT):
        healthy, degraded = count_healthy_and_degraded(fleet=fleet)
        frame |= {"healthy": healthy, "degraded": degraded}
    return frame


def _membership(context: RequestContext, *, fleet: Fleet | None, request: HttpRequest) -> Membership | None:
    known = context.get("membership")
    if isinstance(known, Membership):
        return known
    return Membership.objects.filter(fleet=fleet, user=request.user.pk).first() if fleet else None

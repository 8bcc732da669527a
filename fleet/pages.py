"""The first page of a person, and the fleet page."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from accounts.access import Right, fleets_with_right, has_right, membership_for
from accounts.models import Membership
from fleet.rows import overview_of


@login_required
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """The user's first fleet, or what to do without one."""
    first = fleets_with_right(user=request.user, right=Right.VIEW).first()
    return redirect("fleet:fleet", slug=first.slug) if first else render(request, "fleet/no_fleet.html")


@login_required
@require_GET
def fleet(request: HttpRequest, slug: str) -> HttpResponse:
    """The fleet's cars in a table and on a map."""
    membership = membership_for(user=request.user, slug=slug, right=Right.VIEW)
    return render(request, "fleet/fleet.html", _fleet_context(membership))


@login_required
@require_GET
def cars(request: HttpRequest, slug: str) -> HttpResponse:
    """The table alone, for the open page; 204 when it shows already what there is."""
    membership = membership_for(user=request.user, slug=slug, right=Right.VIEW)
    context = _fleet_context(membership)
    if request.GET.get("version") == context["overview"].version:
        return HttpResponse(status=204)
    return render(request, "fleet/cars.html", context)


def _fleet_context(membership: Membership) -> dict[str, Any]:
    return {
        "fleet": membership.fleet,
        "overview": overview_of(fleet=membership.fleet),
        "may_connect": has_right(membership=membership, right=Right.CONNECT),
        "may_command": has_right(membership=membership, right=Right.COMMAND),
    }

"""Managers' page of recent reconciliations, for their own fleet only."""

from django.contrib.auth.decorators import login_required
from django.db.models import Prefetch, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts.permissions import Permission, get_membership_or_404
from connect.models import Discrepancy, FleetReconciliation

_NIGHTS = 30


@never_cache
@login_required
@require_GET
def show(request: HttpRequest, slug: str) -> HttpResponse:
    """The last reconciliations: how many of the fleet's connections were checked, and the discrepancies found."""
    fleet = get_membership_or_404(user=request.user, slug=slug, right=Permission.CONNECT).fleet
    own_discrepancies = Discrepancy.objects.filter(
        Q(connection__fleet=fleet) | Q(refused_grant__authorization__fleet=fleet)
    ).select_related("connection__vehicle", "refused_grant__authorization__invitation")
    nights = (
        FleetReconciliation.objects.filter(fleet=fleet)
        .select_related("reconciliation")
        .prefetch_related(
            Prefetch("reconciliation__discrepancies", queryset=own_discrepancies, to_attr="mine")
        )
        .order_by("-reconciliation__began_at", "-id")[:_NIGHTS]
    )
    return render(request, "connect/reconciliation/show.html", {"fleet": fleet, "nights": nights})

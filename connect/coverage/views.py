"""The page "What can my fleet know?"."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts.permissions import Permission, get_membership_or_404
from connect.compatibility import regions
from connect.coverage.selectors import fleet_coverage


@never_cache
@login_required
@require_GET
def show(request: HttpRequest, slug: str) -> HttpResponse:
    """Shows each report for each make of the fleet: yes, partly or no, and why."""
    fleet = get_membership_or_404(user=request.user, slug=slug, right=Permission.CONNECT).fleet
    region = request.GET.get("region", "")
    if region not in regions.LABELS:
        region = regions.region_of(fleet.time_zone)
    context = {
        "fleet": fleet,
        "region": region,
        "regions": regions.CHOICES,
        "coverage": fleet_coverage(fleet=fleet, region=region),
    }
    return render(request, "connect/coverage/page.html", context)

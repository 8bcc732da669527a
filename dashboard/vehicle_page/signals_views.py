"""The signals tab: everything that the vehicle has reported."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts.permissions import Permission
from dashboard.vehicle_page.base import SIGNALS, VehicleContext, vehicle_context
from dashboard.vehicle_page.overview import get_connections
from dashboard.vehicle_page.signals import list_signals


@never_cache
@login_required
@require_GET
def page(request: HttpRequest, slug: str, smartcar_id: str) -> HttpResponse:
    """Lists every signal of the vehicle."""
    frame = vehicle_context(request, slug=slug, smartcar_id=smartcar_id)
    return render(request, "dashboard/vehicle_page/signals.html", frame.context(SIGNALS) | _context(frame))


@never_cache
@login_required
@require_GET
def table(request: HttpRequest, slug: str, smartcar_id: str) -> HttpResponse:
    """Returns the signals for an open page; 204 if the page already shows them."""
    frame = vehicle_context(request, slug=slug, smartcar_id=smartcar_id)
    context = _context(frame)
    if request.GET.get("version") == context["signals"].version:
        return HttpResponse(status=204)
    return render(request, "dashboard/vehicle_page/signals_table.html", context)


def _context(frame: VehicleContext) -> dict[str, Any]:
    signals = list_signals(
        vehicle=frame.vehicle,
        connections=get_connections(frame.vehicle),
        may_see_vin=frame.can(Permission.CONNECT),
        now=timezone.now(),
    )
    return {"fleet": frame.fleet, "vehicle": frame.vehicle, "signals": signals}

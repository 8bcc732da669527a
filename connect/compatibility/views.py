"""The page that checks, before a driver is invited, whether a vehicle can be connected."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from accounts.models import Fleet
from accounts.permissions import Permission, get_membership_or_404
from connect.compatibility import services
from connect.compatibility.forms import VehicleForm
from connect.compatibility.regions import region_of
from smartcar_api import SmartcarError


@never_cache
@login_required
@sensitive_post_parameters("vin")
@sensitive_variables()
@require_http_methods(["GET", "HEAD", "POST"])
def check(request: HttpRequest, slug: str) -> HttpResponse:
    """Shows the form, and the answer to a POST. A POST changes nothing; it keeps the VIN out of addresses and logs."""
    fleet = get_membership_or_404(user=request.user, slug=slug, right=Permission.CONNECT).fleet
    form = VehicleForm(
        request.POST if request.method == "POST" else None,
        initial={"region": region_of(fleet.time_zone)},
    )
    context: dict[str, Any] = {"fleet": fleet, "form": form}
    status = 200
    if request.method == "POST":
        if form.is_valid():
            context |= _ask(fleet, form.cleaned_data)
        else:
            status = 400
    return render(request, "connect/compatibility/check.html", context, status=status)


@sensitive_variables()
def _ask(fleet: Fleet, wanted: dict[str, Any]) -> dict[str, Any]:
    try:
        if wanted["vin"]:
            return {"answer": services.check_by_vin(fleet=fleet, vin=wanted["vin"]), "by_vin": True}
        answer = services.check_by_model(
            fleet=fleet,
            make=wanted["make"],
            model=wanted["model"],
            year=wanted["year"],
            region=wanted["region"] or region_of(fleet.time_zone),
        )
    except SmartcarError as error:
        return {"error": error, "by_vin": bool(wanted["vin"])}
    return {"answer": answer}

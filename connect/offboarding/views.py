"""Managers' pages: offboarding a vehicle, and the deletion receipts."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from accounts.identity_check import ask_identity
from accounts.models import Membership
from accounts.permissions import Permission, get_membership_or_404
from connect.models import Connection, ConnectionState, DriverPortal, OffboardingRequest
from connect.offboarding import selectors, services
from connect.offboarding.forms import OffboardingForm
from connect.offboarding.models import ErasureScope
from vehicles.models import Vehicle
from vehicles.selectors import get_vehicle

_MAX_LISTED = 200


@never_cache
@sensitive_post_parameters("password", "credential")
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def remove(request: HttpRequest, slug: str, smartcar_id: str) -> HttpResponse:
    """Shows the offboarding form and starts the offboarding, which requires reauthentication."""
    membership, vehicle = _get_vehicle(request, slug, smartcar_id)
    form = OffboardingForm(request.POST or None)
    if request.method != "POST":
        return render(
            request, "connect/offboarding/confirm.html", _confirmation_context(membership, vehicle, form)
        )
    if not form.is_valid():
        return render(
            request,
            "connect/offboarding/confirm.html",
            _confirmation_context(membership, vehicle, form),
            status=400,
        )
    back = reverse("connect:disconnect", args=[slug, smartcar_id])
    if (asked := ask_identity(request, user=membership.user, back=back)) is not None:
        return asked
    try:
        offboarding = _offboard(membership, vehicle, form)
    except services.NothingToOffboardError as error:
        messages.error(request, str(error))
        return redirect("dashboard:vehicle", slug=slug, smartcar_id=smartcar_id)
    return redirect("connect:offboarding", slug=slug, offboarding_id=offboarding.pk)


def _offboard(membership: Membership, vehicle: Vehicle, form: OffboardingForm) -> OffboardingRequest:
    extent = ErasureScope(form.cleaned_data["extent"])
    connection_id = form.cleaned_data["connection"]
    if connection_id is None:
        return services.offboard_vehicle(vehicle=vehicle, extent=extent, user=membership.user)
    connection = vehicle.connections.select_related("vehicle", "fleet").filter(pk=connection_id).first()
    if connection is None:
        raise Http404("The vehicle has no such connection.")
    return services.offboard_connection(connection=connection, extent=extent, user=membership.user)


def _confirmation_context(membership: Membership, vehicle: Vehicle, form: OffboardingForm) -> dict[str, Any]:
    connections = list(vehicle.connections.exclude(state=ConnectionState.REMOVED).order_by("created_at"))
    others = Vehicle.objects.filter(smartcar_id=vehicle.smartcar_id).exclude(pk=vehicle.pk)
    return {
        "fleet": membership.fleet,
        "vehicle": vehicle,
        "form": form,
        "drivers": [(each, _driver(each)) for each in connections],
        "elsewhere": Connection.objects.filter(vehicle__in=others)
        .exclude(state=ConnectionState.REMOVED)
        .exists(),
        "extents": ErasureScope,
        "chosen": str(form["extent"].value() or ErasureScope.NOTHING),
    }


def _driver(connection: Connection) -> str:
    """The driver's name if their driver page has one, or a text in its place."""
    page = DriverPortal.objects.filter(
        fleet=connection.fleet_id, smartcar_user_id=connection.smartcar_user_id
    ).first()
    return page.driver_name if page else _("an unknown driver")


@never_cache
@login_required
@require_GET
def listing(request: HttpRequest, slug: str) -> HttpResponse:
    """The fleet's offboardings, newest first."""
    membership = get_membership_or_404(user=request.user, slug=slug, right=Permission.CONNECT)
    offboardings = selectors.list_requests(fleet=membership.fleet)[:_MAX_LISTED]
    context = {"fleet": membership.fleet, "offboardings": offboardings}
    return render(request, "connect/offboarding/list.html", context)


@never_cache
@login_required
@require_GET
def show(request: HttpRequest, slug: str, offboarding_id: int) -> HttpResponse:
    """The deletion receipt, or the progress of an unfinished offboarding."""
    membership = get_membership_or_404(user=request.user, slug=slug, right=Permission.CONNECT)
    offboarding = _get_offboarding(membership, offboarding_id)
    context = {"fleet": membership.fleet, "receipt": selectors.get_receipt(offboarding)}
    return render(request, "connect/offboarding/receipt.html", context)


@never_cache
@login_required
@require_GET
def progress(request: HttpRequest, slug: str, offboarding_id: int) -> HttpResponse:
    """The receipt's fragment for an open page; 204 if the page is up to date."""
    membership = get_membership_or_404(user=request.user, slug=slug, right=Permission.CONNECT)
    receipt = selectors.get_receipt(_get_offboarding(membership, offboarding_id))
    if request.GET.get("version") == receipt.version:
        return HttpResponse(status=204)
    return render(request, "connect/offboarding/state.html", {"fleet": membership.fleet, "receipt": receipt})


def _get_offboarding(membership: Membership, offboarding_id: int) -> OffboardingRequest:
    offboarding = selectors.list_requests(fleet=membership.fleet).filter(pk=offboarding_id).first()
    if offboarding is None:
        raise Http404("No such offboarding in this fleet.")
    return offboarding


def _get_vehicle(request: HttpRequest, slug: str, smartcar_id: str) -> tuple[Membership, Vehicle]:
    membership = get_membership_or_404(user=request.user, slug=slug, right=Permission.CONNECT)
    vehicle = get_vehicle(fleet=membership.fleet, smartcar_id=smartcar_id)
    if vehicle is None:
        raise Http404("No such vehicle in this fleet.")
    return membership, vehicle

"""A manager's pages: letting go of a car, and the proofs of what was ended and erased."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from accounts.models import Membership
from accounts.permissions import Permission, get_membership_or_404
from connect.models import Connection, ConnectionState, DriverPortal, OffboardingRequest
from connect.offboarding import selectors, services
from connect.offboarding.forms import OffboardingForm
from connect.offboarding.models import ErasureScope
from vehicles.models import Vehicle
from vehicles.selectors import get_vehicle

_SHOWN = 200


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def remove(request: HttpRequest, slug: str, smartcar_id: str) -> HttpResponse:
    """Asks what is to happen with a car that leaves the fleet, and has it done."""
    membership, car = _car(request, slug, smartcar_id)
    form = OffboardingForm(request.POST or None)
    if request.method != "POST":
        return render(request, "connect/offboarding/confirm.html", _question(membership, car, form))
    if not form.is_valid():
        return render(
            request, "connect/offboarding/confirm.html", _question(membership, car, form), status=400
        )
    try:
        removal = _remove(membership, car, form)
    except services.NothingToOffboardError as error:
        messages.error(request, str(error))
        return redirect("dashboard:vehicle", slug=slug, smartcar_id=smartcar_id)
    return redirect("connect:offboarding", slug=slug, removal_id=removal.pk)


def _remove(membership: Membership, car: Vehicle, form: OffboardingForm) -> OffboardingRequest:
    extent = ErasureScope(form.cleaned_data["extent"])
    chosen = form.cleaned_data["connection"]
    if chosen is None:
        return services.offboard_vehicle(vehicle=car, extent=extent, user=membership.user)
    connection = car.connections.select_related("vehicle", "fleet").filter(pk=chosen).first()
    if connection is None:
        raise Http404("This car has no such connection.")
    return services.offboard_connection(connection=connection, extent=extent, user=membership.user)


def _question(membership: Membership, car: Vehicle, form: OffboardingForm) -> dict[str, Any]:
    connections = list(car.connections.exclude(state=ConnectionState.REMOVED).order_by("created_at"))
    others = Vehicle.objects.filter(smartcar_id=car.smartcar_id).exclude(pk=car.pk)
    return {
        "fleet": membership.fleet,
        "vehicle": car,
        "form": form,
        "drivers": [(each, _driver(each)) for each in connections],
        "elsewhere": Connection.objects.filter(vehicle__in=others)
        .exclude(state=ConnectionState.REMOVED)
        .exists(),
        "extents": ErasureScope,
        "chosen": str(form["extent"].value() or ErasureScope.NOTHING),
    }


def _driver(connection: Connection) -> str:
    """The driver's name where an invitation told it."""
    page = DriverPortal.objects.filter(
        fleet=connection.fleet_id, smartcar_user_id=connection.smartcar_user_id
    ).first()
    return page.driver_name if page else _("an unknown driver")


@never_cache
@login_required
@require_GET
def listing(request: HttpRequest, slug: str) -> HttpResponse:
    """The fleet's removals, newest first."""
    membership = get_membership_or_404(user=request.user, slug=slug, right=Permission.CONNECT)
    found = selectors.list_requests(fleet=membership.fleet)[:_SHOWN]
    context = {"fleet": membership.fleet, "removals": found}
    return render(request, "connect/offboarding/list.html", context)


@never_cache
@login_required
@require_GET
def show(request: HttpRequest, slug: str, removal_id: int) -> HttpResponse:
    """The proof, or how far the removal has come."""
    membership = get_membership_or_404(user=request.user, slug=slug, right=Permission.CONNECT)
    removal = _removal(membership, removal_id)
    context = {"fleet": membership.fleet, "proof": selectors.get_receipt(removal)}
    return render(request, "connect/offboarding/proof.html", context)


@never_cache
@login_required
@require_GET
def progress(request: HttpRequest, slug: str, removal_id: int) -> HttpResponse:
    """The proof's fragment for the open page; 204 when it shows already what there is."""
    membership = get_membership_or_404(user=request.user, slug=slug, right=Permission.CONNECT)
    proof = selectors.get_receipt(_removal(membership, removal_id))
    if request.GET.get("version") == proof.version:
        return HttpResponse(status=204)
    return render(request, "connect/offboarding/state.html", {"fleet": membership.fleet, "proof": proof})


def _removal(membership: Membership, removal_id: int) -> OffboardingRequest:
    removal = selectors.list_requests(fleet=membership.fleet).filter(pk=removal_id).first()
    if removal is None:
        raise Http404("There is no such removal in this fleet.")
    return removal


def _car(request: HttpRequest, slug: str, smartcar_id: str) -> tuple[Membership, Vehicle]:
    membership = get_membership_or_404(user=request.user, slug=slug, right=Permission.CONNECT)
    car = get_vehicle(fleet=membership.fleet, smartcar_id=smartcar_id)
    if car is None:
        raise Http404("There is no such car in this fleet.")
    return membership, car

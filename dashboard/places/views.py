"""The fleet's places: a list with a map, and a page for each place.

Coordinates never appear in URLs: pages that pass some post them (`prefill`), and a vehicle is passed by name.
"""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.models import Fleet, Membership
from accounts.permissions import Permission, get_membership_or_404, has_permission
from dashboard.places import selectors
from dashboard.places.forms import PlaceForm
from vehicles.models import Place
from vehicles.places import services
from vehicles.places.selectors import get_place, list_places


@never_cache
@login_required
@require_GET
def overview(request: HttpRequest, slug: str) -> HttpResponse:
    """Shows all places of the fleet as a list and on a map."""
    membership = get_membership_or_404(user=request.user, slug=slug, right=Permission.VIEW)
    context = {
        "fleet": membership.fleet,
        "places": list_places(fleet=membership.fleet),
        "area": selectors.vehicles_area(fleet=membership.fleet),
        "may_edit": has_permission(membership=membership, right=Permission.CONNECT),
    }
    return render(request, "dashboard/places/overview.html", context)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_variables()
def new(request: HttpRequest, slug: str) -> HttpResponse:
    """Creates a place. With `prefill` nothing is stored: the form shows posted values, or a vehicle's location."""
    membership = get_membership_or_404(user=request.user, slug=slug, right=Permission.CONNECT)
    return _edit(request, membership, Place(fleet=membership.fleet))


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_variables()
def edit(request: HttpRequest, slug: str, place_id: int) -> HttpResponse:
    """Changes a place."""
    membership = get_membership_or_404(user=request.user, slug=slug, right=Permission.CONNECT)
    return _edit(request, membership, _place(membership.fleet, place_id))


@login_required
@require_POST
def delete(request: HttpRequest, slug: str, place_id: int) -> HttpResponse:
    """Deletes a place."""
    membership = get_membership_or_404(user=request.user, slug=slug, right=Permission.CONNECT)
    place = _place(membership.fleet, place_id)
    services.delete_place(place=place, actor=membership.user)
    messages.success(request, _("Place “%(place)s” deleted.") % {"place": place})
    return redirect("dashboard:places", slug=slug)


def _place(fleet: Fleet, place_id: int) -> Place:
    place = get_place(fleet=fleet, place_id=place_id)
    if place is None:
        raise Http404("There is no such place in this fleet.")
    return place


def _edit(request: HttpRequest, membership: Membership, place: Place) -> HttpResponse:
    if request.method != "POST":
        return _page(request, membership, PlaceForm(instance=place))
    if "prefill" in request.POST:
        filled = _prefilled(request, membership.fleet)
        form = PlaceForm(instance=place, initial=filled.values)
        return _page(request, membership, form, vehicle=filled)
    form = PlaceForm(request.POST, instance=place)
    if not form.is_valid():
        return _page(request, membership, form, status=400)
    services.save_place(place=form.save(commit=False), actor=membership.user)
    messages.success(request, _("Place “%(place)s” saved.") % {"place": place})
    return redirect("dashboard:places", slug=membership.fleet.slug)


@dataclass(frozen=True, slots=True)
class _Prefilled:
    """The form's initial `values`, the vehicle that was `typed`, and why its location couldn't be used."""

    values: dict[str, Any]
    typed: str
    problem: str


def _prefilled(request: HttpRequest, fleet: Fleet) -> _Prefilled:
    """Returns the values entered so far, with the location of the requested vehicle."""
    fields = PlaceForm.Meta.fields
    values = {name: request.POST[name] for name in fields if request.POST.get(name, "").strip()}
    typed = request.POST.get("vehicle", "").strip()
    if not typed:
        return _Prefilled(values, "", "")
    vehicle = selectors.find_vehicle_by_name(fleet=fleet, name=typed)
    if vehicle is None:
        return _Prefilled(
            values, typed, _("No unique match. Enter the exact name or plate of a vehicle in this fleet.")
        )
    position = selectors.vehicle_position(vehicle=vehicle)
    if position is None:
        problem = _("The location of %(vehicle)s is unknown or hidden by the driver.") % {"vehicle": vehicle}
        return _Prefilled(values, str(vehicle), problem)
    values |= {"latitude": f"{position[0]:.6f}", "longitude": f"{position[1]:.6f}"}
    return _Prefilled(values, str(vehicle), "")


def _page(
    request: HttpRequest,
    membership: Membership,
    form: PlaceForm,
    *,
    vehicle: _Prefilled | None = None,
    status: int = 200,
) -> HttpResponse:
    fleet = membership.fleet
    context = {
        "fleet": fleet,
        "form": form,
        "place": Place.objects.filter(pk=form.instance.pk).first() if form.instance.pk else None,
        "others": list_places(fleet=fleet).exclude(pk=form.instance.pk),
        "area": selectors.vehicles_area(fleet=fleet),
        "vehicles": selectors.vehicle_names(fleet=fleet),
        "vehicle": vehicle,
    }
    return render(request, "dashboard/places/edit.html", context, status=status)

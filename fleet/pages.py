"""Pages that show several rooms at once: the fleet page and the vehicle page."""

from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from accounts.access import Right, fleets_with_right, has_right, membership_for
from accounts.models import Membership
from commands.panel import panel_context
from connect import lifecycle
from connect.budget import usage
from connect.connections.strip import Strip, strip_of
from connect.gateway import Purpose
from connect.models import Connection
from connect.smartcar import SmartcarError
from connect.vault import TokensUnavailableError
from fleet import history_page, vehicle_page
from fleet.rows import overview_of
from vehicles.catalogue import CATALOGUE, Shape
from vehicles.models import Vehicle
from vehicles.selectors import vehicle_of
from webhooks import reconcile


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


@login_required
@require_GET
def vehicle(request: HttpRequest, slug: str, smartcar_id: str) -> HttpResponse:
    """All that is known of one car, and its command buttons."""
    membership, car = _car(request, slug, smartcar_id, Right.VIEW)
    context = vehicle_page.context_of(fleet=membership.fleet, vehicle=car)
    context["strip"] = _strip(membership, car, context["connections"])
    context["may_connect"] = has_right(membership=membership, right=Right.CONNECT)
    context |= panel_context(membership=membership, vehicle=car)
    if has_right(membership=membership, right=Right.BUDGET):
        context["usage"] = usage.of_vehicle(vehicle=car, month=usage.month_of(timezone.now()))
    return render(request, "fleet/vehicle.html", context)


@login_required
@require_GET
def values(request: HttpRequest, slug: str, smartcar_id: str) -> HttpResponse:
    """The car's values alone, for the open page; 204 when it shows them already."""
    membership, car = _car(request, slug, smartcar_id, Right.VIEW)
    context = vehicle_page.context_of(fleet=membership.fleet, vehicle=car)
    if request.GET.get("version") == str(context["version"]):
        return HttpResponse(status=204)
    context["strip"] = _strip(membership, car, context["connections"])
    return render(request, "fleet/values.html", context)


def _strip(membership: Membership, car: Vehicle, connections: list[Connection]) -> Strip:
    may_connect = has_right(membership=membership, right=Right.CONNECT)
    return strip_of(vehicle=car, connections=connections, may_connect=may_connect, now=timezone.now())


@login_required
@require_GET
def signals(request: HttpRequest, slug: str, smartcar_id: str) -> HttpResponse:
    """Every signal of the car, as a table."""
    membership, car = _car(request, slug, smartcar_id, Right.VIEW)
    return render(request, "fleet/signals.html", vehicle_page.context_of(fleet=membership.fleet, vehicle=car))


@login_required
@require_GET
def history(request: HttpRequest, slug: str, smartcar_id: str, code: str) -> HttpResponse:
    """A number signal over the last `?hours=` (at most ten years), as JSON: a history_page.Chart."""
    membership, car = _car(request, slug, smartcar_id, Right.VIEW)
    signal = CATALOGUE.get(code)
    hours = request.GET.get("hours", "24")
    if signal is None or signal.shape is not Shape.NUMBER or not hours.isdecimal() or len(hours) > 6:
        raise Http404("There is no history of that.")
    end = timezone.now()
    start = end - min(timedelta(hours=int(hours)), history_page.LONGEST)
    chart = history_page.chart_of(fleet=membership.fleet, vehicle=car, signal=signal, start=start, end=end)
    return JsonResponse(asdict(chart))


@login_required
@require_POST
def read_now(request: HttpRequest, slug: str, smartcar_id: str) -> HttpResponse:
    """Reads the car through the API, into the inbox."""
    _, car = _car(request, slug, smartcar_id, Right.COMMAND)
    connection = lifecycle.usable(vehicle_id=car.pk)
    if connection is None:
        messages.error(request, "This car has no working connection. Its driver has to connect it again.")
    else:
        _read(request, connection)
    return redirect("fleet:vehicle", slug=slug, smartcar_id=smartcar_id)


def _read(request: HttpRequest, connection: Connection) -> None:
    try:
        reconcile.pull(connection=connection, purpose=Purpose.PERSON)
    except SmartcarError as error:
        messages.error(request, error.for_people)
    except TokensUnavailableError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "The car was read. What is new shows here in a moment.")


def _car(request: HttpRequest, slug: str, smartcar_id: str, right: Right) -> tuple[Membership, Vehicle]:
    membership = membership_for(user=request.user, slug=slug, right=right)
    car = vehicle_of(fleet=membership.fleet, smartcar_id=smartcar_id)
    if car is None:
        raise Http404("There is no such car in this fleet.")
    return membership, car

"""The overview tab: the vehicle's current values, its command buttons, and refreshing."""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from accounts.permissions import Permission
from commands.panel import panel_context
from connect import health
from connect.connections.status_banner import status_banner
from connect.gateway import CallPurpose
from connect.models import Connection
from connect.token_store import TokensUnavailableError
from core import pubsub
from dashboard.vehicle_page import overview
from dashboard.vehicle_page.base import OVERVIEW, VehicleContext, vehicle_context
from dashboard.vehicle_page.side_panel import render_side_panel
from smartcar_api import SmartcarError
from vehicles.selectors import VehicleState
from webhooks import polling


@login_required
@require_GET
def vehicle(request: HttpRequest, slug: str, smartcar_id: str) -> HttpResponse:
    """Shows a vehicle's current values and command buttons."""
    frame = vehicle_context(request, slug=slug, smartcar_id=smartcar_id)
    offset = pubsub.current_offset(fleet_id=frame.fleet.pk)
    state, connections = overview.get_state(frame.vehicle), overview.get_connections(frame.vehicle)
    panel = panel_context(
        membership=frame.membership, vehicle=frame.vehicle, state=state, connections=connections
    )
    context = frame.context(OVERVIEW) | panel | _values(frame, state, connections)
    context["live_query"] = f"vehicle={frame.vehicle.pk}&since={offset}"
    return render(request, "dashboard/vehicle_page/overview.html", context)


@never_cache
@login_required
@require_GET
def side_panel(request: HttpRequest, slug: str, smartcar_id: str) -> HttpResponse:
    """Returns the panel beside the list of vehicles."""
    return render_side_panel(request, frame=vehicle_context(request, slug=slug, smartcar_id=smartcar_id))


@login_required
@require_GET
def values(request: HttpRequest, slug: str, smartcar_id: str) -> HttpResponse:
    """Returns the vehicle's values for an open page; 204 if the page already shows them."""
    frame = vehicle_context(request, slug=slug, smartcar_id=smartcar_id)
    state, connections = overview.get_state(frame.vehicle), overview.get_connections(frame.vehicle)
    context = _values(frame, state, connections)
    if request.GET.get("version") == str(context["version"]):
        return HttpResponse(status=204)
    return render(request, "dashboard/vehicle_page/values.html", context | {"fragment": True})


def _values(frame: VehicleContext, state: VehicleState, connections: Sequence[Connection]) -> dict[str, Any]:
    context = overview.overview_context(frame=frame, state=state, connections=connections)
    context["strip"] = status_banner(
        vehicle=frame.vehicle,
        connections=connections,
        may_connect=frame.can(Permission.CONNECT),
        now=timezone.now(),
    )
    return context


@login_required
@require_POST
def refresh(request: HttpRequest, slug: str, smartcar_id: str) -> HttpResponse:
    """Fetches the vehicle's data from Smartcar into the inbox."""
    frame = vehicle_context(request, slug=slug, smartcar_id=smartcar_id, right=Permission.COMMAND)
    connection = health.best_connection(vehicle_id=frame.vehicle.pk)
    if connection is None:
        messages.error(request, _("This vehicle has no working connection. Ask its driver to reconnect it."))
    else:
        _read(request, connection)
    return redirect("dashboard:vehicle", slug=slug, smartcar_id=smartcar_id)


def _read(request: HttpRequest, connection: Connection) -> None:
    try:
        polling.fetch_now(connection=connection, purpose=CallPurpose.PERSON)
    except SmartcarError as error:
        messages.error(request, error.user_message)
    except TokensUnavailableError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("Refresh requested. New values appear shortly."))

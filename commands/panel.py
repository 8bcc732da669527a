"""The command panel of a car's page: its lock state, its buttons, what became of the last commands."""

from typing import Any
from zlib import crc32

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.access import Right, has_right
from accounts.models import Membership
from commands.models import State
from commands.selectors import recent_of
from connect import lifecycle
from vehicles import catalogue
from vehicles.models import Vehicle
from vehicles.selectors import states_of


def panel_context(*, membership: Membership, vehicle: Vehicle, problem: str = "") -> dict[str, Any]:
    """What commands/panel.html needs. `busy` while a command is on its way to the car."""
    commands = recent_of(vehicle=vehicle, limit=5)
    (state,) = states_of(vehicles=[vehicle], signals=[catalogue.IS_LOCKED])
    locked = state.signal(catalogue.IS_LOCKED)
    marks = [f"{command.pk}:{command.state}" for command in commands]
    connected = lifecycle.usable(vehicle_id=vehicle.pk) is not None
    return {
        "panel_version": crc32(f"{marks}{locked and locked.observed_at}{connected}".encode()),
        "fleet": membership.fleet,
        "vehicle": vehicle,
        "locked": locked,
        "commands": commands,
        "busy": any(command.state in (State.REQUESTED, State.SENDING) for command in commands),
        "may_command": has_right(membership=membership, right=Right.COMMAND),
        "connected": connected,
        "problem": problem,
    }


def render_panel(
    request: HttpRequest, *, membership: Membership, vehicle: Vehicle, problem: str = ""
) -> HttpResponse:
    """The panel as a fragment; 204 when the page shows it already (`?version=`)."""
    context = panel_context(membership=membership, vehicle=vehicle, problem=problem)
    if request.GET.get("version") == str(context["panel_version"]):
        return HttpResponse(status=204)
    return render(request, "commands/panel.html", context)

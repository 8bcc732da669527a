"""The battery-capacity question: part of Connect if the capacity is unknown, or opened from the nominal_capacity link.

"User Selected Battery Capacity": the redirect carries vehicle_id, selected_capacity and reason, or the error
battery_capacity_no_selection.
"""

from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from simulator.connect.flow import THEN_CAPACITY, ConnectPageError, checked_redirect, with_query
from simulator.hosts.common import get_simulation, mark
from simulator.rendering import page, problem, redirect_browser
from simulator.simulation import Simulation
from simulator.vehicles import Vehicle

CODE = "tractionbattery-nominalcapacity"
NO_SELECTION = [
    ("error", "battery_capacity_no_selection"),
    ("error_description", "user did not know battery capacity"),
]


def _available(simulation: Simulation, vehicle: Vehicle) -> list[dict[str, Any]]:
    body = vehicle.signal(CODE, now=simulation.now()).body or {}
    return [each for each in body.get("availableCapacities", []) if each.get("capacity") is not None]


def unanswered(simulation: Simulation, vehicle_ids: Sequence[str]) -> list[str]:
    """Return the vehicles whose capacity only the driver knows, and for which no answer is stored."""
    found = []
    for each in vehicle_ids:
        body = simulation.fleet.vehicles[each].signal(CODE, now=simulation.now()).body
        if each not in simulation.capacities and body is not None and body.get("capacity") is None:
            found.append(each)
    return found


def question(simulation: Simulation, vehicle: Vehicle, *, action: str) -> Response:
    """Return the page with the question."""
    return page(
        "connect/capacity.html", vehicle=vehicle, choices=_available(simulation, vehicle), action=action
    )


async def read_answer(request: Request, simulation: Simulation, vehicle: Vehicle) -> float | None:
    """Read and store the driver's answer. Return None if the driver doesn't know the capacity."""
    form = await request.form()
    mark(request, vehicle_id=vehicle.id)
    offered = {str(each["capacity"]): float(each["capacity"]) for each in _available(simulation, vehicle)}
    selected = offered.get(str(form.get("capacity", ""))) if not form.get("unknown") else None
    if selected is not None:
        simulation.capacities[vehicle.id] = selected
        simulation.changed = True
    return selected


async def standalone(request: Request) -> Response:
    """GET and POST /battery-capacity, from the address in a nominal_capacity response"""
    simulation = get_simulation(request)
    query = request.query_params
    vehicle = simulation.vehicle(query.get("vehicle_id", ""))
    vehicle_id, until = simulation.capacity_tokens.get(query.get("token", ""), ("", 0.0))
    try:
        redirect_uri = checked_redirect(simulation, query.get("redirect_uri"))
    except ConnectPageError as error:
        return problem("This link doesn't work", str(error))
    if query.get("client_id") != simulation.settings.credentials.application_id or vehicle is None:
        return problem("This link doesn't work", "Unknown application or vehicle.")
    if vehicle_id != vehicle.id or until < simulation.now():
        # Without a valid token the driver signs in first and answers the question afterwards.
        back = [("redirect_uri", redirect_uri or ""), ("then", THEN_CAPACITY)]
        return redirect_browser(with_query(simulation.reauthenticate_url(vehicle.id), back))
    if request.method == "GET":
        return question(simulation, vehicle, action=f"/connect/battery-capacity?{request.url.query}")
    selected = await read_answer(request, simulation, vehicle)
    if selected is None:
        fields = [*NO_SELECTION, ("vehicle_id", vehicle.id)]
    else:
        fields = [
            ("vehicle_id", vehicle.id),
            ("selected_capacity", f"{selected:g}"),
            ("reason", "battery_capacity"),
        ]
    return redirect_browser(with_query(redirect_uri or "", fields))

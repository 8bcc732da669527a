"""The battery-capacity choice: asked in Connect when it cannot be told, or from the nominal_capacity address.

"User Selected Battery Capacity": the answer comes back as vehicle_id, selected_capacity and reason, or as the error
battery_capacity_no_selection.
"""

from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from simulator.cars import Car
from simulator.connect.flow import THEN_CAPACITY, ConnectPageError, checked_redirect, with_query
from simulator.hosts.common import mark, world_of
from simulator.rendering import page, problem, send_browser
from simulator.world import World

CODE = "tractionbattery-nominalcapacity"
NO_SELECTION = [
    ("error", "battery_capacity_no_selection"),
    ("error_description", "user did not know battery capacity"),
]


def _available(world: World, car: Car) -> list[dict[str, Any]]:
    body = car.signal(CODE, now=world.now()).body or {}
    return [each for each in body.get("availableCapacities", []) if each.get("capacity") is not None]


def unanswered(world: World, vehicle_ids: Sequence[str]) -> list[str]:
    """Those of the cars whose capacity only the driver can tell, and who has not been asked yet."""
    found = []
    for each in vehicle_ids:
        body = world.garage.cars[each].signal(CODE, now=world.now()).body
        if each not in world.capacities and body is not None and body.get("capacity") is None:
            found.append(each)
    return found


def question(world: World, car: Car, *, action: str) -> Response:
    """The page that asks."""
    return page("connect/capacity.html", car=car, choices=_available(world, car), action=action)


async def answer(request: Request, world: World, car: Car) -> float | None:
    """Read and keep the driver's answer; None when they do not know."""
    form = await request.form()
    mark(request, vehicle_id=car.id)
    offered = {str(each["capacity"]): float(each["capacity"]) for each in _available(world, car)}
    chosen = offered.get(str(form.get("capacity", ""))) if not form.get("unknown") else None
    if chosen is not None:
        world.capacities[car.id] = chosen
        world.changed = True
    return chosen


async def standalone(request: Request) -> Response:
    """GET and POST /battery-capacity, from the address in a nominal_capacity answer"""
    world = world_of(request)
    asked = request.query_params
    car = world.car(asked.get("vehicle_id", ""))
    held, until = world.capacity_tokens.get(asked.get("token", ""), ("", 0.0))
    try:
        redirect_uri = checked_redirect(world, asked.get("redirect_uri"))
    except ConnectPageError as wrong:
        return problem("This link does not work", str(wrong))
    if asked.get("client_id") != world.settings.credentials.application_id or car is None:
        return problem("This link does not work", "There is no such application or vehicle.")
    if held != car.id or until < world.now():
        # Without a token that is still good the driver signs in first, and is asked afterwards.
        back = [("redirect_uri", redirect_uri or ""), ("then", THEN_CAPACITY)]
        return send_browser(with_query(world.reauthenticate_url(car.id), back))
    if request.method == "GET":
        return question(world, car, action=f"/connect/battery-capacity?{request.url.query}")
    chosen = await answer(request, world, car)
    if chosen is None:
        fields = [*NO_SELECTION, ("vehicle_id", car.id)]
    else:
        fields = [
            ("vehicle_id", car.id),
            ("selected_capacity", f"{chosen:g}"),
            ("reason", "battery_capacity"),
        ]
    return send_browser(with_query(redirect_uri or "", fields))

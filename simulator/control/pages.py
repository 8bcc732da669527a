"""The control pages: the API's documentation, the vehicles, and the fault switches."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from simulator.control.api import SUMMARIES
from simulator.control.requests import ControlError
from simulator.fault_injection import SWITCHES
from simulator.hosts.common import get_simulation
from simulator.rendering import page

MAX_ROWS = 200


async def documentation(_: Request) -> Response:
    """GET /control: the documentation of the control API"""
    return page("control/documentation.html", calls=SUMMARIES, switches=SWITCHES)


async def vehicles(request: Request) -> Response:
    """GET /control/cars: the vehicles and the fault switches"""
    simulation = get_simulation(request)
    now = simulation.now()
    connected = {each.vehicle_id for each in simulation.connections.by_key.values()}
    order = sorted(
        simulation.fleet.vehicles.values(),
        key=lambda vehicle: (vehicle.id not in connected, vehicle.make, vehicle.model),
    )
    rows = [(vehicle, vehicle.state(now=now), vehicle.id in connected) for vehicle in order[:MAX_ROWS]]
    return page(
        "control/vehicles.html",
        rows=rows,
        total=len(order),
        switches=SWITCHES,
        faults=simulation.faults.as_json(),
    )


async def switch(request: Request) -> Response:
    """POST /control/cars: set the fault switches from the form"""
    simulation = get_simulation(request)
    form = await request.form()
    values = {name: str(form.get(name, "")).strip() for name in SWITCHES}
    numbers = {name: value or "0" for name, value in values.items() if SWITCHES[name][1] != "names"}
    try:
        simulation.faults.configure(values | numbers)
    except ValueError as error:
        raise ControlError(400, str(error)) from error
    if form.get("clear"):
        simulation.faults.clear()
    simulation.feed.recheck()
    simulation.changed = True
    return RedirectResponse("/control/cars", status_code=303)


PAGE_ROUTES = [
    Route("/", documentation),
    Route("/cars", vehicles, methods=["GET"]),
    Route("/cars", switch, methods=["POST"]),
]

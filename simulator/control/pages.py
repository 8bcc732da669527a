"""The control pages: the API's own documentation, the cars, and the switches for trouble."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from simulator.control.api import SUMMARIES, ControlError
from simulator.hosts.common import world_of
from simulator.rendering import page
from simulator.troubles import SWITCHES

SHOWN = 200


async def documentation(_: Request) -> Response:
    """GET /control: what the control API does"""
    return page("control/documentation.html", calls=SUMMARIES, switches=SWITCHES)


async def cars(request: Request) -> Response:
    """GET /control/cars: the cars and the trouble switches"""
    world = world_of(request)
    now = world.now()
    connected = {each.vehicle_id for each in world.connections.by_key.values()}
    order = sorted(world.garage.cars.values(), key=lambda car: (car.id not in connected, car.make, car.model))
    rows = [(car, car.state(now=now), car.id in connected) for car in order[:SHOWN]]
    return page(
        "control/cars.html", rows=rows, total=len(order), switches=SWITCHES, troubles=world.troubles.as_json()
    )


async def switch(request: Request) -> Response:
    """POST /control/cars: set the switches from the form"""
    world = world_of(request)
    form = await request.form()
    wanted = {name: str(form.get(name, "")).strip() for name in SWITCHES}
    numbers = {name: value or "0" for name, value in wanted.items() if SWITCHES[name][1] != "names"}
    try:
        world.troubles.switch(wanted | numbers)
    except ValueError as wrong:
        raise ControlError(400, str(wrong)) from wrong
    if form.get("clear"):
        world.troubles.clear()
    world.feed.reconsider()
    world.changed = True
    return RedirectResponse("/control/cars", status_code=303)


PAGE_ROUTES = [
    Route("/", documentation),
    Route("/cars", cars, methods=["GET"]),
    Route("/cars", switch, methods=["POST"]),
]

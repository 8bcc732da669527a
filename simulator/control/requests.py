"""What the control API's endpoints share: reading requests, and errors."""

from typing import Any, cast

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from simulator.applications import Applications
from simulator.hosts.common import get_simulation
from simulator.http_utils import json_object, json_response
from simulator.simulation import Simulation
from simulator.vehicles import Vehicle


class ControlError(Exception):
    """A control request that can't be processed: an HTTP status and a message."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


async def rejected(_: Request, error: Exception) -> Response:
    """Return the response for an invalid control request."""
    status = error.status if isinstance(error, ControlError) else 400
    return json_response({"error": str(error)}, status=status)


async def not_found(_: Request, error: Exception) -> Response:
    """Return the response for an unknown path or method."""
    error = cast(HTTPException, error)
    return json_response({"error": error.detail}, status=error.status_code)


async def read_body(request: Request) -> dict[str, Any]:
    body = await json_object(request)
    if body is None:
        raise ControlError(400, "the body must be a JSON object")
    return body


def read_text(body: dict[str, Any], name: str) -> str | None:
    value = body.get(name)
    if not isinstance(value, str | None):
        raise ControlError(400, f"{name} must be a string")
    return value


def applications_of(request: Request) -> Applications:
    return cast(Applications, request.app.state.applications)


def requested_vehicle(request: Request) -> tuple[Simulation, Vehicle]:
    simulation = get_simulation(request)
    vehicle = simulation.vehicle(request.path_params["vehicle_id"])
    if vehicle is None:
        raise ControlError(404, "unknown vehicle")
    return simulation, vehicle

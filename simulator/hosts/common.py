"""What all hosts share: error responses, access to the simulation, and annotations for the request log."""

import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, cast

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from simulator.errors import ApiError, v2_response, v3_response
from simulator.request_log import LoggedRequest
from simulator.simulation import Simulation

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)

ErrorHandler = Callable[[Request, Exception], Awaitable[Response]]


def get_simulation(request: Request) -> Simulation:
    """Return the simulation that serves the request."""
    return cast(Simulation, request.app.state.simulation)


def mark(request: Request, *, user_id: str | None = None, vehicle_id: str | None = None) -> None:
    """Add the user and vehicle of the request to the request log."""
    entry = request.scope.get("simulator.seen")
    if isinstance(entry, LoggedRequest):
        entry.user_id = user_id or entry.user_id
        entry.vehicle_id = vehicle_id or entry.vehicle_id


def require_uuid(value: str) -> None:
    """Reject an id that isn't a UUID, as v2 does for vehicles and webhooks before it looks for them.

    Raises:
        ApiError: VALIDATION.
    """
    if not _UUID.fullmatch(value):
        raise ApiError("VALIDATION", "PARAMETER")


def v2_host(simulation: Simulation, routes: Sequence[BaseRoute]) -> Starlette:
    """Return a host whose errors have the flat v2 form."""

    async def rejected(_: Request, error: Exception) -> Response:
        return v2_response(cast(ApiError, error))

    async def not_found(request: Request, _: Exception) -> Response:
        versioned = request.url.path.split("/")[2:3] == ["v2.0"]
        return v2_response(ApiError("RESOURCE_NOT_FOUND", "PATH" if versioned else "VERSION"))

    async def server_error(_: Request, __: Exception) -> Response:
        return v2_response(ApiError("SERVER", "INTERNAL"))

    return _host(simulation, routes, rejected, not_found, server_error)


def v3_host(simulation: Simulation, routes: Sequence[BaseRoute]) -> Starlette:
    """Return a host whose errors have the v3 form, a list of errors."""

    async def rejected(_: Request, error: Exception) -> Response:
        return v3_response(cast(ApiError, error), bare=simulation.settings.v3_resolution == "string")

    async def not_found(_: Request, __: Exception) -> Response:
        return v3_response(ApiError("RESOURCE_NOT_FOUND", "INVALID_PATH"))

    async def server_error(_: Request, __: Exception) -> Response:
        return v3_response(ApiError("SERVER", "INTERNAL"))

    return _host(simulation, routes, rejected, not_found, server_error)


def _host(
    simulation: Simulation,
    routes: Sequence[BaseRoute],
    rejected: ErrorHandler,
    not_found: ErrorHandler,
    server_error: ErrorHandler,
) -> Starlette:
    handlers: dict[Any, ErrorHandler] = {
        ApiError: rejected,
        HTTPException: not_found,
        Exception: server_error,
    }
    app = Starlette(routes=list(routes), exception_handlers=handlers)
    app.state.simulation = simulation
    return app

"""What all hosts share: building one with its error form, finding the world, and marking the request log."""

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

Answer = Callable[[Request, Exception], Awaitable[Response]]


def get_simulation(request: Request) -> Simulation:
    """The simulator's memory."""
    return cast(Simulation, request.app.state.simulation)


def mark(request: Request, *, user_id: str | None = None, vehicle_id: str | None = None) -> None:
    """Note in the request log whom and what the request was about."""
    seen = request.scope.get("simulator.seen")
    if isinstance(seen, LoggedRequest):
        seen.user_id = user_id or seen.user_id
        seen.vehicle_id = vehicle_id or seen.vehicle_id


def v2_host(simulation: Simulation, routes: Sequence[BaseRoute]) -> Starlette:
    """A host that refuses in the flat v2 form."""

    async def refused(_: Request, error: Exception) -> Response:
        return v2_response(cast(ApiError, error))

    async def lost(request: Request, _: Exception) -> Response:
        versioned = request.url.path.split("/")[2:3] == ["v2.0"]
        return v2_response(ApiError("RESOURCE_NOT_FOUND", "PATH" if versioned else "VERSION"))

    async def broken(_: Request, __: Exception) -> Response:
        return v2_response(ApiError("SERVER", "INTERNAL"))

    return _host(simulation, routes, refused, lost, broken)


def v3_host(simulation: Simulation, routes: Sequence[BaseRoute]) -> Starlette:
    """A host that refuses in the v3 form, a list of errors."""

    async def refused(_: Request, error: Exception) -> Response:
        return v3_response(cast(ApiError, error), bare=simulation.settings.v3_resolution == "string")

    async def lost(_: Request, __: Exception) -> Response:
        return v3_response(ApiError("RESOURCE_NOT_FOUND", "INVALID_PATH"))

    async def broken(_: Request, __: Exception) -> Response:
        return v3_response(ApiError("SERVER", "INTERNAL"))

    return _host(simulation, routes, refused, lost, broken)


def _host(
    simulation: Simulation, routes: Sequence[BaseRoute], refused: Answer, lost: Answer, broken: Answer
) -> Starlette:
    handlers: dict[Any, Answer] = {ApiError: refused, HTTPException: lost, Exception: broken}
    app = Starlette(routes=list(routes), exception_handlers=handlers)
    app.state.simulation = simulation
    return app

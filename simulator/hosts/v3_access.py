"""What every v3 host needs: authentication, the vehicle of the request, and pages of results."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlencode

from starlette.requests import Request

from simulator.connections import Connection
from simulator.errors import ApiError
from simulator.hosts.common import get_simulation, mark
from simulator.http_utils import bearer
from simulator.simulation import Simulation
from simulator.vehicles import Vehicle

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Access:
    """A request with access to one vehicle of one driver."""

    simulation: Simulation
    connection: Connection
    vehicle: Vehicle


def application(request: Request) -> Simulation:
    """Return the simulation for a request with a valid application token.

    Raises:
        ApiError: AUTHENTICATION:UNAUTHORIZED.
    """
    simulation = get_simulation(request)
    if not simulation.tokens.is_application(token=bearer(request) or "", now=simulation.now()):
        raise ApiError("AUTHENTICATION", "UNAUTHORIZED")
    return simulation


def _user_token(request: Request, simulation: Simulation) -> str | None:
    """Return the driver of a v2 access token, if v3 reads accept one (Smartcar's own SDKs send it)."""
    if not simulation.settings.v3_user_tokens:
        return None
    pair = simulation.tokens.pair_for(access=bearer(request) or "", now=simulation.now())
    if pair is None or request.path_params.get("vehicle_id") not in pair.vehicle_ids:
        return None
    return pair.user_id


def requesting_user(request: Request, *, commands: bool = False) -> tuple[Simulation, str]:
    """Return the driver of the request: sc-user-id, or the owner of a v2 token on a read.

    Raises:
        ApiError: The request names no driver.
    """
    simulation = get_simulation(request)
    owner = None if commands else _user_token(request, simulation)
    if owner is not None:
        return simulation, owner
    application(request)
    user_id = request.headers.get("sc-user-id")
    if not user_id:
        detail = "The userId is missing: send the sc-user-id header."
        raise ApiError("VALIDATION", "MISSING_PARAMETER", detail=detail)
    return simulation, user_id


def access(request: Request, *, commands: bool = False) -> Access:
    """Return the vehicle of the path, connected by the driver of the request.

    Raises:
        ApiError: There is no such connection.
    """
    simulation, user_id = requesting_user(request, commands=commands)
    vehicle_id = request.path_params["vehicle_id"]
    mark(request, user_id=user_id, vehicle_id=vehicle_id)
    connection = simulation.connections.get(user_id=user_id, vehicle_id=vehicle_id)
    vehicle = simulation.vehicle(vehicle_id)
    if connection is None or vehicle is None:
        if user_id in simulation.connections.users and simulation.connections.select(vehicle_id=vehicle_id):
            raise ApiError("AUTHENTICATION", "ACCESS_DENIED", status=403)
        raise ApiError("RESOURCE_NOT_FOUND", "VEHICLE_NOT_FOUND")
    if simulation.beyond_plan(vehicle_id):
        raise ApiError("BILLING", "VEHICLE_LIMIT")
    return Access(simulation, connection, vehicle)


def any_access(request: Request) -> Access:
    """Return the vehicle of the path for any driver, because GET vehicle needs no sc-user-id.

    Raises:
        ApiError: The vehicle isn't connected.
    """
    simulation = get_simulation(request)
    owner = _user_token(request, simulation)
    if owner is None:
        application(request)
        owner = request.headers.get("sc-user-id")
    vehicle_id = request.path_params["vehicle_id"]
    mark(request, user_id=owner, vehicle_id=vehicle_id)
    found = simulation.connections.select(vehicle_id=vehicle_id, user_id=owner)
    vehicle = simulation.vehicle(vehicle_id)
    if not found or vehicle is None:
        raise ApiError("RESOURCE_NOT_FOUND", "VEHICLE_NOT_FOUND")
    return Access(simulation, found[0], vehicle)


def page_parameters(request: Request, *, size: int, maximum: int = 100) -> tuple[int, int]:
    """Return ``page[number]`` (from 1) and ``page[size]``.

    Raises:
        ApiError: VALIDATION:INVALID_INPUT_FORMAT.
    """
    try:
        number = int(request.query_params.get("page[number]", 1))
        page_size = int(request.query_params.get("page[size]", size))
    except ValueError:
        raise ApiError("VALIDATION", "INVALID_INPUT_FORMAT") from None
    if number < 1 or not 1 <= page_size <= maximum:
        raise ApiError("VALIDATION", "INVALID_INPUT_FORMAT")
    return number, page_size


def listing(
    request: Request, items: Sequence[T], resource: Callable[[T], dict[str, Any]], *, size: int
) -> dict[str, Any]:
    """Return one page of a list of resources, with counts and links.

    Raises:
        ApiError: The page parameters are invalid.
    """
    number, page_size = page_parameters(request, size=size)
    last = max(1, math.ceil(len(items) / page_size))
    page_items = items[(number - 1) * page_size : number * page_size]
    base = get_simulation(request).settings.origin + request.url.path
    filters = [
        (key, value) for key, value in request.query_params.multi_items() if not key.startswith("page[")
    ]

    def link(page: int | None) -> str | None:
        if page is None:
            return None
        return f"{base}?{urlencode([*filters, ('page[number]', page), ('page[size]', page_size)])}"

    return {
        "data": [resource(each) for each in page_items],
        "meta": {
            "pageNumber": number,
            "pageSize": page_size,
            "totalCount": len(items),
            "orderBy": "createdAt",
            "orderDirection": "DESC",
        },
        "links": {
            "self": link(number),
            "first": link(1),
            "last": link(last),
            "next": link(number + 1 if number < last else None),
            "prev": link(number - 1 if number > 1 else None),
        },
    }

"""api.smartcar.com, v2.0: vehicles, reads, batch, commands, webhook subscriptions, disconnection."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from simulator.command_execution import check_command_allowed, execute_command, latency
from simulator.connections import Connection
from simulator.errors import ApiError, v2_body
from simulator.hosts.common import get_simulation, mark, require_uuid, v2_host
from simulator.hosts.v2_compatibility import by_vin, matrix
from simulator.hosts.v2_reads import READS, Reader
from simulator.http_utils import bearer, json_object, json_response, request_id
from simulator.simulation import Simulation
from simulator.tokens import Pair
from simulator.units import IMPERIAL, METRIC
from simulator.vehicles import Vehicle
from simulator.webhooks import AlreadySubscribed

COMMAND_SENT = {"status": "success", "message": "Successfully sent request to vehicle"}


@dataclass(frozen=True, slots=True)
class Access:
    """A request with access to one vehicle."""

    simulation: Simulation
    connection: Connection
    vehicle: Vehicle


def _pair(request: Request) -> Pair:
    simulation = get_simulation(request)
    pair = simulation.tokens.pair_for(access=bearer(request) or "", now=simulation.now())
    if pair is None:
        raise ApiError("AUTHENTICATION")
    mark(request, user_id=pair.user_id)
    return pair


def access(request: Request) -> Access:
    """Return the vehicle of the path.

    Raises:
        ApiError: AUTHENTICATION, VALIDATION for a malformed id, or PERMISSION if the token doesn't include the vehicle.
    """
    simulation, pair = get_simulation(request), _pair(request)
    vehicle_id = request.path_params["vehicle_id"]
    require_uuid(vehicle_id)
    mark(request, vehicle_id=vehicle_id)
    connection = simulation.connections.get(user_id=pair.user_id, vehicle_id=vehicle_id)
    vehicle = simulation.vehicle(vehicle_id)
    if connection is None or vehicle is None or vehicle_id not in pair.vehicle_ids:
        raise ApiError("PERMISSION")
    if simulation.beyond_plan(vehicle_id):
        raise ApiError("BILLING", "VEHICLE_LIMIT")
    return Access(simulation, connection, vehicle)


def unit_system(request: Request) -> str:
    """Return the unit system that the request names.

    Raises:
        ApiError: VALIDATION.
    """
    system = request.headers.get("sc-unit-system", METRIC).lower()
    if system not in (METRIC, IMPERIAL):
        raise ApiError("VALIDATION", "PARAMETER")
    return system


def _page(request: Request, *, limit: int, maximum: int) -> tuple[int, int]:
    try:
        size = int(request.query_params.get("limit", limit))
        offset = int(request.query_params.get("offset", 0))
    except ValueError:
        raise ApiError("VALIDATION", "PARAMETER") from None
    if not 0 < size <= maximum or offset < 0:
        raise ApiError("VALIDATION", "PARAMETER")
    return size, offset


async def vehicles(request: Request) -> Response:
    """GET /vehicles"""
    simulation, pair = get_simulation(request), _pair(request)
    simulation.limits.request()
    size, offset = _page(request, limit=10, maximum=50)
    ids = [
        each for each in pair.vehicle_ids if simulation.connections.get(user_id=pair.user_id, vehicle_id=each)
    ]
    return json_response(
        {"vehicles": ids[offset : offset + size], "paging": {"count": len(ids), "offset": offset}}
    )


async def user(request: Request) -> Response:
    """GET /user"""
    pair = _pair(request)
    get_simulation(request).limits.request()
    return json_response({"id": pair.user_id})


async def permissions(request: Request) -> Response:
    """GET /vehicles/{id}/permissions"""
    authorized = access(request)
    authorized.simulation.limits.request()
    size, offset = _page(request, limit=25, maximum=100)
    granted = [
        each
        for each in authorized.connection.permissions
        if authorized.simulation.permits(authorized.connection, each)
    ]
    return json_response(
        {"permissions": granted[offset : offset + size], "paging": {"count": len(granted), "offset": offset}}
    )


def perform_read(
    authorized: Access, path: str, *, system: str, query: dict[str, str]
) -> tuple[Any, dict[str, str]]:
    """Return the body and headers of a read endpoint.

    Raises:
        ApiError: The read fails.
    """
    read = READS.get(path)
    if read is None:
        raise ApiError("RESOURCE_NOT_FOUND", "PATH")
    if not authorized.simulation.permits(authorized.connection, read.permission):
        raise ApiError("PERMISSION")
    user_id = authorized.connection.user_id
    problem = authorized.simulation.account_error(user_id=user_id, vehicle_id=authorized.vehicle.id)
    if problem and path:
        raise ApiError(*problem, url=authorized.simulation.reauthenticate_url(authorized.vehicle.id))
    reader = Reader(authorized.simulation, authorized.connection, system, query)
    return read.body(reader), reader.headers()


async def read(request: Request) -> Response:
    """GET /vehicles/{id} and the read endpoints below it"""
    authorized = access(request)
    path = request.path_params.get("path", "").strip("/")
    authorized.simulation.limits.request()
    authorized.simulation.limits.vehicle_request(authorized.vehicle.id)
    body, headers = perform_read(
        authorized, path, system=unit_system(request), query=dict(request.query_params)
    )
    return json_response(body, headers=headers)


async def batch(request: Request) -> Response:
    """POST /vehicles/{id}/batch: each path inside is billed"""
    authorized = access(request)
    body = await json_object(request)
    requests = body.get("requests") if body else None
    if not isinstance(requests, list) or not requests or not all(_is_path(each) for each in requests):
        raise ApiError("VALIDATION")
    authorized.simulation.limits.request()
    authorized.simulation.limits.vehicle_request(authorized.vehicle.id, requests=len(requests))
    system = unit_system(request)
    return json_response({"responses": [_inner(authorized, each["path"], system) for each in requests]})


def _is_path(entry: Any) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("path"), str)


def _inner(authorized: Access, path: str, system: str) -> dict[str, Any]:
    try:
        body, headers = perform_read(authorized, path.strip("/"), system=system, query={})
    except ApiError as rejection:
        return {
            "path": path,
            "code": rejection.status,
            "body": v2_body(rejection, request=request_id()),
            "headers": {},
        }
    return {"path": path, "code": 200, "body": body, "headers": headers}


async def _command(
    request: Request, permission: str, name: str, parameters: dict[str, Any] | None = None
) -> Response:
    authorized = access(request)
    authorized.simulation.limits.request()
    check_command_allowed(authorized.simulation, authorized.connection, authorized.vehicle, permission)
    authorized.simulation.limits.vehicle_request(authorized.vehicle.id)
    await execute_command(
        authorized.simulation,
        authorized.vehicle,
        name,
        wait=latency(authorized.simulation),
        **(parameters or {}),
    )
    return json_response(COMMAND_SENT)


def _switch(permission: str, actions: dict[str, str]) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        body = await json_object(request)
        access(request)
        action = body.get("action") if body else None
        if not isinstance(action, str) or action not in actions:
            raise ApiError("VALIDATION")
        return await _command(request, permission, actions[action])

    return endpoint


def _number(body: dict[str, Any] | None, name: str, low: float, high: float) -> float:
    value = body.get(name) if body else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise ApiError("VALIDATION")
    return float(value)


def _from_text(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


async def charge_limit(request: Request) -> Response:
    """POST /vehicles/{id}/charge/limit: a fraction from 0.5 to 1. Smartcar's Node SDK sends it as a string"""
    access(request)
    body = await json_object(request)
    if body and isinstance(body.get("limit"), str):
        body["limit"] = _from_text(body["limit"])
    limit = _number(body, "limit", 0.5, 1.0)
    return await _command(request, "control_charge", "set_charge_limit", {"percent": round(limit * 100)})


async def destination(request: Request) -> Response:
    """POST /vehicles/{id}/navigation/destination"""
    access(request)
    body = await json_object(request)
    place = {
        "latitude": _number(body, "latitude", -90, 90),
        "longitude": _number(body, "longitude", -180, 180),
    }
    return await _command(request, "control_navigation", "set_destination", place)


async def disconnect(request: Request) -> Response:
    """DELETE /vehicles/{id}/application"""
    authorized = access(request)
    authorized.simulation.disconnect(authorized.connection)
    return json_response({"status": "success"})


async def subscribe(request: Request) -> Response:
    """POST /vehicles/{id}/webhooks/{webhookId}, with the driver's token"""
    authorized = access(request)
    authorized.simulation.limits.request()
    webhook_id = request.path_params["webhook_id"]
    if webhook_id not in authorized.simulation.webhooks.by_id:
        require_uuid(webhook_id)
        raise ApiError("RESOURCE_NOT_FOUND", "PATH")
    with suppress(AlreadySubscribed):
        authorized.simulation.feed.subscribe(webhook_id=webhook_id, connection=authorized.connection)
    return json_response({"vehicleId": authorized.vehicle.id, "webhookId": webhook_id})


async def unsubscribe(request: Request) -> Response:
    """DELETE /vehicles/{id}/webhooks/{webhookId}, with the application management token"""
    simulation = get_simulation(request)
    if (bearer(request) or "") not in simulation.settings.credentials.management_tokens:
        raise ApiError("AUTHENTICATION")
    vehicle_id, webhook_id = request.path_params["vehicle_id"], request.path_params["webhook_id"]
    require_uuid(vehicle_id)
    mark(request, vehicle_id=vehicle_id)
    found = simulation.webhooks.for_vehicle(vehicle_id, webhook_id=webhook_id)
    if not found:
        if webhook_id not in simulation.webhooks.by_id:
            require_uuid(webhook_id)
        raise ApiError("RESOURCE_NOT_FOUND", "PATH")
    for each in found:
        simulation.webhooks.unsubscribe(each)
    simulation.changed = True
    return json_response({"status": "success"})


async def virtual_key(request: Request) -> Response:
    """GET /vehicles/{id}/tesla/virtual_key"""
    authorized = access(request)
    authorized.simulation.limits.request()
    if authorized.vehicle.make != "TESLA":
        raise ApiError("COMPATIBILITY", "VEHICLE_NOT_CAPABLE")
    return json_response({"isPaired": authorized.simulation.key_paired(authorized.vehicle)})


async def to_connect(request: Request) -> Response:
    """GET /oauth/authorize: Smartcar's Node SDK builds the Connect address from the origin of the API"""
    return RedirectResponse(f"/connect/oauth/authorize?{request.url.query}", status_code=302)


def api_host(simulation: Simulation) -> Starlette:
    """Return the routes of api.smartcar.com."""
    vehicle = "/v2.0/vehicles/{vehicle_id}"
    security = _switch("control_security", {"LOCK": "lock", "UNLOCK": "unlock"})
    charge = _switch("control_charge", {"START": "start_charge", "STOP": "stop_charge"})
    return v2_host(
        simulation,
        [
            Route("/v2.0/vehicles", vehicles),
            Route("/v2.0/user", user),
            Route("/v2.0/compatibility", by_vin),
            Route("/v2.0/compatibility/matrix", matrix),
            Route(f"{vehicle}/permissions", permissions),
            Route(f"{vehicle}/tesla/virtual_key", virtual_key),
            Route(f"{vehicle}/batch", batch, methods=["POST"]),
            Route(f"{vehicle}/security", security, methods=["POST"]),
            Route(f"{vehicle}/charge", charge, methods=["POST"]),
            Route(f"{vehicle}/charge/limit", charge_limit, methods=["POST"]),
            Route(f"{vehicle}/navigation/destination", destination, methods=["POST"]),
            Route(f"{vehicle}/application", disconnect, methods=["DELETE"]),
            Route(f"{vehicle}/webhooks/{{webhook_id}}", subscribe, methods=["POST"]),
            Route(f"{vehicle}/webhooks/{{webhook_id}}", unsubscribe, methods=["DELETE"]),
            Route("/oauth/authorize", to_connect),
            Route(vehicle, read),
            Route(f"{vehicle}/{{path:path}}", read),
        ],
    )

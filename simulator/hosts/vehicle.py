"""vehicle.api.smartcar.com, v3: connections, users, vehicles and their stored signals."""

from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulator import errors
from simulator.clock import iso, millis
from simulator.connections import Connection
from simulator.errors import ApiError
from simulator.hosts.common import mark, v3_host
from simulator.hosts.v3_access import Access, access, any_access, application, listing
from simulator.hosts.v3_commands import COMMAND_ROUTES
from simulator.http_utils import json_response
from simulator.payloads import Reading
from simulator.permissions import PERMISSIONS
from simulator.simulation import Simulation
from simulator.units import IMPERIAL, METRIC, in_system
from simulator.vehicles import Vehicle


def vehicle_attributes(vehicle: Vehicle, *, mode: str) -> dict[str, Any]:
    """Return a vehicle's attributes as v3 resources show them."""
    return {
        "make": vehicle.make,
        "model": vehicle.model,
        "year": vehicle.year,
        "mode": mode,
        "powertrainType": vehicle.powertrain,
    }


def connection_resource(simulation: Simulation, connection: Connection) -> dict[str, Any]:
    """Return a connection with its vehicle and user ("Connections" of API V3)."""
    base = f"{simulation.settings.origin}/vehicle/v3"
    user = simulation.connections.users.get(connection.user_id)
    shown = (
        list(PERMISSIONS)
        if simulation.settings.connection_permissions == "all"
        else list(connection.permissions)
    )
    vehicle = simulation.fleet.vehicles[connection.vehicle_id]
    return {
        "id": connection.id,
        "type": "connection",
        "attributes": {
            "permissions": shown,
            "vehicle": vehicle_attributes(vehicle, mode=connection.mode),
            "user": {"id": connection.user_id, "externalId": user.external_id if user else None},
        },
        "relationships": {
            "vehicle": {
                "data": {"id": vehicle.id, "type": "vehicle"},
                "links": {"related": f"{base}/vehicles/{vehicle.id}"},
            },
            "user": {"data": {"id": connection.user_id, "type": "user"}},
        },
        "meta": {"createdAt": iso(connection.created_at), "updatedAt": iso(connection.updated_at)},
        "links": {"self": f"{base}/connections/{connection.id}"},
    }


async def connections(request: Request) -> Response:
    """GET /connections"""
    simulation = application(request)
    simulation.limits.request()
    query = request.query_params
    mode = query.get("filter[vehicle.mode]", "live")
    if mode not in ("live", "simulated", "test"):
        raise ApiError("VALIDATION", "INVALID_INPUT_FORMAT")
    found = simulation.connections.select(
        user_id=query.get("filter[userId]"), vehicle_id=query.get("filter[vehicleId]"), mode=mode
    )
    external = query.get("filter[user.externalId]")
    if external is not None:
        found = [each for each in found if _external_id(simulation, each) == external]
    mark(request, user_id=query.get("filter[userId]"), vehicle_id=query.get("filter[vehicleId]"))
    return json_response(listing(request, found, lambda each: connection_resource(simulation, each), size=10))


def _external_id(simulation: Simulation, connection: Connection) -> str | None:
    user = simulation.connections.users.get(connection.user_id)
    return user.external_id if user else None


def _one(request: Request) -> tuple[Simulation, Connection]:
    simulation = application(request)
    simulation.limits.request()
    found = simulation.connections.by_id(request.path_params["connection_id"])
    if found is None:
        raise ApiError("RESOURCE_NOT_FOUND", "NOT_FOUND")
    mark(request, user_id=found.user_id, vehicle_id=found.vehicle_id)
    return simulation, found


async def connection(request: Request) -> Response:
    """GET /connections/{id}"""
    simulation, found = _one(request)
    return json_response({"data": connection_resource(simulation, found)})


async def delete_connection(request: Request) -> Response:
    """DELETE /connections/{id}"""
    simulation, found = _one(request)
    simulation.disconnect(found)
    return Response(status_code=204)


async def delete_user(request: Request) -> Response:
    """DELETE /users/{id}: the driver with all connections and stored data"""
    simulation = application(request)
    simulation.limits.request()
    user_id = request.path_params["user_id"]
    mark(request, user_id=user_id)
    if user_id not in simulation.connections.users:
        raise ApiError("RESOURCE_NOT_FOUND", "NOT_FOUND")
    simulation.remove_user(user_id)
    return Response(status_code=204)


def _vehicle_resource(authorized: Access) -> dict[str, Any]:
    return {
        "id": authorized.vehicle.id,
        "type": "vehicle",
        "attributes": vehicle_attributes(authorized.vehicle, mode=authorized.connection.mode),
        "links": {
            "self": f"{authorized.simulation.settings.origin}/vehicle/v3/vehicles/{authorized.vehicle.id}"
        },
    }


async def vehicle(request: Request) -> Response:
    """GET /vehicles/{id}"""
    authorized = any_access(request)
    authorized.simulation.limits.request()
    return json_response({"data": _vehicle_resource(authorized)})


def signal_resource(
    simulation: Simulation, reading: Reading, *, vehicle_id: str, system: str
) -> dict[str, Any]:
    """Return one stored signal ("Signals" of API V3). An ERROR may still carry an old body."""
    attributes: dict[str, Any] = {"code": reading.code, "name": reading.name, "group": reading.group}
    if reading.error:
        attributes["status"] = {
            "value": "ERROR",
            "error": _signal_error(simulation, reading.error, vehicle_id),
        }
    else:
        attributes["status"] = {"value": "SUCCESS"}
    if reading.body is not None:
        attributes["body"] = in_system(reading.body, system)
    written: Callable[[float], str | int] = millis if simulation.settings.v3_signals == "documented" else iso
    meta = {"ingestedAt": written(reading.retrieved_at + 1)}
    if reading.body is not None:
        meta["retrievedAt"] = written(reading.retrieved_at)
        if reading.oem_updated_at:
            meta["oemUpdatedAt"] = written(reading.oem_updated_at)
    return {
        "id": reading.code,
        "type": "signal",
        "attributes": attributes,
        "meta": meta,
        "links": {
            "self": f"{simulation.settings.origin}/vehicle/v3/vehicles/{vehicle_id}/signals/{reading.code}"
        },
    }


def _signal_error(simulation: Simulation, error: tuple[str, str | None], vehicle_id: str) -> dict[str, Any]:
    rejection = ApiError(*error, url=simulation.reauthenticate_url(vehicle_id))
    return {
        "type": rejection.kind,
        "code": rejection.code or "UNKNOWN",
        "title": rejection.text.description,
        "detail": rejection.text.description,
        "description": "Deprecated. Use detail",
        "resolution": errors.resolution(rejection),
    }


def _unit_system(request: Request) -> str:
    system = request.headers.get("sc-unit-system", METRIC).lower()
    if system not in (METRIC, IMPERIAL):
        raise ApiError("VALIDATION", "INVALID_INPUT_FORMAT")
    return system


def _headers(simulation: Simulation, readings: list[Reading], system: str) -> dict[str, str]:
    headers = {"SC-Unit-System": system, "SC-Fetched-At": iso(simulation.now())}
    ages = [each.oem_updated_at for each in readings if each.oem_updated_at]
    if ages:
        headers["SC-Data-Age"] = iso(max(ages))
    return headers


def _stored(request: Request) -> tuple[Access, list[Reading], str]:
    authorized = access(request)
    authorized.simulation.limits.request()
    authorized.simulation.limits.billed(authorized.vehicle.id)
    return authorized, authorized.simulation.feed.stored(authorized.connection), _unit_system(request)


async def signals(request: Request) -> Response:
    """GET /vehicles/{id}/signals: the store, which is empty until the vehicle has been subscribed"""
    authorized, readings, system = _stored(request)
    if not readings and authorized.simulation.settings.unsubscribed_signals == "missing":
        raise ApiError("RESOURCE_NOT_FOUND", "SIGNAL_NOT_FOUND")
    resource = _vehicle_resource(authorized)
    data = [
        signal_resource(authorized.simulation, each, vehicle_id=authorized.vehicle.id, system=system)
        for each in readings
    ]
    body = {
        "data": data,
        "meta": {"totalCount": len(data), "pageSize": len(data), "pageNumber": 1},
        "links": {"self": f"{resource['links']['self']}/signals"},
        "included": {"vehicle": resource | {"links": {}}},
    }
    return json_response(body, headers=_headers(authorized.simulation, readings, system))


async def signal(request: Request) -> Response:
    """GET /vehicles/{id}/signals/{code}"""
    authorized, readings, system = _stored(request)
    found = [each for each in readings if each.code == request.path_params["code"]]
    if not found:
        raise ApiError("RESOURCE_NOT_FOUND", "SIGNAL_NOT_FOUND")
    data = signal_resource(authorized.simulation, found[0], vehicle_id=authorized.vehicle.id, system=system)
    included = {"included": {"vehicle": _vehicle_resource(authorized) | {"links": {}}}}
    body = (
        data | included
        if authorized.simulation.settings.v3_signals == "documented"
        else {"data": data} | included
    )
    return json_response(body, headers=_headers(authorized.simulation, found, system))


def vehicle_host(simulation: Simulation) -> Starlette:
    """Return the routes of vehicle.api.smartcar.com."""
    return v3_host(
        simulation,
        [
            Route("/v3/connections", connections),
            Route("/v3/connections/{connection_id}", connection, methods=["GET"]),
            Route("/v3/connections/{connection_id}", delete_connection, methods=["DELETE"]),
            Route("/v3/users/{user_id}", delete_user, methods=["DELETE"]),
            Route("/v3/vehicles/{vehicle_id}", vehicle),
            Route("/v3/vehicles/{vehicle_id}/signals", signals),
            Route("/v3/vehicles/{vehicle_id}/signals/{code}", signal),
            *COMMAND_ROUTES,
        ],
    )

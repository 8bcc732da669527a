"""vehicle.api.smartcar.com, v3: connections, users, vehicles and their stored signals."""

from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulator import errors
from simulator.cars import Car
from simulator.clock import iso, millis
from simulator.connections import Connection
from simulator.errors import ApiError
from simulator.hosts.common import mark, v3_host
from simulator.hosts.v3_access import Access, access, any_access, application, listing
from simulator.hosts.v3_commands import COMMAND_ROUTES
from simulator.payloads import Reading
from simulator.permissions import PERMISSIONS
from simulator.units import IMPERIAL, METRIC, in_system
from simulator.wire import json_response
from simulator.world import World


def vehicle_attributes(car: Car, *, mode: str) -> dict[str, Any]:
    """A car as v3 resources show it."""
    return {
        "make": car.make,
        "model": car.model,
        "year": car.year,
        "mode": mode,
        "powertrainType": car.powertrain,
    }


def connection_resource(world: World, connection: Connection) -> dict[str, Any]:
    """A connection with its vehicle and user ("Connections" of API V3)."""
    base = f"{world.settings.origin}/vehicle/v3"
    user = world.connections.users.get(connection.user_id)
    shown = (
        list(PERMISSIONS) if world.settings.connection_permissions == "all" else list(connection.permissions)
    )
    car = world.garage.cars[connection.vehicle_id]
    return {
        "id": connection.id,
        "type": "connection",
        "attributes": {
            "permissions": shown,
            "vehicle": vehicle_attributes(car, mode=connection.mode),
            "user": {"id": connection.user_id, "externalId": user.external_id if user else None},
        },
        "relationships": {
            "vehicle": {
                "data": {"id": car.id, "type": "vehicle"},
                "links": {"related": f"{base}/vehicles/{car.id}"},
            },
            "user": {"data": {"id": connection.user_id, "type": "user"}},
        },
        "meta": {"createdAt": iso(connection.created_at), "updatedAt": iso(connection.updated_at)},
        "links": {"self": f"{base}/connections/{connection.id}"},
    }


async def connections(request: Request) -> Response:
    """GET /connections"""
    world = application(request)
    world.limits.request()
    asked = request.query_params
    mode = asked.get("filter[vehicle.mode]", "live")
    if mode not in ("live", "simulated", "test"):
        raise ApiError("VALIDATION", "INVALID_INPUT_FORMAT")
    found = world.connections.select(
        user_id=asked.get("filter[userId]"), vehicle_id=asked.get("filter[vehicleId]"), mode=mode
    )
    external = asked.get("filter[user.externalId]")
    if external is not None:
        found = [each for each in found if _external_id(world, each) == external]
    mark(request, user_id=asked.get("filter[userId]"), vehicle_id=asked.get("filter[vehicleId]"))
    return json_response(listing(request, found, lambda each: connection_resource(world, each), size=10))


def _external_id(world: World, connection: Connection) -> str | None:
    user = world.connections.users.get(connection.user_id)
    return user.external_id if user else None


def _one(request: Request) -> tuple[World, Connection]:
    world = application(request)
    world.limits.request()
    found = world.connections.by_id(request.path_params["connection_id"])
    if found is None:
        raise ApiError("RESOURCE_NOT_FOUND", "NOT_FOUND")
    mark(request, user_id=found.user_id, vehicle_id=found.vehicle_id)
    return world, found


async def connection(request: Request) -> Response:
    """GET /connections/{id}"""
    world, found = _one(request)
    return json_response({"data": connection_resource(world, found)})


async def delete_connection(request: Request) -> Response:
    """DELETE /connections/{id}"""
    world, found = _one(request)
    world.disconnect(found)
    return Response(status_code=204)


async def delete_user(request: Request) -> Response:
    """DELETE /users/{id}: the driver with all connections and stored data"""
    world = application(request)
    world.limits.request()
    user_id = request.path_params["user_id"]
    mark(request, user_id=user_id)
    if user_id not in world.connections.users:
        raise ApiError("RESOURCE_NOT_FOUND", "NOT_FOUND")
    world.remove_user(user_id)
    return Response(status_code=204)


def _vehicle_resource(given: Access) -> dict[str, Any]:
    return {
        "id": given.car.id,
        "type": "vehicle",
        "attributes": vehicle_attributes(given.car, mode=given.connection.mode),
        "links": {"self": f"{given.world.settings.origin}/vehicle/v3/vehicles/{given.car.id}"},
    }


async def vehicle(request: Request) -> Response:
    """GET /vehicles/{id}"""
    given = any_access(request)
    given.world.limits.request()
    return json_response({"data": _vehicle_resource(given)})


def signal_resource(world: World, reading: Reading, *, vehicle_id: str, system: str) -> dict[str, Any]:
    """One stored signal ("Signals" of API V3). An ERROR may still carry an old body."""
    attributes: dict[str, Any] = {"code": reading.code, "name": reading.name, "group": reading.group}
    if reading.error:
        attributes["status"] = {"value": "ERROR", "error": _signal_error(world, reading.error, vehicle_id)}
    else:
        attributes["status"] = {"value": "SUCCESS"}
    if reading.body is not None:
        attributes["body"] = in_system(reading.body, system)
    written: Callable[[float], str | int] = millis if world.settings.v3_signals == "documented" else iso
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
        "links": {"self": f"{world.settings.origin}/vehicle/v3/vehicles/{vehicle_id}/signals/{reading.code}"},
    }


def _signal_error(world: World, error: tuple[str, str | None], vehicle_id: str) -> dict[str, Any]:
    refusal = ApiError(*error, url=world.reauthenticate_url(vehicle_id))
    return {
        "type": refusal.kind,
        "code": refusal.code or "UNKNOWN",
        "title": refusal.words.description,
        "detail": refusal.words.description,
        "description": "Deprecated. Use detail",
        "resolution": errors.resolution(refusal),
    }


def _unit_system(request: Request) -> str:
    system = request.headers.get("sc-unit-system", METRIC).lower()
    if system not in (METRIC, IMPERIAL):
        raise ApiError("VALIDATION", "INVALID_INPUT_FORMAT")
    return system


def _headers(world: World, readings: list[Reading], system: str) -> dict[str, str]:
    headers = {"SC-Unit-System": system, "SC-Fetched-At": iso(world.now())}
    ages = [each.oem_updated_at for each in readings if each.oem_updated_at]
    if ages:
        headers["SC-Data-Age"] = iso(max(ages))
    return headers


def _stored(request: Request) -> tuple[Access, list[Reading], str]:
    given = access(request)
    given.world.limits.request()
    given.world.limits.billed(given.car.id)
    return given, given.world.feed.stored(given.connection), _unit_system(request)


async def signals(request: Request) -> Response:
    """GET /vehicles/{id}/signals: the store, which stays empty until the car has been subscribed"""
    given, readings, system = _stored(request)
    if not readings and given.world.settings.unsubscribed_signals == "missing":
        raise ApiError("RESOURCE_NOT_FOUND", "SIGNAL_NOT_FOUND")
    resource = _vehicle_resource(given)
    data = [signal_resource(given.world, each, vehicle_id=given.car.id, system=system) for each in readings]
    body = {
        "data": data,
        "meta": {"totalCount": len(data), "pageSize": len(data), "pageNumber": 1},
        "links": {"self": f"{resource['links']['self']}/signals"},
        "included": {"vehicle": resource | {"links": {}}},
    }
    return json_response(body, headers=_headers(given.world, readings, system))


async def signal(request: Request) -> Response:
    """GET /vehicles/{id}/signals/{code}"""
    given, readings, system = _stored(request)
    found = [each for each in readings if each.code == request.path_params["code"]]
    if not found:
        raise ApiError("RESOURCE_NOT_FOUND", "SIGNAL_NOT_FOUND")
    data = signal_resource(given.world, found[0], vehicle_id=given.car.id, system=system)
    included = {"included": {"vehicle": _vehicle_resource(given) | {"links": {}}}}
    body = data | included if given.world.settings.v3_signals == "documented" else {"data": data} | included
    return json_response(body, headers=_headers(given.world, found, system))


def vehicle_host(world: World) -> Starlette:
    """vehicle.api.smartcar.com"""
    return v3_host(
        world,
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

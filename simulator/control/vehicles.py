"""The control API of vehicles: their state, and their daily plans."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from simulator.clock import iso
from simulator.control.daily_plans import day_as_json, hold_or_release
from simulator.control.requests import ControlError, applications_of, read_body, requested_vehicle
from simulator.hosts.common import get_simulation
from simulator.http_utils import json_response
from simulator.simulation import Simulation
from simulator.vehicles import Change, Vehicle


def vehicle_as_json(simulation: Simulation, vehicle: Vehicle, *, full: bool = False) -> dict[str, Any]:
    """Return a vehicle as the control API shows it. ``full`` adds its signals."""
    connected = simulation.connections.select(vehicle_id=vehicle.id)
    owner = next(
        (each.email for each in simulation.fleet.accounts.values() if vehicle.id in each.vehicle_ids), None
    )
    shown = {
        "id": vehicle.id,
        "vin": vehicle.vin,
        "make": vehicle.make,
        "model": vehicle.model,
        "year": vehicle.year,
        "powertrain": vehicle.powertrain,
        "account": owner,
        "city": "Munich" if vehicle.identity.abroad else "San Francisco",
        "connections": [
            {"userId": each.user_id, "mode": each.mode, "permissions": list(each.permissions)}
            for each in connected
        ],
        "subscribed": len(simulation.webhooks.for_vehicle(vehicle.id)),
        "state": vehicle.state(now=simulation.now()),
    }
    if full:
        shown["signals"] = {
            each.code: {
                "body": each.body,
                "oemUpdatedAt": iso(each.oem_updated_at) if each.oem_updated_at else None,
                "error": list(each.error) if each.error else None,
            }
            for each in vehicle.signals(now=simulation.now())
        }
    return shown


async def get_vehicles(request: Request) -> Response:
    """GET /vehicles?make=&connected=true&limit=&offset="""
    simulation, query = get_simulation(request), request.query_params
    make, connected = query.get("make"), query.get("connected") == "true"
    connected_ids = {each.vehicle_id for each in simulation.connections.by_key.values()}
    vehicles = [
        each
        for each in simulation.fleet.vehicles.values()
        if make in (None, each.make) and (not connected or each.id in connected_ids)
    ]
    try:
        limit, offset = int(query.get("limit", 1000)), int(query.get("offset", 0))
    except ValueError as error:
        raise ControlError(400, "limit and offset must be whole numbers") from error
    shown = [vehicle_as_json(simulation, each) for each in vehicles[offset : offset + limit]]
    return json_response({"vehicles": shown, "count": len(vehicles)})


async def get_vehicle(request: Request) -> Response:
    """GET /vehicles/{id}"""
    simulation, vehicle = requested_vehicle(request)
    return json_response(vehicle_as_json(simulation, vehicle, full=True))


async def patch_vehicle(request: Request) -> Response:
    """PATCH /vehicles/{id}: change its state. Webhooks receive the change within a second"""
    simulation, vehicle = requested_vehicle(request)
    now = simulation.now()
    codes = tuple(vehicle.patch(now=now, **await read_body(request)))
    simulation.feed.record_changes([Change(vehicle.id, codes, now)])
    simulation.changed = True
    return json_response({"changed": list(codes), "vehicle": vehicle_as_json(simulation, vehicle)})


async def get_day(request: Request) -> Response:
    """GET /vehicles/{id}/day: its phase of the day, whether it is held, and its next departure, arrival and change"""
    simulation, vehicle = requested_vehicle(request)
    return json_response(day_as_json(vehicle, now=simulation.now()))


async def post_day(request: Request) -> Response:
    """POST /vehicles/{id}/day {"hold": true, "parked"?: true}: hold the vehicle's daily plan still, or release it"""
    simulation, vehicle = requested_vehicle(request)
    hold_or_release(simulation, applications_of(request), [vehicle], await read_body(request))
    return json_response(day_as_json(vehicle, now=simulation.now()))


async def get_days(request: Request) -> Response:
    """GET /day: the phase of the day of every vehicle"""
    return _days(get_simulation(request))


async def post_days(request: Request) -> Response:
    """POST /day {"hold": true, "parked"?: true, "vehicleIds"?: [...]}: hold or release these vehicles, or all"""
    simulation, body = get_simulation(request), await read_body(request)
    ids = body.pop("vehicleIds", None)
    known = simulation.fleet.vehicles
    if ids is not None and (not isinstance(ids, list) or any(str(each) not in known for each in ids)):
        raise ControlError(400, "vehicleIds must be a list of vehicle ids")
    vehicles = [each for each in simulation.fleet.vehicles.values() if ids is None or each.id in ids]
    hold_or_release(simulation, applications_of(request), vehicles, body)
    return _days(simulation)


def _days(simulation: Simulation) -> Response:
    now = simulation.now()
    days = [day_as_json(each, now=now) for each in simulation.fleet.vehicles.values()]
    held = sum(each["held"] or each["holdPending"] for each in days)
    return json_response(
        {"holdAll": simulation.settings.hold_all, "held": held, "count": len(days), "vehicles": days}
    )

"""The control API under /control: webhooks, grants, vehicles, clock, faults and logs. Everything is JSON."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, cast

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulator.applications import Applications
from simulator.clock import iso
from simulator.connect import flow
from simulator.control.daily_plans import day_as_json, hold_or_release
from simulator.control.grants import grant
from simulator.control.webhook_registration import VerificationFailed, register
from simulator.fault_injection import SWITCHES
from simulator.hosts.common import get_simulation
from simulator.http_utils import json_object, json_response
from simulator.limits import CHANGEABLE
from simulator.load.planning import make_plan
from simulator.simulation import Simulation
from simulator.vehicles import CATALOGUE, Change, Vehicle


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


async def _body(request: Request) -> dict[str, Any]:
    body = await json_object(request)
    if body is None:
        raise ControlError(400, "the body must be a JSON object")
    return body


def _text(body: dict[str, Any], name: str) -> str | None:
    value = body.get(name)
    if not isinstance(value, str | None):
        raise ControlError(400, f"{name} must be a string")
    return value


async def health(_: Request) -> Response:
    """GET /health"""
    return json_response({"status": "ok"})


async def post_webhook(request: Request) -> Response:
    """POST /webhooks: register or change a webhook, and verify its callback"""
    simulation = get_simulation(request)
    try:
        webhook = await register(simulation, await _body(request))
    except VerificationFailed as why:
        return json_response({"error": str(why)}, status=422)
    return json_response({"id": webhook.id, "verified": webhook.verified}, status=201)


async def get_webhooks(request: Request) -> Response:
    """GET /webhooks"""
    webhooks = get_simulation(request).webhooks
    rows = [
        {
            "id": each.id,
            "name": each.name,
            "callbackUri": each.callback_uri,
            "errorCallbackUri": each.error_callback_uri,
            "variant": each.variant,
            "signals": list(each.signals),
            "triggers": list(each.triggers),
            "autoSubscribe": each.auto_subscribe,
            "enabled": each.enabled,
            "verified": each.verified,
            "subscriptions": sum(one.webhook_id == each.id for one in webhooks.subscriptions.values()),
        }
        for each in webhooks.by_id.values()
    ]
    return json_response({"webhooks": rows})


async def patch_webhook(request: Request) -> Response:
    """PATCH /webhooks/{id} {"enabled": false}: a disabled webhook collects and queues nothing"""
    simulation, body = get_simulation(request), await _body(request)
    webhook = simulation.webhooks.by_id.get(request.path_params["webhook_id"])
    if webhook is None:
        raise ControlError(404, "unknown webhook")
    if not isinstance(body.get("enabled"), bool) or set(body) != {"enabled"}:
        raise ControlError(400, "only enabled can be changed, and must be true or false")
    if body["enabled"] and not webhook.enabled:
        for each in simulation.webhooks.subscriptions.values():
            if each.webhook_id == webhook.id:
                each.first_sent = False
    webhook.enabled = body["enabled"]
    simulation.feed.recheck()
    simulation.changed = True
    return json_response({"id": webhook.id, "enabled": webhook.enabled})


async def delete_webhook(request: Request) -> Response:
    """DELETE /webhooks/{id}, with its subscriptions"""
    simulation, webhook_id = get_simulation(request), request.path_params["webhook_id"]
    if simulation.webhooks.by_id.pop(webhook_id, None) is None:
        raise ControlError(404, "unknown webhook")
    for each in [one for one in simulation.webhooks.subscriptions.values() if one.webhook_id == webhook_id]:
        simulation.webhooks.unsubscribe(each)
    simulation.changed = True
    return Response(status_code=204)


async def post_grant(request: Request) -> Response:
    """POST /grants: complete a Connect address as a driver would, without a browser"""
    simulation = get_simulation(request)
    try:
        address = grant(simulation, await _body(request))
    except flow.ConnectPageError as error:
        raise ControlError(422, str(error)) from error
    return json_response({"redirect": address})


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


def _vehicle(request: Request) -> tuple[Simulation, Vehicle]:
    simulation = get_simulation(request)
    vehicle = simulation.vehicle(request.path_params["vehicle_id"])
    if vehicle is None:
        raise ControlError(404, "unknown vehicle")
    return simulation, vehicle


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
    simulation, vehicle = _vehicle(request)
    return json_response(vehicle_as_json(simulation, vehicle, full=True))


async def patch_vehicle(request: Request) -> Response:
    """PATCH /vehicles/{id}: change its state. Webhooks receive the change within a second"""
    simulation, vehicle = _vehicle(request)
    now = simulation.now()
    codes = tuple(vehicle.patch(now=now, **await _body(request)))
    simulation.feed.record_changes([Change(vehicle.id, codes, now)])
    simulation.changed = True
    return json_response({"changed": list(codes), "vehicle": vehicle_as_json(simulation, vehicle)})


async def get_day(request: Request) -> Response:
    """GET /vehicles/{id}/day: its phase of the day, whether it is held, and its next departure, arrival and change"""
    simulation, vehicle = _vehicle(request)
    return json_response(day_as_json(vehicle, now=simulation.now()))


async def post_day(request: Request) -> Response:
    """POST /vehicles/{id}/day {"hold": true, "parked"?: true}: hold the vehicle's daily plan still, or release it"""
    simulation, vehicle = _vehicle(request)
    hold_or_release(simulation, _applications(request), [vehicle], await _body(request))
    return json_response(day_as_json(vehicle, now=simulation.now()))


async def get_days(request: Request) -> Response:
    """GET /day: the phase of the day of every vehicle"""
    return _days(get_simulation(request))


async def post_days(request: Request) -> Response:
    """POST /day {"hold": true, "parked"?: true, "vehicleIds"?: [...]}: hold or release these vehicles, or all"""
    simulation, body = get_simulation(request), await _body(request)
    ids = body.pop("vehicleIds", None)
    known = simulation.fleet.vehicles
    if ids is not None and (not isinstance(ids, list) or any(str(each) not in known for each in ids)):
        raise ControlError(400, "vehicleIds must be a list of vehicle ids")
    vehicles = [each for each in simulation.fleet.vehicles.values() if ids is None or each.id in ids]
    hold_or_release(simulation, _applications(request), vehicles, body)
    return _days(simulation)


def _days(simulation: Simulation) -> Response:
    now = simulation.now()
    days = [day_as_json(each, now=now) for each in simulation.fleet.vehicles.values()]
    held = sum(each["held"] or each["holdPending"] for each in days)
    return json_response(
        {"holdAll": simulation.settings.hold_all, "held": held, "count": len(days), "vehicles": days}
    )


async def get_requests(request: Request) -> Response:
    """GET /requests?path=&since="""
    simulation, query = get_simulation(request), request.query_params
    since = _epoch(query.get("since", "0"))
    found = simulation.requests.select(path=query.get("path", ""), since=since)
    return json_response({"requests": [each.as_json() for each in found]})


def _epoch(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return datetime.fromisoformat(text).timestamp()


async def clear_requests(request: Request) -> Response:
    """DELETE /requests"""
    get_simulation(request).requests.clear()
    return Response(status_code=204)


async def get_deliveries(request: Request) -> Response:
    """GET /deliveries?vehicleId=&webhookId=&eventType="""
    query = request.query_params
    filters = {
        "vehicle_id": query.get("vehicleId"),
        "webhook_id": query.get("webhookId"),
        "event_type": query.get("eventType"),
    }
    found = [
        each.as_json()
        for each in get_simulation(request).sender.log
        if all(value in (None, getattr(each, name)) for name, value in filters.items())
    ]
    return json_response({"deliveries": found})


async def post_delivery(request: Request) -> Response:
    """POST /deliver: send one vehicle's state now"""
    simulation, body = get_simulation(request), await _body(request)
    if body.get("eventType", "VEHICLE_STATE") != "VEHICLE_STATE":
        raise ControlError(400, "only VEHICLE_STATE can be forced; switch on a fault for VEHICLE_ERROR")
    found = simulation.webhooks.for_vehicle(
        _text(body, "vehicleId") or "", webhook_id=_text(body, "webhookId")
    )
    if not found:
        raise ControlError(404, "the vehicle is not subscribed")
    triggers = body.get("triggers", [])
    if not isinstance(triggers, list) or any(str(each) not in CATALOGUE for each in triggers):
        raise ControlError(400, "triggers must be a list of signal codes")
    for each in found:
        each.pending |= set(triggers)
        simulation.feed.publish(each, force=True)
    simulation.sender.start_due()
    return json_response({"deliveries": len(found)}, status=202)


def _clock(simulation: Simulation) -> Response:
    return json_response(
        {
            "now": iso(simulation.now()),
            "speed": simulation.clock.speed,
            "offset": round(simulation.clock.offset(), 3),
        }
    )


async def get_clock(request: Request) -> Response:
    """GET /clock"""
    return _clock(get_simulation(request))


async def post_clock(request: Request) -> Response:
    """POST /clock {"advance": seconds} or {"speed": x}"""
    simulation, body = get_simulation(request), await _body(request)
    if not body or not set(body) <= {"advance", "speed"}:
        raise ControlError(400, "the body must contain advance (seconds), speed, or both")
    for name, act in (("speed", simulation.clock.run_at), ("advance", simulation.clock.advance)):
        if name in body:
            if isinstance(body[name], bool) or not isinstance(body[name], int | float):
                raise ControlError(400, f"{name} must be a number")
            act(body[name])
    simulation.feed.record_changes(simulation.fleet.advance(now=simulation.now()))
    simulation.changed = True
    return _clock(simulation)


def _faults(simulation: Simulation) -> Response:
    meanings = {name: {"kind": kind, "what": what} for name, (_, kind, what) in SWITCHES.items()}
    return json_response({"troubles": simulation.faults.as_json(), "meanings": meanings})


async def get_faults(request: Request) -> Response:
    """GET /troubles"""
    return _faults(get_simulation(request))


async def post_faults(request: Request) -> Response:
    """POST /troubles {name: value}"""
    simulation = get_simulation(request)
    simulation.faults.configure(await _body(request))
    simulation.feed.recheck()
    simulation.changed = True
    return _faults(simulation)


def _limits(simulation: Simulation) -> Response:
    settings = simulation.limits.settings
    return json_response({name: getattr(settings, field) for name, field in CHANGEABLE.items()})


async def get_limits(request: Request) -> Response:
    """GET /limits"""
    return _limits(get_simulation(request))


async def post_limits(request: Request) -> Response:
    """POST /limits {name: number}: use other limits until the next reset, with full buckets"""
    simulation, body = get_simulation(request), await _body(request)
    for name, value in body.items():
        if name not in CHANGEABLE:
            raise ControlError(400, f"unknown limit {name}; known: {', '.join(CHANGEABLE)}")
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise ControlError(400, f"{name} must be a number, 0 for no limit")
    simulation.limits.change({CHANGEABLE[name]: value for name, value in body.items()})
    return _limits(simulation)


async def clear_faults(request: Request) -> Response:
    """DELETE /troubles"""
    simulation = get_simulation(request)
    simulation.faults.clear()
    simulation.feed.recheck()
    simulation.changed = True
    return _faults(simulation)


async def get_load(request: Request) -> Response:
    """GET /load: whether the load process runs, and its figures"""
    load = get_simulation(request).load
    return json_response({"running": load.running, "figures": load.figures})


async def post_load(request: Request) -> Response:
    """POST /load {"eventsPerSecond", "seconds"?, "webhookId"?, "connections"?, "everyCar"?}: start sending"""
    simulation, body = get_simulation(request), await _body(request)
    known = simulation.webhooks.by_id
    webhook = known.get(_text(body, "webhookId") or next(iter(known), ""))
    if webhook is None or not webhook.verified:
        raise ControlError(404, "unknown or unverified webhook")
    plan = make_plan(
        simulation,
        webhook,
        rate=_positive(body, "eventsPerSecond", 100.0),
        seconds=_positive(body, "seconds", 0.0),
        connections=int(_positive(body, "connections", 64.0)),
        everything=body.get("everyCar") is True,
    )
    await simulation.load.start(plan)
    return json_response({"running": True, "vehicles": len(plan.vehicles)}, status=202)


def _positive(body: dict[str, Any], name: str, default: float) -> float:
    value = body.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise ControlError(400, f"{name} must be a number, 0 or more")
    return float(value)


async def stop_load(request: Request) -> Response:
    """DELETE /load: stop sending"""
    load = get_simulation(request).load
    await load.stop()
    return json_response({"running": False, "figures": load.figures})


async def reset(request: Request) -> Response:
    """POST /reset {"webhooks": true}"""
    simulation, body = get_simulation(request), await _body(request)
    simulation.reset(webhooks=body.get("webhooks") is True)
    _applications(request).remove_added()
    return json_response({"status": "ok"})


def _applications(request: Request) -> Applications:
    return cast(Applications, request.app.state.applications)


async def get_applications(request: Request) -> Response:
    """GET /applications"""
    ids = [each.settings.credentials.application_id for each in _applications(request).simulations]
    return json_response({"applications": ids})


async def post_application(request: Request) -> Response:
    """POST /applications: add an application with these credentials. Other calls select it with ?applicationId="""
    application = _applications(request).add(await _body(request))
    return json_response({"id": application.settings.credentials.application_id}, status=201)


async def disconnect(request: Request) -> Response:
    """POST /disconnect {"userId", "vehicleId"}: revoke access as the driver would at Smartcar"""
    simulation, body = get_simulation(request), await _body(request)
    user_id, vehicle_id = _text(body, "userId"), _text(body, "vehicleId")
    if not user_id and not vehicle_id:
        raise ControlError(400, "userId or vehicleId is required")
    found = simulation.connections.select(user_id=user_id, vehicle_id=vehicle_id)
    for each in found:
        simulation.disconnect(each)
    return json_response(
        {"connections": [{"userId": each.user_id, "vehicleId": each.vehicle_id} for each in found]}
    )


Endpoint = Callable[[Request], Awaitable[Response]]
_TABLE: list[tuple[str, str, Endpoint]] = [
    ("GET", "/health", health),
    ("GET", "/webhooks", get_webhooks),
    ("POST", "/webhooks", post_webhook),
    ("PATCH", "/webhooks/{webhook_id}", patch_webhook),
    ("DELETE", "/webhooks/{webhook_id}", delete_webhook),
    ("POST", "/grants", post_grant),
    ("GET", "/vehicles", get_vehicles),
    ("GET", "/vehicles/{vehicle_id}", get_vehicle),
    ("PATCH", "/vehicles/{vehicle_id}", patch_vehicle),
    ("GET", "/vehicles/{vehicle_id}/day", get_day),
    ("POST", "/vehicles/{vehicle_id}/day", post_day),
    ("GET", "/day", get_days),
    ("POST", "/day", post_days),
    ("GET", "/requests", get_requests),
    ("DELETE", "/requests", clear_requests),
    ("GET", "/deliveries", get_deliveries),
    ("POST", "/deliver", post_delivery),
    ("GET", "/clock", get_clock),
    ("POST", "/clock", post_clock),
    ("GET", "/troubles", get_faults),
    ("POST", "/troubles", post_faults),
    ("DELETE", "/troubles", clear_faults),
    ("GET", "/limits", get_limits),
    ("POST", "/limits", post_limits),
    ("GET", "/load", get_load),
    ("POST", "/load", post_load),
    ("DELETE", "/load", stop_load),
    ("GET", "/applications", get_applications),
    ("POST", "/applications", post_application),
    ("POST", "/reset", reset),
    ("POST", "/disconnect", disconnect),
]
API_ROUTES = [Route(path, endpoint, methods=[method]) for method, path, endpoint in _TABLE]
SUMMARIES = [(method, path, (endpoint.__doc__ or "").split("\n")[0]) for method, path, endpoint in _TABLE]

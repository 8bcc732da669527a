"""The control API: webhooks, grants, cars, clock, troubles, and what was seen and sent. JSON, under /control."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, cast

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulator.applications import Applications
from simulator.cars import CATALOGUE, Car, Change
from simulator.clock import iso
from simulator.connect import flow
from simulator.control.granting import grant
from simulator.control.registering import NotVerified, register
from simulator.hosts.common import world_of
from simulator.limits import CHANGEABLE
from simulator.load.planning import make_plan
from simulator.troubles import SWITCHES
from simulator.wire import json_object, json_response
from simulator.world import World


class ControlError(Exception):
    """A control request that cannot be followed: an HTTP status and why."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


async def refused(_: Request, error: Exception) -> Response:
    """Say what is wrong with a control request."""
    status = error.status if isinstance(error, ControlError) else 400
    return json_response({"error": str(error)}, status=status)


async def lost(_: Request, error: Exception) -> Response:
    """No such address, or not with that method."""
    wrong = cast(HTTPException, error)
    return json_response({"error": wrong.detail}, status=wrong.status_code)


async def _body(request: Request) -> dict[str, Any]:
    body = await json_object(request)
    if body is None:
        raise ControlError(400, "the body must be a JSON object")
    return body


def _text(body: dict[str, Any], name: str) -> str | None:
    given = body.get(name)
    if not isinstance(given, str | None):
        raise ControlError(400, f"{name} is a text")
    return given


async def health(_: Request) -> Response:
    """GET /health"""
    return json_response({"status": "ok"})


async def post_webhook(request: Request) -> Response:
    """POST /webhooks: register or change a webhook, and verify it"""
    world = world_of(request)
    try:
        webhook = await register(world, await _body(request))
    except NotVerified as why:
        return json_response({"error": str(why)}, status=422)
    return json_response({"id": webhook.id, "verified": webhook.verified}, status=201)


async def get_webhooks(request: Request) -> Response:
    """GET /webhooks"""
    held = world_of(request).webhooks
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
            "subscriptions": sum(one.webhook_id == each.id for one in held.subscriptions.values()),
        }
        for each in held.by_id.values()
    ]
    return json_response({"webhooks": rows})


async def patch_webhook(request: Request) -> Response:
    """PATCH /webhooks/{id} {"enabled": false}: a disabled webhook collects nothing and queues nothing"""
    world, body = world_of(request), await _body(request)
    webhook = world.webhooks.by_id.get(request.path_params["webhook_id"])
    if webhook is None:
        raise ControlError(404, "no such webhook")
    if not isinstance(body.get("enabled"), bool) or set(body) != {"enabled"}:
        raise ControlError(400, "only enabled can be changed, to true or false")
    if body["enabled"] and not webhook.enabled:
        for each in world.webhooks.subscriptions.values():
            if each.webhook_id == webhook.id:
                each.first_sent = False
    webhook.enabled = body["enabled"]
    world.feed.reconsider()
    world.changed = True
    return json_response({"id": webhook.id, "enabled": webhook.enabled})


async def delete_webhook(request: Request) -> Response:
    """DELETE /webhooks/{id}, with its subscriptions"""
    world, webhook_id = world_of(request), request.path_params["webhook_id"]
    if world.webhooks.by_id.pop(webhook_id, None) is None:
        raise ControlError(404, "no such webhook")
    for each in [one for one in world.webhooks.subscriptions.values() if one.webhook_id == webhook_id]:
        world.webhooks.unsubscribe(each)
    world.changed = True
    return Response(status_code=204)


async def post_grant(request: Request) -> Response:
    """POST /grants: what a driver would do at a Connect address, without a browser"""
    world = world_of(request)
    try:
        address = grant(world, await _body(request))
    except flow.ConnectPageError as wrong:
        raise ControlError(422, str(wrong)) from wrong
    return json_response({"redirect": address})


def shown_car(world: World, car: Car, *, full: bool = False) -> dict[str, Any]:
    """A car as the control API shows it; ``full`` adds its signals."""
    connected = world.connections.select(vehicle_id=car.id)
    owner = next((each.email for each in world.garage.accounts.values() if car.id in each.car_ids), None)
    shown = {
        "id": car.id,
        "vin": car.vin,
        "make": car.make,
        "model": car.model,
        "year": car.year,
        "powertrain": car.powertrain,
        "account": owner,
        "connections": [
            {"userId": each.user_id, "mode": each.mode, "permissions": list(each.permissions)}
            for each in connected
        ],
        "subscribed": len(world.webhooks.of_vehicle(car.id)),
        "state": car.state(now=world.now()),
    }
    if full:
        shown["signals"] = {
            each.code: {
                "body": each.body,
                "oemUpdatedAt": iso(each.oem_updated_at) if each.oem_updated_at else None,
                "error": list(each.error) if each.error else None,
            }
            for each in car.signals(now=world.now())
        }
    return shown


def _car(request: Request) -> tuple[World, Car]:
    world = world_of(request)
    car = world.car(request.path_params["vehicle_id"])
    if car is None:
        raise ControlError(404, "no such vehicle")
    return world, car


async def vehicles(request: Request) -> Response:
    """GET /vehicles?make=&connected=true&limit=&offset="""
    world, asked = world_of(request), request.query_params
    make, connected = asked.get("make"), asked.get("connected") == "true"
    held = {each.vehicle_id for each in world.connections.by_key.values()}
    cars = [
        each
        for each in world.garage.cars.values()
        if make in (None, each.make) and (not connected or each.id in held)
    ]
    try:
        limit, offset = int(asked.get("limit", 1000)), int(asked.get("offset", 0))
    except ValueError as wrong:
        raise ControlError(400, "limit and offset are whole numbers") from wrong
    shown = [shown_car(world, each) for each in cars[offset : offset + limit]]
    return json_response({"vehicles": shown, "count": len(cars)})


async def vehicle(request: Request) -> Response:
    """GET /vehicles/{id}"""
    world, car = _car(request)
    return json_response(shown_car(world, car, full=True))


async def patch_vehicle(request: Request) -> Response:
    """PATCH /vehicles/{id}: set its state; the change is told to webhooks within a second"""
    world, car = _car(request)
    now = world.now()
    codes = tuple(car.patch(now=now, **await _body(request)))
    world.feed.notice([Change(car.id, codes, now)])
    world.changed = True
    return json_response({"changed": list(codes), "vehicle": shown_car(world, car)})


async def requests_seen(request: Request) -> Response:
    """GET /requests?path=&since="""
    world, asked = world_of(request), request.query_params
    since = _epoch(asked.get("since", "0"))
    found = world.requests.select(path=asked.get("path", ""), since=since)
    return json_response({"requests": [each.as_json() for each in found]})


def _epoch(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return datetime.fromisoformat(text).timestamp()


async def clear_requests(request: Request) -> Response:
    """DELETE /requests"""
    world_of(request).requests.clear()
    return Response(status_code=204)


async def deliveries(request: Request) -> Response:
    """GET /deliveries?vehicleId=&webhookId=&eventType="""
    asked = request.query_params
    wanted = {
        "vehicle_id": asked.get("vehicleId"),
        "webhook_id": asked.get("webhookId"),
        "event_type": asked.get("eventType"),
    }
    found = [
        each.as_json()
        for each in world_of(request).courier.log
        if all(value in (None, getattr(each, name)) for name, value in wanted.items())
    ]
    return json_response({"deliveries": found})


async def deliver(request: Request) -> Response:
    """POST /deliver: tell one car's state now, whatever its rhythm"""
    world, body = world_of(request), await _body(request)
    if body.get("eventType", "VEHICLE_STATE") != "VEHICLE_STATE":
        raise ControlError(400, "only VEHICLE_STATE can be forced; switch a trouble on for VEHICLE_ERROR")
    found = world.webhooks.of_vehicle(_text(body, "vehicleId") or "", webhook_id=_text(body, "webhookId"))
    if not found:
        raise ControlError(404, "that vehicle is not subscribed")
    triggers = body.get("triggers", [])
    if not isinstance(triggers, list) or any(str(each) not in CATALOGUE for each in triggers):
        raise ControlError(400, "triggers is a list of signal codes")
    for each in found:
        each.pending |= set(triggers)
        world.feed.tell(each, force=True)
    world.courier.start_due()
    return json_response({"deliveries": len(found)}, status=202)


def _clock(world: World) -> Response:
    return json_response(
        {"now": iso(world.now()), "speed": world.clock.speed, "offset": round(world.clock.offset(), 3)}
    )


async def get_clock(request: Request) -> Response:
    """GET /clock"""
    return _clock(world_of(request))


async def post_clock(request: Request) -> Response:
    """POST /clock {"advance": seconds} or {"speed": x}"""
    world, body = world_of(request), await _body(request)
    if not body or not set(body) <= {"advance", "speed"}:
        raise ControlError(400, "send advance (seconds) or speed, or both")
    for name, act in (("speed", world.clock.run_at), ("advance", world.clock.advance)):
        if name in body:
            if isinstance(body[name], bool) or not isinstance(body[name], int | float):
                raise ControlError(400, f"{name} is a number")
            act(body[name])
    world.feed.notice(world.garage.advance(now=world.now()))
    world.changed = True
    return _clock(world)


def _troubles(world: World) -> Response:
    meanings = {name: {"kind": kind, "what": what} for name, (_, kind, what) in SWITCHES.items()}
    return json_response({"troubles": world.troubles.as_json(), "meanings": meanings})


async def get_troubles(request: Request) -> Response:
    """GET /troubles"""
    return _troubles(world_of(request))


async def post_troubles(request: Request) -> Response:
    """POST /troubles {name: value}"""
    world = world_of(request)
    world.troubles.switch(await _body(request))
    world.feed.reconsider()
    world.changed = True
    return _troubles(world)


def _limits(world: World) -> Response:
    held = world.limits.settings
    return json_response({name: getattr(held, field) for name, field in CHANGEABLE.items()})


async def get_limits(request: Request) -> Response:
    """GET /limits"""
    return _limits(world_of(request))


async def post_limits(request: Request) -> Response:
    """POST /limits {name: number}: other limits until the next reset, with full buckets"""
    world, body = world_of(request), await _body(request)
    for name, value in body.items():
        if name not in CHANGEABLE:
            raise ControlError(400, f"there is no limit {name}; there are {', '.join(CHANGEABLE)}")
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise ControlError(400, f"{name} is a number, 0 for no limit")
    world.limits.change({CHANGEABLE[name]: value for name, value in body.items()})
    return _limits(world)


async def clear_troubles(request: Request) -> Response:
    """DELETE /troubles"""
    world = world_of(request)
    world.troubles.clear()
    world.feed.reconsider()
    world.changed = True
    return _troubles(world)


async def get_load(request: Request) -> Response:
    """GET /load: whether the load process runs, and its figures"""
    load = world_of(request).load
    return json_response({"running": load.running, "figures": load.figures})


async def post_load(request: Request) -> Response:
    """POST /load {"eventsPerSecond", "seconds"?, "webhookId"?, "connections"?, "everyCar"?}: start sending"""
    world, body = world_of(request), await _body(request)
    known = world.webhooks.by_id
    webhook = known.get(_text(body, "webhookId") or next(iter(known), ""))
    if webhook is None or not webhook.verified:
        raise ControlError(404, "no such webhook, or not verified")
    plan = make_plan(
        world,
        webhook,
        rate=_positive(body, "eventsPerSecond", 100.0),
        seconds=_positive(body, "seconds", 0.0),
        connections=int(_positive(body, "connections", 64.0)),
        everything=body.get("everyCar") is True,
    )
    await world.load.start(plan)
    return json_response({"running": True, "vehicles": len(plan.vehicles)}, status=202)


def _positive(body: dict[str, Any], name: str, default: float) -> float:
    value = body.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise ControlError(400, f"{name} is a number, 0 or more")
    return float(value)


async def stop_load(request: Request) -> Response:
    """DELETE /load: stop sending"""
    load = world_of(request).load
    await load.stop()
    return json_response({"running": False, "figures": load.figures})


async def reset(request: Request) -> Response:
    """POST /reset {"webhooks": true}"""
    world, body = world_of(request), await _body(request)
    world.reset(webhooks=body.get("webhooks") is True)
    _applications(request).forget()
    return json_response({"status": "ok"})


def _applications(request: Request) -> Applications:
    return cast(Applications, request.app.state.applications)


async def get_applications(request: Request) -> Response:
    """GET /applications"""
    ids = [each.settings.credentials.application_id for each in _applications(request).worlds]
    return json_response({"applications": ids})


async def post_application(request: Request) -> Response:
    """POST /applications: one more, with these credentials; other calls name it by ?applicationId="""
    made = _applications(request).add(await _body(request))
    return json_response({"id": made.settings.credentials.application_id}, status=201)


async def disconnect(request: Request) -> Response:
    """POST /disconnect {"userId", "vehicleId"}: the driver withdraws at Smartcar"""
    world, body = world_of(request), await _body(request)
    user_id, vehicle_id = _text(body, "userId"), _text(body, "vehicleId")
    if not user_id and not vehicle_id:
        raise ControlError(400, "userId or vehicleId is needed")
    found = world.connections.select(user_id=user_id, vehicle_id=vehicle_id)
    for each in found:
        world.disconnect(each)
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
    ("GET", "/vehicles", vehicles),
    ("GET", "/vehicles/{vehicle_id}", vehicle),
    ("PATCH", "/vehicles/{vehicle_id}", patch_vehicle),
    ("GET", "/requests", requests_seen),
    ("DELETE", "/requests", clear_requests),
    ("GET", "/deliveries", deliveries),
    ("POST", "/deliver", deliver),
    ("GET", "/clock", get_clock),
    ("POST", "/clock", post_clock),
    ("GET", "/troubles", get_troubles),
    ("POST", "/troubles", post_troubles),
    ("DELETE", "/troubles", clear_troubles),
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

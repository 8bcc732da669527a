"""Management: v2 connections at management.smartcar.com, v3 webhooks, subscriptions and applications."""

from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulator.clock import iso
from simulator.connections import Connection
from simulator.errors import ApiError
from simulator.hosts.common import mark, v2_host, v3_host, world_of
from simulator.hosts.tokens import same
from simulator.hosts.v3_access import application, listing
from simulator.hosts.vehicle import vehicle_attributes
from simulator.webhooks import AlreadySubscribed, Subscription, Webhook
from simulator.wire import basic, json_object, json_response
from simulator.world import World

# -- v2 ----------------------------------------------------------------------------------------------------


def _managed(request: Request) -> World:
    world = world_of(request)
    given = basic(request)
    tokens = world.settings.credentials.management_tokens
    if given is None or not any(same(given[1], each) for each in tokens):
        raise ApiError("AUTHENTICATION")
    return world


def _matching(request: Request, world: World) -> list[Connection]:
    asked = request.query_params
    mark(request, user_id=asked.get("user_id"), vehicle_id=asked.get("vehicle_id"))
    return world.connections.select(
        user_id=asked.get("user_id"), vehicle_id=asked.get("vehicle_id"), mode=asked.get("mode")
    )


async def v2_connections(request: Request) -> Response:
    """GET /management/connections"""
    world = _managed(request)
    found = _matching(request, world)
    try:
        limit = int(request.query_params.get("limit", 10))
    except ValueError:
        raise ApiError("VALIDATION", "PARAMETER") from None
    if not 0 < limit <= 100:
        raise ApiError("VALIDATION", "PARAMETER")
    ids = [each.id for each in found]
    cursor = request.query_params.get("cursor")
    if cursor and cursor not in ids:
        raise ApiError("VALIDATION", "PARAMETER")
    start = ids.index(cursor) if cursor else 0
    shown, rest = found[start : start + limit], found[start + limit :]
    rows = [
        {
            "userId": each.user_id,
            "vehicleId": each.vehicle_id,
            "connectedAt": iso(each.created_at),
            "mode": each.mode,
        }
        for each in shown
    ]
    return json_response({"connections": rows, "paging": {"cursor": rest[0].id if rest else None}})


async def v2_delete_connections(request: Request) -> Response:
    """DELETE /management/connections, by user, by vehicle or by both"""
    world = _managed(request)
    if not request.query_params.get("user_id") and not request.query_params.get("vehicle_id"):
        raise ApiError("VALIDATION")
    found = _matching(request, world)
    for each in found:
        world.disconnect(each)
    return json_response(
        {"connections": [{"userId": each.user_id, "vehicleId": each.vehicle_id} for each in found]}
    )


def management_host(world: World) -> Starlette:
    """management.smartcar.com, v2.0"""
    path = "/v2.0/management/connections"
    return v2_host(
        world,
        [
            Route(path, v2_connections, methods=["GET"]),
            Route(path, v2_delete_connections, methods=["DELETE"]),
        ],
    )


# -- v3 ----------------------------------------------------------------------------------------------------


def _webhook_resource(world: World, webhook: Webhook) -> dict[str, Any]:
    return {
        "id": webhook.id,
        "type": "webhook",
        "attributes": {
            "name": webhook.name,
            "callbackUri": webhook.callback_uri,
            "errorCallbackUri": webhook.error_callback_uri,
            "isEnabled": webhook.enabled,
            "autoSubscribe": webhook.auto_subscribe,
            "triggers": list(webhook.triggers),
            "data": list(webhook.signals),
        },
        "meta": {"createdAt": iso(webhook.created_at), "updatedAt": iso(webhook.updated_at)},
        "links": {"self": f"{world.settings.origin}/management-v3/v3/webhooks/{webhook.id}"},
    }


def _matches(webhook: Webhook, asked: dict[str, str]) -> bool:
    truth = {True: "true", False: "false"}
    facts = {
        "filter[name]": webhook.name,
        "filter[callbackUri]": webhook.callback_uri,
        "filter[isEnabled]": truth[webhook.enabled],
        "filter[autoSubscribe]": truth[webhook.auto_subscribe],
    }
    return all(fact == asked[key] for key, fact in facts.items() if key in asked)


async def webhooks(request: Request) -> Response:
    """GET /webhooks"""
    world = application(request)
    asked = dict(request.query_params)
    found = [each for each in world.webhooks.by_id.values() if _matches(each, asked)]
    return json_response(listing(request, found, lambda each: _webhook_resource(world, each), size=50))


async def webhook(request: Request) -> Response:
    """GET /webhooks/{id}"""
    world = application(request)
    found = world.webhooks.by_id.get(request.path_params["webhook_id"])
    if found is None:
        raise ApiError("RESOURCE_NOT_FOUND", "NOT_FOUND")
    return json_response({"data": _webhook_resource(world, found)})


def _subscription_resource(world: World, subscription: Subscription) -> dict[str, Any]:
    car = world.garage.cars[subscription.vehicle_id]
    connection = world.connections.get(user_id=subscription.user_id, vehicle_id=car.id)
    mode = connection.mode if connection else "live"
    related = {
        "webhook": subscription.webhook_id,
        "user": subscription.user_id,
        "vehicle": subscription.vehicle_id,
    }
    return {
        "id": subscription.id,
        "type": "subscription",
        "attributes": {"vehicle": vehicle_attributes(car, mode=mode)},
        "meta": {"createdAt": iso(subscription.created_at), "updatedAt": iso(subscription.updated_at)},
        "relationships": {kind: {"data": {"id": each, "type": kind}} for kind, each in related.items()},
        "links": {"self": f"{world.settings.origin}/management-v3/v3/subscriptions/{subscription.id}"},
    }


async def subscriptions(request: Request) -> Response:
    """GET /subscriptions"""
    world = application(request)
    asked = request.query_params
    wanted = {
        "user_id": asked.get("filter[userId]"),
        "webhook_id": request.path_params.get("webhook_id", asked.get("filter[webhookId]")),
        "vehicle_id": asked.get("filter[vehicleId]"),
    }
    mode = asked.get("filter[vehicle.mode]")
    mark(request, user_id=wanted["user_id"], vehicle_id=wanted["vehicle_id"])

    def matches(each: Subscription) -> bool:
        if any(value is not None and getattr(each, name) != value for name, value in wanted.items()):
            return False
        connection = world.connections.get(user_id=each.user_id, vehicle_id=each.vehicle_id)
        return mode is None or (connection is not None and connection.mode == mode)

    found = [each for each in reversed(world.webhooks.subscriptions.values()) if matches(each)]
    return json_response(listing(request, found, lambda each: _subscription_resource(world, each), size=25))


async def create_subscription(request: Request) -> Response:
    """POST /subscriptions: 202, or 409 when the car is subscribed already"""
    world = application(request)
    body = await json_object(request)
    data = body.get("data") if body else None
    attributes = data.get("attributes") if isinstance(data, dict) else None
    if not isinstance(attributes, dict):
        raise ApiError("VALIDATION", "BAD_REQUEST", detail="data.attributes is required")
    named: dict[str, Any] = {"webhookId": request.path_params.get("webhook_id"), **attributes}
    missing = [name for name in ("webhookId", "userId", "vehicleId") if not isinstance(named.get(name), str)]
    if missing:
        raise ApiError("VALIDATION", "MISSING_PARAMETER", detail=f"{', '.join(missing)} is required")
    mark(request, user_id=named["userId"], vehicle_id=named["vehicleId"])
    connection = world.connections.get(user_id=named["userId"], vehicle_id=named["vehicleId"])
    if named["webhookId"] not in world.webhooks.by_id or connection is None:
        raise ApiError("RESOURCE_NOT_FOUND", "NOT_FOUND")
    try:
        world.feed.subscribe(webhook_id=named["webhookId"], connection=connection)
    except AlreadySubscribed:
        raise ApiError("CONFLICT", "ALREADY_SUBSCRIBED", status=409) from None
    return json_response({"meta": {"message": "subscription creation in progress"}}, status=202)


def _subscription(request: Request) -> tuple[World, Subscription]:
    world = application(request)
    found = world.webhooks.subscriptions.get(request.path_params["subscription_id"])
    if found is None:
        raise ApiError("RESOURCE_NOT_FOUND", "NOT_FOUND")
    mark(request, user_id=found.user_id, vehicle_id=found.vehicle_id)
    return world, found


async def subscription(request: Request) -> Response:
    """GET /subscriptions/{id}"""
    world, found = _subscription(request)
    return json_response({"data": _subscription_resource(world, found)})


async def delete_subscription(request: Request) -> Response:
    """DELETE /subscriptions/{id}"""
    world, found = _subscription(request)
    world.webhooks.unsubscribe(found)
    world.changed = True
    return Response(status_code=204)


def _application_resource(world: World) -> dict[str, Any]:
    application_id = world.settings.credentials.application_id
    return {
        "id": application_id,
        "type": "application",
        "attributes": {"name": "Simulated application", "redirectUris": list(world.settings.redirect_uris)},
        "links": {"self": f"{world.settings.origin}/management-v3/v3/applications/{application_id}"},
    }


async def applications(request: Request) -> Response:
    """GET /applications"""
    world = application(request)
    return json_response(listing(request, [world], _application_resource, size=25))


def _this_application(request: Request) -> World:
    world = application(request)
    if request.path_params["application_id"] != world.settings.credentials.application_id:
        raise ApiError("RESOURCE_NOT_FOUND", "NOT_FOUND")
    return world


async def one_application(request: Request) -> Response:
    """GET /applications/{id}"""
    return json_response({"data": _application_resource(_this_application(request))})


async def application_secrets(request: Request) -> Response:
    """GET /applications/{id}/secrets: that there are some, never what they are"""
    world = _this_application(request)
    credentials = world.settings.credentials
    held = ["client-secret", *("management-token" for _ in credentials.management_tokens)]
    data = [
        {"id": f"secret-{number}", "type": "secret", "attributes": {"kind": kind}}
        for number, kind in enumerate(held, 1)
    ]
    return json_response({"data": data, "meta": {"totalCount": len(data)}})


def management_v3_host(world: World) -> Starlette:
    """management.api.smartcar.com, v3"""
    nested = world.settings.subscriptions_path == "webhooks"
    path = "/v3/webhooks/{webhook_id}/subscriptions" if nested else "/v3/subscriptions"
    return v3_host(
        world,
        [
            Route("/v3/webhooks", webhooks),
            Route("/v3/webhooks/{webhook_id}", webhook),
            Route(path, subscriptions, methods=["GET"]),
            Route(path, create_subscription, methods=["POST"]),
            Route(f"{path}/{{subscription_id}}", subscription, methods=["GET"]),
            Route(f"{path}/{{subscription_id}}", delete_subscription, methods=["DELETE"]),
            Route("/v3/applications", applications),
            Route("/v3/applications/{application_id}", one_application),
            Route("/v3/applications/{application_id}/secrets", application_secrets),
        ],
    )

"""Management: v2 connections at management.smartcar.com, v3 webhooks, subscriptions and applications."""

from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulator.clock import iso
from simulator.connections import Connection
from simulator.errors import ApiError
from simulator.hosts.common import get_simulation, mark, v2_host, v3_host
from simulator.hosts.tokens import same
from simulator.hosts.v3_access import application, listing
from simulator.hosts.vehicle import vehicle_attributes
from simulator.http_utils import basic, json_object, json_response
from simulator.simulation import Simulation
from simulator.webhooks import AlreadySubscribed, Subscription, Webhook

# -- v2 ----------------------------------------------------------------------------------------------------


def _managed(request: Request) -> Simulation:
    simulation = get_simulation(request)
    presented = basic(request)
    tokens = simulation.settings.credentials.management_tokens
    if presented is None or not any(same(presented[1], each) for each in tokens):
        raise ApiError("AUTHENTICATION")
    return simulation


def _matching(request: Request, simulation: Simulation) -> list[Connection]:
    query = request.query_params
    mark(request, user_id=query.get("user_id"), vehicle_id=query.get("vehicle_id"))
    return simulation.connections.select(
        user_id=query.get("user_id"), vehicle_id=query.get("vehicle_id"), mode=query.get("mode")
    )


async def v2_connections(request: Request) -> Response:
    """GET /management/connections"""
    simulation = _managed(request)
    found = _matching(request, simulation)
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
    page, remaining = found[start : start + limit], found[start + limit :]
    rows = [
        {
            "userId": each.user_id,
            "vehicleId": each.vehicle_id,
            "connectedAt": iso(each.created_at),
            "mode": each.mode,
        }
        for each in page
    ]
    return json_response({"connections": rows, "paging": {"cursor": remaining[0].id if remaining else None}})


async def v2_delete_connections(request: Request) -> Response:
    """DELETE /management/connections, by user, by vehicle or by both

    A driver's tokens outlive a deletion by user, as the tests of Smartcar's SDKs suggest: only the vehicles are gone.
    """
    simulation = _managed(request)
    by_user = bool(request.query_params.get("user_id"))
    if not by_user and not request.query_params.get("vehicle_id"):
        raise ApiError("VALIDATION")
    found = _matching(request, simulation)
    for each in found:
        simulation.disconnect(each, revoke_tokens=not by_user)
    return json_response(
        {"connections": [{"userId": each.user_id, "vehicleId": each.vehicle_id} for each in found]}
    )


def management_host(simulation: Simulation) -> Starlette:
    """Return the routes of management.smartcar.com, v2.0."""
    path = "/v2.0/management/connections"
    return v2_host(
        simulation,
        [
            Route(path, v2_connections, methods=["GET"]),
            Route(path, v2_delete_connections, methods=["DELETE"]),
        ],
    )


# -- v3 ----------------------------------------------------------------------------------------------------


def _webhook_resource(simulation: Simulation, webhook: Webhook) -> dict[str, Any]:
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
        "links": {"self": f"{simulation.settings.origin}/management-v3/v3/webhooks/{webhook.id}"},
    }


def _matches(webhook: Webhook, query: dict[str, str]) -> bool:
    truth = {True: "true", False: "false"}
    identity = {
        "filter[name]": webhook.name,
        "filter[callbackUri]": webhook.callback_uri,
        "filter[isEnabled]": truth[webhook.enabled],
        "filter[autoSubscribe]": truth[webhook.auto_subscribe],
    }
    return all(fact == query[key] for key, fact in identity.items() if key in query)


async def webhooks(request: Request) -> Response:
    """GET /webhooks"""
    simulation = application(request)
    query = dict(request.query_params)
    found = [each for each in simulation.webhooks.by_id.values() if _matches(each, query)]
    return json_response(listing(request, found, lambda each: _webhook_resource(simulation, each), size=50))


async def webhook(request: Request) -> Response:
    """GET /webhooks/{id}"""
    simulation = application(request)
    found = simulation.webhooks.by_id.get(request.path_params["webhook_id"])
    if found is None:
        raise ApiError("RESOURCE_NOT_FOUND", "NOT_FOUND")
    return json_response({"data": _webhook_resource(simulation, found)})


def _subscription_resource(simulation: Simulation, subscription: Subscription) -> dict[str, Any]:
    vehicle = simulation.fleet.vehicles[subscription.vehicle_id]
    connection = simulation.connections.get(user_id=subscription.user_id, vehicle_id=vehicle.id)
    mode = connection.mode if connection else "live"
    related = {
        "webhook": subscription.webhook_id,
        "user": subscription.user_id,
        "vehicle": subscription.vehicle_id,
    }
    return {
        "id": subscription.id,
        "type": "subscription",
        "attributes": {"vehicle": vehicle_attributes(vehicle, mode=mode)},
        "meta": {"createdAt": iso(subscription.created_at), "updatedAt": iso(subscription.updated_at)},
        "relationships": {kind: {"data": {"id": each, "type": kind}} for kind, each in related.items()},
        "links": {"self": f"{simulation.settings.origin}/management-v3/v3/subscriptions/{subscription.id}"},
    }


async def subscriptions(request: Request) -> Response:
    """GET /subscriptions"""
    simulation = application(request)
    query = request.query_params
    filters = {
        "user_id": query.get("filter[userId]"),
        "webhook_id": request.path_params.get("webhook_id", query.get("filter[webhookId]")),
        "vehicle_id": query.get("filter[vehicleId]"),
    }
    mode = query.get("filter[vehicle.mode]")
    mark(request, user_id=filters["user_id"], vehicle_id=filters["vehicle_id"])

    def matches(each: Subscription) -> bool:
        if any(value is not None and getattr(each, name) != value for name, value in filters.items()):
            return False
        connection = simulation.connections.get(user_id=each.user_id, vehicle_id=each.vehicle_id)
        return mode is None or (connection is not None and connection.mode == mode)

    found = [each for each in reversed(simulation.webhooks.subscriptions.values()) if matches(each)]
    return json_response(
        listing(request, found, lambda each: _subscription_resource(simulation, each), size=25)
    )


async def create_subscription(request: Request) -> Response:
    """POST /subscriptions: 202, or 409 if the vehicle is already subscribed"""
    simulation = application(request)
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
    connection = simulation.connections.get(user_id=named["userId"], vehicle_id=named["vehicleId"])
    if named["webhookId"] not in simulation.webhooks.by_id or connection is None:
        raise ApiError("RESOURCE_NOT_FOUND", "NOT_FOUND")
    try:
        simulation.feed.subscribe(webhook_id=named["webhookId"], connection=connection)
    except AlreadySubscribed:
        raise ApiError("CONFLICT", "ALREADY_SUBSCRIBED", status=409) from None
    return json_response({"meta": {"message": "subscription creation in progress"}}, status=202)


def _subscription(request: Request) -> tuple[Simulation, Subscription]:
    simulation = application(request)
    found = simulation.webhooks.subscriptions.get(request.path_params["subscription_id"])
    if found is None:
        raise ApiError("RESOURCE_NOT_FOUND", "NOT_FOUND")
    mark(request, user_id=found.user_id, vehicle_id=found.vehicle_id)
    return simulation, found


async def subscription(request: Request) -> Response:
    """GET /subscriptions/{id}"""
    simulation, found = _subscription(request)
    return json_response({"data": _subscription_resource(simulation, found)})


async def delete_subscription(request: Request) -> Response:
    """DELETE /subscriptions/{id}"""
    simulation, found = _subscription(request)
    simulation.webhooks.unsubscribe(found)
    simulation.changed = True
    return Response(status_code=204)


def _application_resource(simulation: Simulation) -> dict[str, Any]:
    application_id = simulation.settings.credentials.application_id
    return {
        "id": application_id,
        "type": "application",
        "attributes": {
            "name": "Simulated application",
            "redirectUris": list(simulation.settings.redirect_uris),
        },
        "links": {"self": f"{simulation.settings.origin}/management-v3/v3/applications/{application_id}"},
    }


async def applications(request: Request) -> Response:
    """GET /applications"""
    simulation = application(request)
    return json_response(listing(request, [simulation], _application_resource, size=25))


def _this_application(request: Request) -> Simulation:
    simulation = application(request)
    if request.path_params["application_id"] != simulation.settings.credentials.application_id:
        raise ApiError("RESOURCE_NOT_FOUND", "NOT_FOUND")
    return simulation


async def one_application(request: Request) -> Response:
    """GET /applications/{id}"""
    return json_response({"data": _application_resource(_this_application(request))})


async def application_secrets(request: Request) -> Response:
    """GET /applications/{id}/secrets: which secrets exist, never their values"""
    simulation = _this_application(request)
    credentials = simulation.settings.credentials
    secret_types = ["client-secret", *("management-token" for _ in credentials.management_tokens)]
    data = [
        {"id": f"secret-{number}", "type": "secret", "attributes": {"kind": kind}}
        for number, kind in enumerate(secret_types, 1)
    ]
    return json_response({"data": data, "meta": {"totalCount": len(data)}})


def management_v3_host(simulation: Simulation) -> Starlette:
    """Return the routes of management.api.smartcar.com, v3."""
    nested = simulation.settings.subscriptions_path == "webhooks"
    path = "/v3/webhooks/{webhook_id}/subscriptions" if nested else "/v3/subscriptions"
    return v3_host(
        simulation,
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

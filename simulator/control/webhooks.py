"""The control API of webhooks and their deliveries."""

from starlette.requests import Request
from starlette.responses import Response

from simulator.control.requests import ControlError, read_body, read_text
from simulator.control.webhook_registration import VerificationFailed, register
from simulator.hosts.common import get_simulation
from simulator.http_utils import json_response
from simulator.vehicles import CATALOGUE


async def post_webhook(request: Request) -> Response:
    """POST /webhooks: register or change a webhook, and verify its callback"""
    simulation = get_simulation(request)
    try:
        webhook = await register(simulation, await read_body(request))
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
    simulation, body = get_simulation(request), await read_body(request)
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
    simulation, body = get_simulation(request), await read_body(request)
    if body.get("eventType", "VEHICLE_STATE") != "VEHICLE_STATE":
        raise ControlError(400, "only VEHICLE_STATE can be forced; switch on a fault for VEHICLE_ERROR")
    found = simulation.webhooks.for_vehicle(
        read_text(body, "vehicleId") or "", webhook_id=read_text(body, "webhookId")
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

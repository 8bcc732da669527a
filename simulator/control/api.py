"""The control API under /control: webhooks, grants, vehicles, clock, faults and logs. Everything is JSON."""

from collections.abc import Awaitable, Callable
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulator.connect import flow
from simulator.control import conditions, past_reports, truth, vehicles, webhooks
from simulator.control.grants import grant
from simulator.control.requests import ControlError, applications_of, read_body, read_text
from simulator.hosts.common import get_simulation
from simulator.http_utils import json_response


async def health(_: Request) -> Response:
    """GET /health"""
    return json_response({"status": "ok"})


async def post_grant(request: Request) -> Response:
    """POST /grants: complete a Connect address as a driver would, without a browser"""
    simulation = get_simulation(request)
    try:
        address = grant(simulation, await read_body(request))
    except flow.ConnectPageError as error:
        raise ControlError(422, str(error)) from error
    return json_response({"redirect": address})


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


async def reset(request: Request) -> Response:
    """POST /reset {"webhooks": true}"""
    simulation, body = get_simulation(request), await read_body(request)
    simulation.reset(webhooks=body.get("webhooks") is True)
    applications_of(request).remove_added()
    return json_response({"status": "ok"})


async def get_applications(request: Request) -> Response:
    """GET /applications"""
    ids = [each.settings.credentials.application_id for each in applications_of(request).simulations]
    return json_response({"applications": ids})


async def post_application(request: Request) -> Response:
    """POST /applications: add an application with these credentials. Other calls select it with ?applicationId="""
    application = applications_of(request).add(await read_body(request))
    return json_response({"id": application.settings.credentials.application_id}, status=201)


async def disconnect(request: Request) -> Response:
    """POST /disconnect {"userId", "vehicleId"}: revoke access as the driver would at Smartcar"""
    simulation, body = get_simulation(request), await read_body(request)
    user_id, vehicle_id = read_text(body, "userId"), read_text(body, "vehicleId")
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
    ("GET", "/webhooks", webhooks.get_webhooks),
    ("POST", "/webhooks", webhooks.post_webhook),
    ("PATCH", "/webhooks/{webhook_id}", webhooks.patch_webhook),
    ("DELETE", "/webhooks/{webhook_id}", webhooks.delete_webhook),
    ("POST", "/grants", post_grant),
    ("GET", "/vehicles", vehicles.get_vehicles),
    ("GET", "/vehicles/{vehicle_id}", vehicles.get_vehicle),
    ("PATCH", "/vehicles/{vehicle_id}", vehicles.patch_vehicle),
    ("GET", "/vehicles/{vehicle_id}/day", vehicles.get_day),
    ("POST", "/vehicles/{vehicle_id}/day", vehicles.post_day),
    ("GET", "/vehicles/{vehicle_id}/truth", truth.get_vehicle_truth),
    ("GET", "/truth", truth.get_truth),
    ("GET", "/vehicles/{vehicle_id}/reports", past_reports.get_reports),
    ("GET", "/day", vehicles.get_days),
    ("POST", "/day", vehicles.post_days),
    ("GET", "/requests", get_requests),
    ("DELETE", "/requests", clear_requests),
    ("GET", "/deliveries", webhooks.get_deliveries),
    ("POST", "/deliver", webhooks.post_delivery),
    ("GET", "/clock", conditions.get_clock),
    ("POST", "/clock", conditions.post_clock),
    ("GET", "/troubles", conditions.get_faults),
    ("POST", "/troubles", conditions.post_faults),
    ("DELETE", "/troubles", conditions.clear_faults),
    ("GET", "/limits", conditions.get_limits),
    ("POST", "/limits", conditions.post_limits),
    ("GET", "/load", conditions.get_load),
    ("POST", "/load", conditions.post_load),
    ("DELETE", "/load", conditions.stop_load),
    ("GET", "/applications", get_applications),
    ("POST", "/applications", post_application),
    ("POST", "/reset", reset),
    ("POST", "/disconnect", disconnect),
]
API_ROUTES = [Route(path, endpoint, methods=[method]) for method, path, endpoint in _TABLE]
SUMMARIES = [(method, path, (endpoint.__doc__ or "").split("\n")[0]) for method, path, endpoint in _TABLE]

"""v3 commands and charge schedules: validation, execution, and immediate or long responses.

A command that takes longer than the setting (about 175 s at Smartcar) gets a 202 response without a length, and the
result follows later in the same body ("Commands overview"). The status in the body may then differ from the 202.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from simulator.clock import iso
from simulator.command_execution import check_command_allowed, execute_command, latency
from simulator.errors import ApiError, v3_body
from simulator.hosts.v3_access import Access, access
from simulator.http_utils import json_object, json_response, request_id
from simulator.json_numbers import dumps

Parameters = dict[str, Any]
TIMES = {"startTime", "stopTime"}


@dataclass(frozen=True, slots=True)
class CommandSpec:
    """A command: its v3 name, the fleet's name, the permission, and how its body is read."""

    kind: str
    command: str
    permission: str
    parameters: Callable[[dict[str, Any]], Parameters]
    schedule: str | None = None
    action: str = "set"


def _invalid(detail: str) -> ApiError:
    return ApiError("VALIDATION", "INVALID_INPUT_FORMAT", detail=detail)


def _nothing(_: dict[str, Any]) -> Parameters:
    return {}


def _percent(attributes: dict[str, Any]) -> Parameters:
    percent = attributes.get("percent")
    if percent is None:
        raise ApiError("VALIDATION", "MISSING_PARAMETER", detail="percent is required")
    if isinstance(percent, bool) or not isinstance(percent, int) or not 50 <= percent <= 100:
        raise _invalid("percent must be a whole number from 50 to 100")
    return {"percent": percent}


def _place(attributes: dict[str, Any]) -> Parameters:
    place = {}
    for name, maximum in (("latitude", 90), ("longitude", 180)):
        value = attributes.get(name)
        if value is None:
            raise ApiError("VALIDATION", "MISSING_PARAMETER", detail=f"{name} is required")
        if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > maximum:
            raise _invalid(f"{name} must be a number from -{maximum} to {maximum}")
        place[name] = float(value)
    return place


def _located(attributes: dict[str, Any]) -> Parameters:
    location = attributes.get("location")
    if not isinstance(location, dict):
        raise ApiError("VALIDATION", "MISSING_PARAMETER", detail="location is required")
    return _place(location)


def _is_time(text: Any) -> bool:
    if not isinstance(text, str) or len(text) != 5 or text[2] != ":":
        return False
    hour, minute = text[:2], text[3:]
    return hour.isdecimal() and minute.isdecimal() and int(hour) < 24 and int(minute) < 60


def _window(window: Any, name: str) -> dict[str, str]:
    if not isinstance(window, dict) or not set(window) >= TIMES:
        raise ApiError("VALIDATION", "MISSING_PARAMETER", detail=f"{name} needs startTime and stopTime")
    if not all(_is_time(window[each]) for each in TIMES):
        raise _invalid(f"{name}: times are HH:MM")
    return {"startTime": window["startTime"], "stopTime": window["stopTime"]}


def _daily(attributes: dict[str, Any]) -> Parameters:
    window = _window(attributes, "the schedule")
    return _located(attributes) | {"start_time": window["startTime"], "stop_time": window["stopTime"]}


DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def _weekly(attributes: dict[str, Any]) -> Parameters:
    days = attributes.get("days")
    if not isinstance(days, dict) or not days or not set(days) <= set(DAYS):
        raise _invalid("days names one or more days of the week")
    return _located(attributes) | {"days": {day: _window(days[day], day) for day in days}}


def _workweek(attributes: dict[str, Any]) -> Parameters:
    parts = [part for part in ("weekdays", "weekends") if part in attributes]
    if not parts:
        raise ApiError("VALIDATION", "MISSING_PARAMETER", detail="weekdays or weekends is required")
    return _located(attributes) | {part: _window(attributes[part], part) for part in parts}


COMMAND_SPECS = {
    "commands/security/lock": CommandSpec("security-lock", "lock", "control_security", _nothing),
    "commands/security/unlock": CommandSpec("security-unlock", "unlock", "control_security", _nothing),
    "commands/charge/start": CommandSpec("charge-start", "start_charge", "control_charge", _nothing),
    "commands/charge/stop": CommandSpec("charge-stop", "stop_charge", "control_charge", _nothing),
    "commands/charge/set-limit": CommandSpec(
        "charge-set-limit", "set_charge_limit", "control_charge", _percent
    ),
    "commands/charge-port/open": CommandSpec(
        "charge-port-open", "open_charge_port", "control_charge", _nothing
    ),
    "commands/charge-port/close": CommandSpec(
        "charge-port-close", "close_charge_port", "control_charge", _nothing
    ),
    "commands/navigation/set-destination": CommandSpec(
        "navigation-set-destination", "set_destination", "control_navigation", _place
    ),
    "charge-schedules/daily": CommandSpec("", "set_daily_schedule", "control_charge", _daily, "daily"),
    "charge-schedules/weekly": CommandSpec("", "set_weekly_schedule", "control_charge", _weekly, "weekly"),
    "charge-schedules/workweek": CommandSpec(
        "", "set_workweek_schedule", "control_charge", _workweek, "workweek"
    ),
}


async def _attributes(request: Request) -> dict[str, Any]:
    body = await json_object(request)
    if body is None:
        raise ApiError("VALIDATION", "BAD_REQUEST", detail="the body is not a JSON object")
    data = body.get("data", {})
    attributes = data.get("attributes", {}) if isinstance(data, dict) else None
    if not isinstance(attributes, dict):
        raise ApiError("VALIDATION", "BAD_REQUEST", detail="data.attributes must be an object")
    return attributes


def _endpoint(spec: CommandSpec) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        authorized = access(request, commands=True)
        authorized.simulation.limits.request()
        attributes = await _attributes(request)
        parameters = spec.parameters(attributes)
        return await _execute(authorized, spec, parameters, attributes)

    return endpoint


async def delete_schedule(request: Request) -> Response:
    """DELETE /vehicles/{id}/charge-schedules/{scheduleId}"""
    authorized = access(request, commands=True)
    authorized.simulation.limits.request()
    spec = CommandSpec("", "delete_schedule", "control_charge", _nothing, None, "delete")
    parameters = {"schedule_id": request.path_params["schedule_id"]}
    return await _execute(authorized, spec, parameters, {})


async def _execute(
    authorized: Access, spec: CommandSpec, parameters: Parameters, attributes: dict[str, Any]
) -> Response:
    check_command_allowed(authorized.simulation, authorized.connection, authorized.vehicle, spec.permission)
    authorized.simulation.limits.vehicle_request(authorized.vehicle.id)
    wait = latency(authorized.simulation)
    run = asyncio.ensure_future(_run(authorized, spec, parameters, attributes, wait))
    faults = authorized.simulation.faults
    timeout = authorized.simulation.settings.long_answer_after
    if faults.occurs(faults.long_answers):
        timeout = 0.0
    if wait >= timeout:
        await asyncio.sleep(timeout)
        return StreamingResponse(
            _later(run),
            status_code=202,
            media_type="application/json",
            headers={"SC-Request-Id": request_id()},
        )
    return json_response(await run)


async def _later(run: "asyncio.Future[dict[str, Any]]") -> AsyncIterator[bytes]:
    yield b""  # Sends the head at once.
    try:
        yield dumps(await run)
    except ApiError as rejection:
        yield dumps(v3_body(rejection))


async def _run(
    authorized: Access, spec: CommandSpec, parameters: Parameters, attributes: dict[str, Any], wait: float
) -> dict[str, Any]:
    started = authorized.simulation.now()
    status = authorized.simulation.faults.command_outcome()
    outcome = None
    if status == "FAILURE":
        await asyncio.sleep(wait)
    else:
        outcome = await execute_command(
            authorized.simulation, authorized.vehicle, spec.command, wait=wait, **parameters
        )
    finished = authorized.simulation.now()
    times = {
        "executedAt": iso(started),
        "completedAt": iso(finished),
        "durationInSeconds": round(finished - started),
    }
    done: dict[str, Any] = {"status": {"value": status}, "executionMode": "sync"}
    execution = f"exec_{uuid.uuid4().hex}"
    if spec.kind:
        shown = {"commandType": spec.kind} | done
        return {"data": {"id": execution, "type": "command-execution", "attributes": shown, "meta": times}}
    schedule_id = outcome or parameters.get("schedule_id")
    shown = {
        "action": spec.action,
        "scheduleType": spec.schedule,
        **done,
        "scheduleId": schedule_id,
        "parameters": attributes,
    }
    base = f"{authorized.simulation.settings.origin}/vehicle/v3/vehicles/{authorized.vehicle.id}/charge-schedules"
    return {
        "data": {
            "id": execution,
            "type": "charge-schedule-execution",
            "attributes": shown,
            "meta": times,
            "links": {"schedule": f"{base}/{schedule_id}"},
        }
    }


COMMAND_ROUTES = [
    *(
        Route(f"/v3/vehicles/{{vehicle_id}}/{path}", _endpoint(spec), methods=["POST"])
        for path, spec in COMMAND_SPECS.items()
    ),
    Route("/v3/vehicles/{vehicle_id}/charge-schedules/{schedule_id}", delete_schedule, methods=["DELETE"]),
]

"""The control API of the conditions of a run: clock, faults, limits and load."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from simulator.clock import iso
from simulator.control.requests import ControlError, read_body, read_text
from simulator.fault_injection import SWITCHES
from simulator.hosts.common import get_simulation
from simulator.http_utils import json_response
from simulator.limits import CHANGEABLE
from simulator.load.planning import make_plan
from simulator.simulation import Simulation


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
    simulation, body = get_simulation(request), await read_body(request)
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
    simulation.faults.configure(await read_body(request))
    simulation.feed.recheck()
    simulation.changed = True
    return _faults(simulation)


async def clear_faults(request: Request) -> Response:
    """DELETE /troubles"""
    simulation = get_simulation(request)
    simulation.faults.clear()
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
    simulation, body = get_simulation(request), await read_body(request)
    for name, value in body.items():
        if name not in CHANGEABLE:
            raise ControlError(400, f"unknown limit {name}; known: {', '.join(CHANGEABLE)}")
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise ControlError(400, f"{name} must be a number, 0 for no limit")
    simulation.limits.change({CHANGEABLE[name]: value for name, value in body.items()})
    return _limits(simulation)


async def get_load(request: Request) -> Response:
    """GET /load: whether the load process runs, and its figures"""
    load = get_simulation(request).load
    return json_response({"running": load.running, "figures": load.figures})


async def post_load(request: Request) -> Response:
    """POST /load {"eventsPerSecond", "seconds"?, "webhookId"?, "connections"?, "everyCar"?}: start sending"""
    simulation, body = get_simulation(request), await read_body(request)
    known = simulation.webhooks.by_id
    webhook = known.get(read_text(body, "webhookId") or next(iter(known), ""))
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

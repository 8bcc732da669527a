"""The control API of the truth: what vehicles really did, for scoring what a client made of their reports."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from simulator.clock import iso
from simulator.control.requests import ControlError, requested_vehicle
from simulator.hosts.common import get_simulation
from simulator.http_utils import json_response
from simulator.simulation import Simulation
from simulator.vehicles import Vehicle
from simulator.vehicles.city_time import DAY
from simulator.vehicles.truth import TrueChargingSession, TruePlace, TrueStop, TrueTrip, Truth

_DEFAULT_SPAN = 7 * DAY
_PAGE_DAYS = 28
_KINDS = {"trips": "trip", "stops": "stop", "chargingSessions": "chargingSession"}


async def get_vehicle_truth(request: Request) -> Response:
    """GET /vehicles/{id}/truth?from=&to=&days=: its real trips, stops and charging sessions, in pages of some days"""
    simulation, vehicle = requested_vehicle(request)
    start, end = requested_span(request, simulation)
    page_end = min(end, start + _days(request) * DAY)
    found = vehicle.truth(start=start, end=page_end, now=simulation.now())
    is_first = "after" not in request.query_params
    body: dict[str, Any] = {kind: [] for kind in _KINDS}
    for kind, since, entry in _entries(found):
        # Each entry is on the page on which it begins, and on the first page if it began before.
        if is_first or since >= start:
            body[kind].append(entry)
    following = None
    if page_end < end:
        query = request.url.include_query_params(after=iso(page_end))
        following = f"{query.path}?{query.query}"
    span = {"vehicleId": vehicle.id, "from": iso(start), "to": iso(page_end), "now": iso(simulation.now())}
    return json_response(span | body | {"next": following})


async def get_truth(request: Request) -> Response:
    """GET /truth?from=&to=&vehicleId=: the same of all vehicles or those named, streamed as one JSON object a line"""
    simulation = get_simulation(request)
    start, end = requested_span(request, simulation)
    ids = request.query_params.getlist("vehicleId")
    unknown = [each for each in ids if simulation.vehicle(each) is None]
    if unknown:
        raise ControlError(404, f"unknown vehicles: {', '.join(unknown)}")
    vehicles = [each for each in simulation.fleet.vehicles.values() if not ids or each.id in ids]
    lines = _lines(vehicles, start=start, end=end, now=simulation.now())
    return StreamingResponse(lines, media_type="application/x-ndjson")


async def _lines(vehicles: list[Vehicle], *, start: float, end: float, now: float) -> AsyncIterator[bytes]:
    for vehicle in vehicles:
        for kind, _, entry in _entries(vehicle.truth(start=start, end=end, now=now)):
            yield orjson.dumps({"vehicleId": vehicle.id, "kind": _KINDS[kind], **entry}) + b"\n"
        await asyncio.sleep(0)  # Others are served between two vehicles.


def requested_span(request: Request, simulation: Simulation) -> tuple[float, float]:
    """Return the period of the query in epoch seconds: by default the last seven days, never beyond the present."""
    query, now = request.query_params, simulation.now()
    end = min(_time(query.get("to")) or now, now)
    start = _time(query.get("after")) or _time(query.get("from")) or end - _DEFAULT_SPAN
    if start > end:
        raise ControlError(400, "from must be before to, and before the present of the simulator")
    return start, end


def _time(text: str | None) -> float | None:
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        pass
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ControlError(400, f"{text} is neither epoch seconds nor an ISO 8601 time") from None
    if at.tzinfo is None:
        raise ControlError(400, f"{text} needs a time zone, for example Z")
    return at.timestamp()


def _days(request: Request) -> int:
    try:
        days = int(request.query_params.get("days", _PAGE_DAYS))
    except ValueError:
        days = 0
    if not 1 <= days <= 366:
        raise ControlError(400, "days must be a whole number from 1 to 366")
    return days


def _entries(found: Truth) -> Iterator[tuple[str, float, dict[str, Any]]]:
    """Yield each entry with the list that it belongs to and its start."""
    for trip in found.trips:
        yield "trips", trip.start, _trip(trip)
    for stop in found.stops:
        yield "stops", stop.start, _stop(stop)
    for session in found.charging_sessions:
        yield "chargingSessions", session.start, _session(session)


def _period(entry: Any) -> dict[str, Any]:
    return {"start": iso(entry.start), "end": None if entry.end is None else iso(entry.end)}


def _trip(trip: TrueTrip) -> dict[str, Any]:
    return _period(trip) | {
        "odometerStartKm": trip.odometer_start,
        "odometerEndKm": trip.odometer_end,
        "distanceKm": round(trip.kilometers, 3),
        "startPlace": _place(trip.start_place),
        "endPlace": _place(trip.end_place),
    }


def _stop(stop: TrueStop) -> dict[str, Any]:
    return _period(stop) | {"odometerKm": stop.odometer, "place": _place(stop.place)}


def _session(session: TrueChargingSession) -> dict[str, Any]:
    charges = [
        _period(each)
        | {
            "energyKwh": each.kwh,
            "startStateOfCharge": each.soc_start,
            "endStateOfCharge": each.soc_end,
            "isFast": each.fast,
        }
        for each in session.charges
    ]
    return _period(session) | {
        "energyKwh": round(session.kwh, 3),
        "startStateOfCharge": round(session.soc_start, 2),
        "endStateOfCharge": session.soc_end,
        "odometerKm": session.odometer,
        "place": _place(session.place),
        "charges": charges,
    }


def _place(place: TruePlace | None) -> dict[str, Any] | None:
    if place is None:
        return None
    return {
        "name": place.name,
        "address": place.address,
        "latitude": place.latitude,
        "longitude": place.longitude,
    }

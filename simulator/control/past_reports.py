"""The control API of past reports: what a vehicle reported before the application was connected to it."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from simulator.clock import millis
from simulator.control.requests import ControlError, requested_vehicle
from simulator.control.truth import requested_span
from simulator.vehicles.past_reports import PastReport, past_reports

_SPACING = 1800.0
_AT_ONCE = 100  # Reports between two turns of other requests.


async def get_reports(request: Request) -> Response:
    """GET /vehicles/{id}/reports?from=&to=&spacing=: its past reports, thinned out, as one JSON object a line"""
    simulation, vehicle = requested_vehicle(request)
    start, end = requested_span(request, simulation)
    reports = past_reports(
        vehicle, start=start, end=min(end, vehicle.last_report(simulation.now())), spacing=_spacing(request)
    )
    return StreamingResponse(_lines(reports), media_type="application/x-ndjson")


def _spacing(request: Request) -> float:
    try:
        spacing = float(request.query_params.get("spacing", _SPACING))
    except ValueError:
        spacing = 0.0
    if not spacing >= 1.0:
        raise ControlError(400, "spacing must be a number of seconds, 1 or more")
    return spacing


async def _lines(reports: Iterator[PastReport]) -> AsyncIterator[bytes]:
    lines: list[bytes] = []
    for report in reports:
        lines.append(orjson.dumps({"signals": _signals(report)}) + b"\n")
        if len(lines) == _AT_ONCE:
            yield b"".join(lines)
            lines = []
            await asyncio.sleep(0)  # Others are served meanwhile.
    yield b"".join(lines)


def _signals(report: PastReport) -> list[dict[str, object]]:
    """Return the signals as in a VEHICLE_STATE event."""
    at = millis(report.at)
    meta = {"oemUpdatedAt": at, "retrievedAt": at}
    return [{"code": code, "body": body, "meta": meta} for code, body in report.bodies.items()]

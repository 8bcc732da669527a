"""compatibility.api.smartcar.com, v3: compatible vehicle models, without credentials."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulator.compatibility import REGIONS, matrix_rows
from simulator.errors import ApiError
from simulator.hosts.common import v3_host
from simulator.hosts.v3_access import listing
from simulator.http_utils import json_response
from simulator.simulation import Simulation


async def compatible_vehicles(request: Request) -> Response:
    """GET /compatible-vehicles"""
    query = request.query_params
    region, make = query.get("filter[region]"), query.get("filter[make]")
    powertrain = query.get("filter[powertrainType]")
    if region not in (None, *REGIONS) or powertrain not in (None, "ICE", "BEV", "PHEV"):
        raise ApiError("VALIDATION", "INVALID_INPUT_FORMAT")
    rows = [
        row
        for each in REGIONS
        for row in matrix_rows(each)
        if region in (None, each) and make in (None, row.make) and powertrain in (None, row.powertrain)
    ]
    return json_response(listing(request, rows, lambda row: row.resource(), size=10))


def compatibility_host(simulation: Simulation) -> Starlette:
    """Return the routes of compatibility.api.smartcar.com."""
    return v3_host(simulation, [Route("/v3/compatible-vehicles", compatible_vehicles)])

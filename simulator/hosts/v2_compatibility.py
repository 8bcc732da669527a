"""v2 compatibility: by VIN, and by region and make."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from simulator.compatibility import ENDPOINTS, REGIONS, knows_manufacturer, matrix_rows
from simulator.errors import ApiError
from simulator.hosts.common import get_simulation
from simulator.hosts.tokens import same
from simulator.http_utils import basic, json_response
from simulator.permissions import PERMISSIONS
from simulator.simulation import Simulation, applicable_permissions


def _authorized(request: Request) -> Simulation:
    simulation = get_simulation(request)
    credentials = simulation.settings.credentials
    presented = basic(request)
    if (
        presented is None
        or not same(presented[0], credentials.application_id)
        or not same(presented[1], credentials.application_secret)
    ):
        raise ApiError("AUTHENTICATION")
    return simulation


def _scopes(request: Request) -> list[str]:
    scopes = request.query_params.get("scope", "").split()
    if any(each not in PERMISSIONS for each in scopes):
        raise ApiError("VALIDATION", "PARAMETER")
    return scopes


async def by_vin(request: Request) -> Response:
    """GET /compatibility?vin&scope&country"""
    simulation = _authorized(request)
    vin, scopes = request.query_params.get("vin", "").upper(), _scopes(request)
    if len(vin) != 17 or not scopes:
        raise ApiError("VALIDATION")
    reason = None
    vehicle = next((each for each in simulation.fleet.vehicles.values() if each.vin == vin), None)
    if request.query_params.get("country", "US").upper() != "US" or not (vehicle or knows_manufacturer(vin)):
        reason = "MAKE_NOT_COMPATIBLE"
    elif vehicle is None:
        reason = "VEHICLE_NOT_COMPATIBLE"
    capable = applicable_permissions(vehicle) if vehicle else set()
    capabilities: list[dict[str, Any]] = [
        {
            "capable": scope in capable,
            "endpoint": endpoint,
            "permission": scope,
            "reason": None if scope in capable else "VEHICLE_NOT_CAPABLE",
        }
        for scope in scopes
        for endpoint, (permission, _) in ENDPOINTS.items()
        if permission == scope
    ]
    compatible = reason is None
    body = {"compatible": compatible, "reason": reason, "capabilities": capabilities if compatible else []}
    return json_response(body)


async def matrix(request: Request) -> Response:
    """GET /compatibility/matrix?region&type&make&scope"""
    _authorized(request)
    query = request.query_params
    region, scopes = query.get("region", "").upper(), set(_scopes(request))
    if region not in REGIONS:
        raise ApiError("VALIDATION", "PARAMETER")
    makes = {each.upper().replace("-", "_") for each in query.get("make", "").split()}
    kinds = set(query.get("type", "").upper().split())
    result: dict[str, list[dict[str, Any]]] = {}
    for row in matrix_rows(region):
        if (makes and row.make not in makes) or (kinds and row.powertrain not in kinds):
            continue
        if not scopes <= set(row.permissions):
            continue
        result.setdefault(row.make, []).append(
            {
                "model": row.model,
                "startYear": row.years[0],
                "endYear": row.years[1],
                "type": row.powertrain,
                "endpoints": row.endpoints,
                "permissions": row.permissions,
            }
        )
    return json_response(result)

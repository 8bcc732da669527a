"""Tesla Business Fleet: connections that Smartcar makes by itself, without Connect and without a driver."""

import uuid
from typing import Any

from simulator.connections import Connection
from simulator.permissions import PERMISSIONS
from simulator.simulation import Simulation

MAKE = "TESLA"


def enroll(simulation: Simulation, body: dict[str, Any]) -> list[Connection]:
    """Connect Teslas of the body's ``vehicleIds``, or the first ``count`` that are not connected, for one new user.

    Which user these connections carry is not documented; here it is one for the business, without an external id.

    Raises:
        ValueError: The body is invalid.
    """
    ids = body.get("vehicleIds")
    if ids is None:
        ids = _unconnected(simulation)[: _count(body)]
    if not isinstance(ids, list) or not ids or any(not _is_tesla(simulation, each) for each in ids):
        raise ValueError("vehicleIds must be a list of ids of Teslas")
    user = simulation.connections.remember(
        user_id=str(uuid.uuid4()), email="business-fleet@example.com", error=None
    )
    mode = body.get("mode", "live")
    if mode not in ("live", "simulated"):
        raise ValueError("mode must be live or simulated")
    return simulation.grant(user=user, vehicle_ids=ids, permissions=tuple(PERMISSIONS), mode=mode)


def _unconnected(simulation: Simulation) -> list[str]:
    connected = {each.vehicle_id for each in simulation.connections.by_key.values()}
    return [
        each.id
        for each in simulation.fleet.vehicles.values()
        if each.make == MAKE and each.id not in connected
    ]


def _count(body: dict[str, Any]) -> int:
    count = body.get("count", 1)
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise ValueError("count must be a whole number, 1 or more")
    return count


def _is_tesla(simulation: Simulation, vehicle_id: object) -> bool:
    vehicle = simulation.vehicle(vehicle_id) if isinstance(vehicle_id, str) else None
    return vehicle is not None and vehicle.make == MAKE

"""Command execution: latency as of a real vehicle, the vehicle's own errors, and the delivery with the result."""

import asyncio
from typing import Any

from simulator.connections import Connection
from simulator.errors import ApiError
from simulator.simulation import Simulation
from simulator.vehicles import Change, CommandRejected, Vehicle
from simulator.vehicles.signal_changes import changed_codes

SHOWN_AFTER = 1.0


def latency(simulation: Simulation) -> float:
    """Return how many real seconds the next command takes."""
    low, high = simulation.settings.command_latency
    return simulation.latencies.uniform(low, high) + simulation.faults.slow_commands


def check_command_allowed(
    simulation: Simulation, connection: Connection, vehicle: Vehicle, permission: str
) -> None:
    """Check what is known before the vehicle receives the command.

    Raises:
        ApiError: The permission is missing, the account has an error, or the virtual key isn't paired.
    """
    if not simulation.permits(connection, permission):
        raise ApiError("PERMISSION", None)
    problem = simulation.account_error(user_id=connection.user_id, vehicle_id=vehicle.id)
    if problem:
        status = simulation.faults.forced_status(*problem)
        raise ApiError(*problem, status=status, url=simulation.reauthenticate_url(vehicle.id))
    if not simulation.key_paired(vehicle):
        raise ApiError("CONNECTED_SERVICES_ACCOUNT", "VIRTUAL_KEY_REQUIRED")


async def execute_command(
    simulation: Simulation, vehicle: Vehicle, command: str, *, wait: float, **parameters: Any
) -> str | None:
    """Wait, change the vehicle, and schedule the event that reports the change.

    Returns:
        The id of the charge schedule for schedule commands, otherwise None.

    Raises:
        ApiError: The vehicle rejects the command.
    """
    await asyncio.sleep(wait)
    now = simulation.now()
    before = vehicle.reported(now=now)
    try:
        outcome = vehicle.command(command, now=now, **parameters)
    except CommandRejected as rejection:
        raise ApiError(rejection.type, rejection.code) from rejection
    simulation.changed = True
    after = simulation.now()
    change = Change(vehicle.id, changed_codes(vehicle, before, vehicle.reported(now=after)), after)
    simulation.feed.record_changes_later(change, after=SHOWN_AFTER)
    return outcome

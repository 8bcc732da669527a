"""Carrying out a command: the wait a real car causes, the car's own refusal, and the delivery that shows it."""

import asyncio
import random
from typing import Any

from simulator.connections import Connection
from simulator.errors import ApiError
from simulator.simulation import Simulation
from simulator.vehicles import Change, CommandRefused, Vehicle
from simulator.vehicles.signal_changes import changed_codes

SHOWN_AFTER = 1.0


def latency(simulation: Simulation) -> float:
    """Real seconds the next command will take."""
    low, high = simulation.settings.command_latency
    return random.uniform(low, high) + simulation.faults.slow_commands  # noqa: S311


def check_command_allowed(
    simulation: Simulation, connection: Connection, vehicle: Vehicle, permission: str
) -> None:
    """Check what can be told before the car is asked. Raises ApiError."""
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
    """Wait, act on the car, and have the change told a moment later. Gives the id of a charge schedule, else None.

    Raises ApiError as the car refuses.
    """
    await asyncio.sleep(wait)
    now = simulation.now()
    before = vehicle.reported(now=now)
    try:
        outcome = vehicle.command(command, now=now, **parameters)
    except CommandRefused as refusal:
        raise ApiError(refusal.type, refusal.code) from refusal
    simulation.changed = True
    after = simulation.now()
    change = Change(vehicle.id, changed_codes(vehicle, before, vehicle.reported(now=after)), after)
    simulation.feed.record_changes_later(change, after=SHOWN_AFTER)
    return outcome

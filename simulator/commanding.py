"""Carrying out a command: the wait a real car causes, the car's own refusal, and the delivery that shows it."""

import asyncio
import random
from typing import Any

from simulator.cars import Car, Change, Refused
from simulator.cars.changes import changed_codes
from simulator.connections import Connection
from simulator.errors import ApiError
from simulator.world import World

SHOWN_AFTER = 1.0


def latency(world: World) -> float:
    """Real seconds the next command will take."""
    low, high = world.settings.command_latency
    return random.uniform(low, high) + world.troubles.slow_commands  # noqa: S311


def may_command(world: World, connection: Connection, car: Car, permission: str) -> None:
    """Check what can be told before the car is asked. Raises ApiError."""
    if not world.permits(connection, permission):
        raise ApiError("PERMISSION", None)
    problem = world.account_error(user_id=connection.user_id, vehicle_id=car.id)
    if problem:
        status = world.troubles.forced_status(*problem)
        raise ApiError(*problem, status=status, url=world.reauthenticate_url(car.id))
    if not world.key_paired(car):
        raise ApiError("CONNECTED_SERVICES_ACCOUNT", "VIRTUAL_KEY_REQUIRED")


async def carry_out(world: World, car: Car, command: str, *, wait: float, **parameters: Any) -> str | None:
    """Wait, act on the car, and have the change told a moment later. Gives the id of a charge schedule, else None.

    Raises ApiError as the car refuses.
    """
    await asyncio.sleep(wait)
    now = world.now()
    before = car.reported(now=now)
    try:
        outcome = car.command(command, now=now, **parameters)
    except Refused as refusal:
        raise ApiError(refusal.type, refusal.code) from refusal
    world.changed = True
    after = world.now()
    change = Change(car.id, changed_codes(car, before, car.reported(now=after)), after)
    world.feed.notice_later(change, after=SHOWN_AFTER)
    return outcome

"""How long bulk commands take, given the request budget and the vehicles' response times. No database access.

Smartcar's bucket regains a few requests per minute ("Operational Rate Limits"), and a vehicle needs some seconds.
"""

import math
from dataclasses import dataclass
from datetime import timedelta

from commands.types import EXPIRY, UNLOCKING, CommandType

# Requests in the bucket that are reserved for members' single commands.
RESERVE = 10


@dataclass(frozen=True, slots=True)
class Throughput:
    """What limits commands now.

    `available` is the number of requests in the bucket (None: no limit), `per_minute` how many the bucket regains,
    `concurrency` how many commands can be in progress at the same time, and `seconds` the duration of each.
    """

    available: int | None
    per_minute: float
    concurrency: int
    seconds: float

    @property
    def free(self) -> int | None:
        """How many bulk commands can be sent now without using the reserve for single commands."""
        return None if self.available is None else max(0, self.available - RESERVE)


def duration(*, vehicles: int, throughput: Throughput) -> timedelta:
    """Returns how long it takes until the last vehicle has responded."""
    if vehicles == 0:
        return timedelta(0)
    by_vehicles = math.ceil(vehicles / throughput.concurrency) * throughput.seconds
    beyond = 0 if throughput.free is None else max(0, vehicles - throughput.free)
    if beyond and throughput.per_minute <= 0:
        return timedelta.max
    by_budget = beyond / throughput.per_minute * 60 + throughput.seconds if beyond else 0.0
    return timedelta(seconds=max(by_vehicles, by_budget))


def max_vehicles(*, kind: CommandType, throughput: Throughput, longest: timedelta) -> int | None:
    """Returns for how many vehicles the command can be sent in time; None for any number.

    Unlocks must be sent within their own expiry; everything else within `longest`.
    """
    limit = EXPIRY[kind] if kind in UNLOCKING else longest
    rounds = math.floor(limit.total_seconds() / throughput.seconds)
    by_vehicles = rounds * throughput.concurrency
    if throughput.free is None:
        return by_vehicles
    regained = math.floor(limit.total_seconds() / 60 * throughput.per_minute)
    return min(by_vehicles, throughput.free + regained)

"""How long many commands take, honestly: as fast as the request budget and the cars let them. No database.

Smartcar's bucket regains a few requests a minute ("Operational Rate Limits"), and a car takes its seconds.
"""

import math
from dataclasses import dataclass
from datetime import timedelta

from commands.types import EXPIRY, UNLOCKING, CommandType

# Left in the bucket for the single commands of people.
RESERVE = 10


@dataclass(frozen=True, slots=True)
class Throughput:
    """What limits commands now: `room` requests in the bucket (None: no limit), `per_minute` regained, `at_once`
    commands under way together, each for `seconds`."""

    room: int | None
    per_minute: float
    at_once: int
    seconds: float

    @property
    def free(self) -> int | None:
        """How many bulk commands may go now without taking what is kept for single ones."""
        return None if self.room is None else max(0, self.room - RESERVE)


def duration(*, cars: int, pace: Throughput) -> timedelta:
    """How long it takes until the last of so many cars has answered."""
    if cars == 0:
        return timedelta(0)
    by_cars = math.ceil(cars / pace.at_once) * pace.seconds
    beyond = 0 if pace.free is None else max(0, cars - pace.free)
    if beyond and pace.per_minute <= 0:
        return timedelta.max
    by_budget = beyond / pace.per_minute * 60 + pace.seconds if beyond else 0.0
    return timedelta(seconds=max(by_cars, by_budget))


def max_vehicles(*, kind: CommandType, pace: Throughput, longest: timedelta) -> int | None:
    """How many cars may be asked at once so that the last is not too late; None for any number.

    What opens a car is sent within its own lifetime or not at all; everything else within `longest`.
    """
    limit = EXPIRY[kind] if kind in UNLOCKING else longest
    rounds = math.floor(limit.total_seconds() / pace.seconds)
    by_cars = rounds * pace.at_once
    if pace.free is None:
        return by_cars
    regained = math.floor(limit.total_seconds() / 60 * pace.per_minute)
    return min(by_cars, pace.free + regained)

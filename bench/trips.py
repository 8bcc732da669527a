"""trips: how long it takes to find the trips of a vehicle that reports each minute, also while it is parked."""

from __future__ import annotations

import random
import time

from bench.results import Figure, Result
from score.simulated import weeks
from score.thinning import thin, variant
from trips.detection import detect
from trips.readings import Reading

WEEKS = 2
YEAR = 100_000
"""Readings of a vehicle in a year, of which most are minutes apart."""


def run(*, quick: bool) -> Result:
    """Finds the trips of simulated weeks, in the order of the readings and in a random one."""
    readings = _readings(1 if quick else WEEKS)
    began = time.process_time()
    detection = detect(readings)
    seconds = time.process_time() - began
    shuffled = random.Random(1).sample(readings, len(readings))
    return Result(
        "trips",
        "Trips found in readings",
        (
            Figure("readings", len(readings)),
            Figure("trips", len(detection.trips)),
            Figure.under(f"time for {YEAR:,} readings", seconds / len(readings) * YEAR, "s", target=2),
            Figure.exactly("same trips in any order", float(detect(shuffled) == detection), "", target=1),
        ),
        notes=(
            "Processor time in one process, of a simulated vehicle that reports each minute of every day.",
        ),
    )


def _readings(count: int) -> list[Reading]:
    found: list[Reading] = []
    for week in weeks(vehicles=1, count=count):
        found += thin(week, variant("by_clock", 1), "1")
    return found

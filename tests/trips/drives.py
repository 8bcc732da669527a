"""Made-up days of a vehicle, as readings, with the trips that really happened."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from score.weeks import Moment, TrueTrip, Week
from trips.readings import Reading

DAY = 1_780_000_000.0
"""When the days begin, in epoch seconds."""


@dataclass(frozen=True, slots=True)
class Leg:
    """A drive: minutes after the day began, and kilometers per hour."""

    start: float
    end: float
    kmh: float = 40.0

    def km_at(self, minute: float) -> float:
        """How far it has come by then."""
        return self.kmh * max(0.0, min(minute, self.end) - self.start) / 60


@dataclass(frozen=True, slots=True)
class Report:
    """How a vehicle reports: every so many minutes, for so many minutes after it was driven, then not at all."""

    minutes: float = 5.0
    awake_for: float = 10.0
    location: bool = True
    whole_km: bool = False
    lock: bool = True
    first_km: float = 1000.25


def km_at(legs: Sequence[Leg], minute: float, report: Report) -> float:
    """Returns what the odometer shows."""
    km = report.first_km + sum(leg.km_at(minute) for leg in legs)
    return float(math.floor(km)) if report.whole_km else round(km, 3)


def place_at(legs: Sequence[Leg], minute: float) -> tuple[float, float]:
    """Returns where the vehicle is: it always drives north."""
    return 48.0 + sum(leg.km_at(minute) for leg in legs) / 111.2, 11.0


def readings(legs: Sequence[Leg], report: Report, *, last: float = 1440.0) -> list[Reading]:
    """Returns the readings of a day. A parked vehicle is silent once its values are reported."""
    return list(_readings(legs, report, last))


def _readings(legs: Sequence[Leg], report: Report, last: float) -> Iterator[Reading]:
    minute, sent = 1.0, None
    while minute <= last:
        measured = _measured(legs, minute, report)
        driving = any(leg.start <= measured <= leg.end for leg in legs)
        values = (km_at(legs, measured, report), place_at(legs, measured), report.lock and not driving)
        if values != sent:
            latitude, longitude = place_at(legs, measured) if report.location else (None, None)
            yield Reading(
                observed=DAY + 60 * measured,
                received=DAY + 60 * minute,
                odometer_km=values[0],
                latitude=latitude,
                longitude=longitude,
                locked=values[2] if report.lock else None,
            )
        sent = values
        minute += report.minutes


def _measured(legs: Sequence[Leg], minute: float, report: Report) -> float:
    """Returns when the vehicle last measured before a delivery."""
    seen = minute - 0.25
    awake = [(0.0, report.awake_for), *((leg.start, leg.end + report.awake_for) for leg in legs)]
    return max(min(seen, end) for start, end in awake if start <= seen)


def week(name: str, seed: int, days: int = 5) -> Week:
    """Returns random days with known truth: several trips a day in changing traffic, short and long stops."""
    chance = random.Random(seed)
    moments: list[Moment] = []
    trips: list[TrueTrip] = []
    km, latitude = 20_000.0 + 10 * seed, 48.0
    for day in range(days):
        clock = DAY + day * 86_400
        minute = chance.uniform(360, 480)
        legs = []
        for _ in range(chance.randint(2, 5)):
            duration = chance.choice([8, 12, 18, 25, 40]) * chance.uniform(0.8, 1.2)
            legs.append(Leg(minute, minute + duration, chance.choice([22, 28, 35, 60])))
            minute += duration + chance.choice([4, 9, 25, 60, 150]) * chance.uniform(0.8, 1.2)
        start_km = km
        for second in range(0, 86_400, 20):
            at = second / 60
            driven = sum(leg.km_at(at) for leg in legs)
            driving = any(leg.start <= at <= leg.end for leg in legs)
            if driving or second % 60 == 0:
                latitude = 48.0 + (start_km - 20_000 + driven) / 111.2
                speed = next((leg.kmh for leg in legs if leg.start <= at <= leg.end), 0.0)
                moments.append(
                    Moment(
                        int(clock) + second,
                        round(start_km + driven, 3),
                        latitude,
                        11.0,
                        speed,
                        50.0,
                        False,
                        False,
                        not driving,
                        None,
                    )
                )
        for leg in legs:
            trips.append(TrueTrip(clock + 60 * leg.start, clock + 60 * leg.end, leg.km_at(leg.end), km))
            km += leg.km_at(leg.end)
    return Week(name, tuple(moments), tuple(trips))

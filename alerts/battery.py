"""Low batteries and tanks, judged by what cars say.

A car is low below its fleet's threshold, by its state of charge, or by its fuel level where it tells none. It needs
nobody while it is being charged. Once noticed it counts as low until it is well above the threshold, so that a car
that hovers about it is noticed once.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from alerts import services
from alerts.models import LOW_BATTERY
from alerts.types import Condition, Kind
from vehicles import catalogue
from vehicles.services import Update

SLACK = 5.0
# A car that was to be charging and was not heard of for so long may stand there unplugged.
CHARGING_COUNTS = timedelta(hours=2)
_TELLING = frozenset(
    signal.code for signal in (catalogue.STATE_OF_CHARGE, catalogue.FUEL_LEVEL, catalogue.IS_CHARGING)
)
# Runs for every batch of deliveries, so it is spelled out: Django would take longer to write it than PostgreSQL to
# answer it. Most cars are neither low nor noticed.
_LOW_OR_NOTICED = f"""
    SELECT car.id, car.fleet_id, coalesce(summary.charge, summary.fuel), summary.charge IS NULL,
           coalesce(rules.low_battery, {LOW_BATTERY}),
           coalesce(summary.charging AND car.last_seen_at > %(charging_since)s, false),
           notice.id IS NOT NULL
    FROM vehicles_summary AS summary
    JOIN vehicles_vehicle AS car ON car.id = summary.vehicle_id
    LEFT JOIN alerts_fleetrules AS rules ON rules.fleet_id = car.fleet_id
    LEFT JOIN alerts_notice AS notice ON notice.kind = '{Kind.BATTERY.value}' AND notice.subject = car.id
        AND notice.fleet_id = car.fleet_id AND notice.ended_at IS NULL
    WHERE (notice.id IS NOT NULL OR (
        coalesce(summary.charge, summary.fuel) < coalesce(rules.low_battery, {LOW_BATTERY})
        AND coalesce('{Kind.BATTERY.value}' = ANY(rules.kinds), true)
    ))
"""  # noqa: S608  made of constants
_OF_THESE = " AND summary.vehicle_id = ANY(%(ids)s) AND car.id = ANY(%(ids)s)"


@dataclass(frozen=True, slots=True)
class _Car:
    """A car that is low, or has been. Levels in per cent; `fuel`: the level is that of its tank."""

    vehicle_id: int
    fleet_id: int
    level: float | None
    fuel: bool
    threshold: int
    charging: bool
    noticed: bool

    def begins(self) -> bool:
        low = self.level is not None and self.level < self.threshold
        return low and not self.noticed and not self.charging

    def ends(self, *, slack: float) -> bool:
        enough = min(self.threshold + slack, 100.0)
        return self.noticed and (self.level is None or self.level >= enough)


def heard(*, updates: Iterable[Update], now: datetime) -> None:
    """Takes in what is new of cars, whose rows the caller holds. One query while nothing comes of it."""
    judge(vehicle_ids={update.vehicle_id for update in updates if update.code in _TELLING}, now=now)


def judge(*, vehicle_ids: Collection[int], now: datetime, slack: float = SLACK) -> None:
    """Begins and ends notices of these cars by their latest signals."""
    if not vehicle_ids:
        return
    cars = _cars(vehicle_ids, now=now)
    services.begin(conditions=[_condition(car) for car in cars if car.begins()], now=now)
    services.end(
        kind=Kind.BATTERY, subjects=[car.vehicle_id for car in cars if car.ends(slack=slack)], now=now
    )


def overlooked(*, now: datetime) -> list[int]:
    """The cars of which a notice should have begun or ended, by what their latest signals say."""
    cars = _cars(None, now=now)
    return [car.vehicle_id for car in cars if car.begins() or car.ends(slack=SLACK)]


def _cars(vehicle_ids: Collection[int] | None, *, now: datetime) -> list[_Car]:
    """Those of the cars (None: of all) that are low, or have an open notice."""
    statement = _LOW_OR_NOTICED if vehicle_ids is None else _LOW_OR_NOTICED + _OF_THESE
    given: dict[str, Any] = {"charging_since": now - CHARGING_COUNTS, "ids": list(vehicle_ids or ())}
    with connection.cursor() as cursor:
        cursor.execute(statement, given)
        return [_Car(*row) for row in cursor.fetchall()]


def _condition(car: _Car) -> Condition:
    facts = {"level": round(car.level or 0.0, 1), "threshold": car.threshold, "fuel": car.fuel}
    return Condition(Kind.BATTERY, car.fleet_id, car.vehicle_id, subject=car.vehicle_id, facts=facts)

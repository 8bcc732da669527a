"""Low batteries and tanks, judged by what cars say.

A car is low below its fleet's threshold, by its state of charge, or by its fuel level where it tells none. It needs
nobody while it is being charged. Once noticed it counts as low until it is well above the threshold, so that a car
that hovers about it is noticed once.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Coalesce

from alerts import services
from alerts.kinds import Condition, Kind
from alerts.models import LOW_BATTERY, FleetRules, Notice
from vehicles import catalogue
from vehicles.models import Summary
from vehicles.services import Update

SLACK = 5.0
# A car that was to be charging and was not heard of for so long may stand there unplugged.
CHARGING_COUNTS = timedelta(hours=2)
_TELLING = frozenset(
    signal.code for signal in (catalogue.STATE_OF_CHARGE, catalogue.FUEL_LEVEL, catalogue.IS_CHARGING)
)


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
    cars = _cars(Summary.objects.filter(vehicle_id__in=list(vehicle_ids)), now=now)
    services.begin(conditions=[_condition(car) for car in cars if car.begins()], now=now)
    services.end(
        kind=Kind.BATTERY, subjects=[car.vehicle_id for car in cars if car.ends(slack=slack)], now=now
    )


def overlooked(*, now: datetime) -> list[int]:
    """The cars of which a notice should have begun or ended, by what their latest signals say."""
    cars = _cars(Summary.objects.all(), now=now)
    return [car.vehicle_id for car in cars if car.begins() or car.ends(slack=SLACK)]


def _cars(summaries: QuerySet[Summary], *, now: datetime) -> list[_Car]:
    """Those of the cars that are low, or have an open notice: most are neither."""
    noticed = Notice.objects.filter(kind=Kind.BATTERY, subject=OuterRef("vehicle_id"), ended_at=None)
    unwatched = FleetRules.objects.filter(fleet=OuterRef("vehicle__fleet_id")).exclude(
        kinds__contains=[Kind.BATTERY]
    )
    found = (
        summaries.alias(unwatched=Exists(unwatched))
        .annotate(
            noticed=Exists(noticed),
            level=Coalesce("charge", "fuel"),
            threshold=Coalesce("vehicle__fleet__notice_rules__low_battery", Value(LOW_BATTERY)),
        )
        .filter(Q(noticed=True) | Q(level__lt=F("threshold"), unwatched=False))
    )
    return [
        _Car(
            vehicle_id=vehicle_id,
            fleet_id=fleet_id,
            level=level,
            fuel=charge is None,
            threshold=threshold,
            charging=bool(charging) and seen_at is not None and seen_at > now - CHARGING_COUNTS,
            noticed=noticed,
        )
        for vehicle_id, fleet_id, seen_at, charge, charging, level, threshold, noticed in found.values_list(
            "vehicle_id",
            "vehicle__fleet_id",
            "vehicle__last_seen_at",
            "charge",
            "charging",
            "level",
            "threshold",
            "noticed",
        )
    ]


def _condition(car: _Car) -> Condition:
    facts = {"level": round(car.level or 0.0, 1), "threshold": car.threshold, "fuel": car.fuel}
    return Condition(Kind.BATTERY, car.fleet_id, car.vehicle_id, subject=car.vehicle_id, facts=facts)

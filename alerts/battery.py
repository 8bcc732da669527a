"""Alerts about low batteries and tanks, by the latest signals of vehicles.

A vehicle is low below its fleet's threshold, by what it drives on (vehicles.energy): its state of charge or its fuel
level. A vehicle that is charging raises no alert, as long as this state is current (vehicles.current_state). An open
alert is resolved well above the threshold only (HYSTERESIS), so that a vehicle near the threshold raises one alert.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from alerts import services
from alerts.models import LOW_BATTERY
from alerts.types import AlertCondition, AlertType
from vehicles import catalogue
from vehicles.current_state import current_sql
from vehicles.energy import drives_on_fuel_sql, level_sql
from vehicles.services import Update

HYSTERESIS = 5.0  # percentage points
_SIGNALS = frozenset(
    signal.code
    for signal in (
        catalogue.STATE_OF_CHARGE,
        catalogue.FUEL_LEVEL,
        catalogue.FUEL_REMAINING,
        catalogue.IS_CHARGING,
    )
)
_CHARGING_NOW = current_sql(catalogue.IS_CHARGING, at="summary.charging_at", failed="summary.charging_failed")
_ON_FUEL = drives_on_fuel_sql(vehicle="vehicle", snapshot="summary")
_LEVEL = level_sql(vehicle="vehicle", snapshot="summary")
# Runs for each batch of deliveries, so it is raw SQL: Django would take longer to build the query than PostgreSQL to
# run it. Most vehicles are neither low nor have an open alert.
_LOW_OR_ALERTED = f"""
    SELECT vehicle.id, vehicle.fleet_id, {_LEVEL}, {_ON_FUEL},
           coalesce(rules.low_battery, {LOW_BATTERY}),
           coalesce(summary.charging AND {_CHARGING_NOW}, false),
           alert.id IS NOT NULL
    FROM vehicles_summary AS summary
    JOIN vehicles_vehicle AS vehicle ON vehicle.id = summary.vehicle_id
    LEFT JOIN alerts_fleetrules AS rules ON rules.fleet_id = vehicle.fleet_id
    LEFT JOIN alerts_notice AS alert ON alert.kind = '{AlertType.BATTERY.value}' AND alert.subject = vehicle.id
        AND alert.fleet_id = vehicle.fleet_id AND alert.ended_at IS NULL
    WHERE (alert.id IS NOT NULL OR (
        {_LEVEL} < coalesce(rules.low_battery, {LOW_BATTERY})
        AND coalesce('{AlertType.BATTERY.value}' = ANY(rules.kinds), true)
    ))
"""  # noqa: S608  made of constants
_SELECTED = " AND summary.vehicle_id = ANY(%(ids)s) AND vehicle.id = ANY(%(ids)s)"


@dataclass(frozen=True, slots=True)
class _Vehicle:
    """A vehicle that is low or has an open alert. Levels in percent; `fuel`: the level is that of the tank."""

    vehicle_id: int
    fleet_id: int
    level: float | None
    fuel: bool
    threshold: int
    charging: bool
    alerted: bool

    def should_raise(self) -> bool:
        low = self.level is not None and self.level < self.threshold
        return low and not self.alerted and not self.charging

    def should_resolve(self, *, hysteresis: float) -> bool:
        enough = min(self.threshold + hysteresis, 100.0)
        return self.alerted and (self.level is None or self.level >= enough)


def on_signals(*, updates: Iterable[Update], now: datetime) -> None:
    """Evaluates vehicles whose signals changed; the caller has locked their rows. One query if nothing changes."""
    evaluate(vehicle_ids={update.vehicle_id for update in updates if update.code in _SIGNALS}, now=now)


def evaluate(*, vehicle_ids: Collection[int], now: datetime, hysteresis: float = HYSTERESIS) -> None:
    """Raises and resolves alerts of these vehicles by their latest signals."""
    if not vehicle_ids:
        return
    found = _vehicles(vehicle_ids, now=now)
    services.raise_alerts(conditions=[_condition(each) for each in found if each.should_raise()], now=now)
    resolved = [each.vehicle_id for each in found if each.should_resolve(hysteresis=hysteresis)]
    services.resolve(kind=AlertType.BATTERY, subject_ids=resolved, now=now)


def find_missed(*, now: datetime) -> list[int]:
    """Vehicles whose latest signals should have raised or resolved an alert."""
    found = _vehicles(None, now=now)
    missed = [each for each in found if each.should_raise() or each.should_resolve(hysteresis=HYSTERESIS)]
    return [each.vehicle_id for each in missed]


def _vehicles(vehicle_ids: Collection[int] | None, *, now: datetime) -> list[_Vehicle]:
    """The vehicles among these (None: all) that are low or have an open alert."""
    statement = _LOW_OR_ALERTED if vehicle_ids is None else _LOW_OR_ALERTED + _SELECTED
    params: dict[str, Any] = {"now": now, "ids": list(vehicle_ids or ())}
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return [_Vehicle(*row) for row in cursor.fetchall()]


def _condition(vehicle: _Vehicle) -> AlertCondition:
    level = round(vehicle.level or 0.0, 1)
    return AlertCondition(
        AlertType.BATTERY,
        vehicle.fleet_id,
        vehicle.vehicle_id,
        subject_id=vehicle.vehicle_id,
        payload={"level": level, "threshold": vehicle.threshold, "fuel": vehicle.fuel},
    )

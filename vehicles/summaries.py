"""Updates each vehicle's `VehicleSnapshot` from its latest signals.

All code that changes latest signals calls `refresh_snapshots` in the same transaction: vehicles.services and
vehicles.erasure.
"""

from collections.abc import Iterable
from typing import NamedTuple

from django.db import connection

from vehicles import catalogue
from vehicles.catalogue import Signal
from vehicles.models import Vehicle
from vehicles.observations import SignalStatus


class _Column(NamedTuple):
    """A column of the snapshot: SQL that picks it from the rows of the vehicle's signals, each code at most once."""

    name: str
    signal: Signal
    picked: str


def _value(name: str, signal: Signal, field: str = "value", sql_type: str = "float8") -> _Column:
    pick = "bool_or" if sql_type == "boolean" else "max"
    return _Column(
        name, signal, f"{pick}((body->>'{field}')::{sql_type}) FILTER (WHERE {_with_value(signal)})"
    )


def _time(name: str, signal: Signal) -> _Column:
    return _Column(name, signal, f"max(observed_at) FILTER (WHERE {_with_value(signal)})")


def _failed(name: str, signal: Signal) -> _Column:
    failed = f"status <> '{SignalStatus.SUCCESS.value}'"
    return _Column(name, signal, f"coalesce(bool_or({failed}) FILTER (WHERE {_with_value(signal)}), false)")


def _with_value(signal: Signal) -> str:
    return f"code = '{signal.code}' AND body IS NOT NULL"


_COLUMNS = (
    _value("charge", catalogue.STATE_OF_CHARGE),
    _time("charge_at", catalogue.STATE_OF_CHARGE),
    _value("range_km", catalogue.RANGE),
    _value("charging", catalogue.IS_CHARGING, sql_type="boolean"),
    _time("charging_at", catalogue.IS_CHARGING),
    _failed("charging_failed", catalogue.IS_CHARGING),
    _value("fuel", catalogue.FUEL_LEVEL),
    _time("fuel_at", catalogue.FUEL_LEVEL),
    _value("fuel_liters", catalogue.FUEL_REMAINING),
    _time("fuel_liters_at", catalogue.FUEL_REMAINING),
    _value("fuel_range_km", catalogue.FUEL_RANGE),
    _value("locked", catalogue.IS_LOCKED, sql_type="boolean"),
    _time("locked_at", catalogue.IS_LOCKED),
    _failed("locked_failed", catalogue.IS_LOCKED),
    _value("latitude", catalogue.PRECISE_LOCATION, "latitude"),
    _value("longitude", catalogue.PRECISE_LOCATION, "longitude"),
    _value("heading", catalogue.PRECISE_LOCATION, "heading"),
    _time("place_at", catalogue.PRECISE_LOCATION),
    _value("speed", catalogue.SPEED),
    _time("speed_at", catalogue.SPEED),
    _failed("speed_failed", catalogue.SPEED),
    _value("odometer_km", catalogue.ODOMETER),
    _time("odometer_at", catalogue.ODOMETER),
)
CODES = frozenset(column.signal.code for column in _COLUMNS)
"""The signals in a snapshot."""


def _pick_sql(column: _Column) -> str:
    """Returns SQL for the column's value. The level of a tank of known capacity follows from its liters if need be."""
    if column.name == "fuel":
        liters = _value("fuel_liters", catalogue.FUEL_REMAINING).picked
        level = f"100 * {liters} / vehicle.tank_liters"
        # `least` ignores nulls.
        return f"coalesce({column.picked}, CASE WHEN {level} IS NOT NULL THEN least(100, {level}) END)"
    if column.name == "fuel_at":
        liters_at = _time("fuel_liters_at", catalogue.FUEL_REMAINING).picked
        return f"coalesce({column.picked}, CASE WHEN vehicle.tank_liters IS NOT NULL THEN {liters_at} END)"
    return column.picked


_NAMES = ", ".join(column.name for column in _COLUMNS)
_LOCKED, _LOCKED_AT = (
    next(column.picked for column in _COLUMNS if column.name == name) for name in ("locked", "locked_at")
)
_STORE = f"""
    INSERT INTO vehicles_summary (vehicle_id, {_NAMES}, unlocked_since)
    SELECT vehicle.id, {", ".join(_pick_sql(column) for column in _COLUMNS)},
           CASE WHEN {_LOCKED} IS FALSE THEN {_LOCKED_AT} END
    FROM vehicles_vehicle AS vehicle
    LEFT JOIN vehicles_latestsignal AS signal ON signal.vehicle_id = vehicle.id AND signal.code = ANY(%s)
    WHERE vehicle.id = ANY(%s)
    GROUP BY vehicle.id
    ON CONFLICT (vehicle_id) DO UPDATE SET {", ".join(f"{c.name} = excluded.{c.name}" for c in _COLUMNS)},
        unlocked_since = CASE WHEN excluded.locked IS FALSE THEN
            coalesce(vehicles_summary.unlocked_since, excluded.unlocked_since) END
"""  # noqa: S608  built from the names above


def refresh_snapshots(*, vehicle_ids: Iterable[int], held: bool = False) -> None:
    """Recomputes these vehicles' snapshots from their latest signals. Runs inside a transaction.

    Locks the vehicles' rows first, unless the caller holds the locks (`held`). Without locks, a concurrent transaction
    could store outdated values.
    """
    ids = sorted(set(vehicle_ids))
    if not ids:
        return
    if not held:
        vehicles = Vehicle.objects.filter(pk__in=ids).order_by("pk")
        list(vehicles.select_for_update(no_key=True).values_list("pk"))
    with connection.cursor() as cursor:
        cursor.execute(_STORE, [sorted(CODES), ids])

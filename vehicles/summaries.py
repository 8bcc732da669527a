"""Keeps each car's `Summary` equal to its latest signals. Whoever changes latest signals says so here, in the same
transaction: recording (vehicles.services) and forgetting (vehicles.erasure)."""

from collections.abc import Iterable
from typing import NamedTuple

from django.db import connection

from vehicles import catalogue
from vehicles.catalogue import Signal
from vehicles.models import Vehicle


class _Column(NamedTuple):
    """A column of the summary, and where in the signal's body its value stands; a body of None is the value's time."""

    name: str
    signal: Signal
    field: str | None
    sql_type: str


def _value(name: str, signal: Signal, field: str = "value", sql_type: str = "float8") -> _Column:
    return _Column(name, signal, field, sql_type)


def _time(name: str, signal: Signal) -> _Column:
    return _Column(name, signal, None, "timestamptz")


_COLUMNS = (
    _value("charge", catalogue.STATE_OF_CHARGE),
    _time("charge_at", catalogue.STATE_OF_CHARGE),
    _value("range_km", catalogue.RANGE),
    _value("charging", catalogue.IS_CHARGING, sql_type="boolean"),
    _time("charging_at", catalogue.IS_CHARGING),
    _value("fuel", catalogue.FUEL_LEVEL),
    _time("fuel_at", catalogue.FUEL_LEVEL),
    _value("fuel_range_km", catalogue.FUEL_RANGE),
    _value("locked", catalogue.IS_LOCKED, sql_type="boolean"),
    _time("locked_at", catalogue.IS_LOCKED),
    _value("latitude", catalogue.PRECISE_LOCATION, "latitude"),
    _value("longitude", catalogue.PRECISE_LOCATION, "longitude"),
    _value("heading", catalogue.PRECISE_LOCATION, "heading"),
    _time("place_at", catalogue.PRECISE_LOCATION),
    _value("speed", catalogue.SPEED),
    _time("speed_at", catalogue.SPEED),
    _value("odometer_km", catalogue.ODOMETER),
    _time("odometer_at", catalogue.ODOMETER),
)
CODES = frozenset(column.signal.code for column in _COLUMNS)
"""The signals that a summary is made of."""


def _picked(column: _Column) -> str:
    """The column's value among the car's signals: each code stands there once at most."""
    source = "observed_at" if column.field is None else f"(body->>'{column.field}')::{column.sql_type}"
    pick = "bool_or" if column.sql_type == "boolean" else "max"
    return f"{pick}({source}) FILTER (WHERE code = '{column.signal.code}' AND body IS NOT NULL)"


_NAMES = ", ".join(column.name for column in _COLUMNS)
_STORE = f"""
    INSERT INTO vehicles_summary (vehicle_id, {_NAMES})
    SELECT car.id, {", ".join(_picked(column) for column in _COLUMNS)}
    FROM vehicles_vehicle AS car
    LEFT JOIN vehicles_latestsignal AS signal ON signal.vehicle_id = car.id AND signal.code = ANY(%s)
    WHERE car.id = ANY(%s)
    GROUP BY car.id
    ON CONFLICT (vehicle_id) DO UPDATE SET {", ".join(f"{c.name} = excluded.{c.name}" for c in _COLUMNS)}
"""  # noqa: S608  made of the names above


def refresh_snapshots(*, vehicle_ids: Iterable[int], held: bool = False) -> None:
    """Makes these cars' summaries anew from their latest signals. Runs inside a transaction.

    Takes hold of the cars' rows first, unless the caller has: who reads before another's signals are in, and writes
    after, would write what is old.
    """
    ids = sorted(set(vehicle_ids))
    if not ids:
        return
    if not held:
        cars = Vehicle.objects.filter(pk__in=ids).order_by("pk")
        list(cars.select_for_update(no_key=True).values_list("pk"))
    with connection.cursor() as cursor:
        cursor.execute(_STORE, [sorted(CODES), ids])

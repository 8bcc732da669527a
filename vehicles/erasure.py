"""Erases data that a driver hides, and the data of a vehicle that leaves its fleet."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from django.db import connection, transaction

from vehicles import summaries
from vehicles.catalogue import CATALOGUE
from vehicles.models import LatestSignal, Vehicle

# The signals that reveal a vehicle's location.
PLACE_CODES = frozenset(code for code, signal in CATALOGUE.items() if signal.permission == "read_location")


class History(StrEnum):
    """The tables of history."""

    READINGS = "vehicles_reading"
    HOURS = "vehicles_hourrollup"
    DAYS = "vehicles_dayrollup"
    DUE_HOURS = "vehicles_duehour"
    DUE_DAYS = "vehicles_dueday"


# The time column, and how much later a row's period may end. A rollup is deleted if any part of it is in the period.
_SPANS = {
    History.READINGS: ("observed_at", "0 hours"),
    History.HOURS: ("start", "1 hour"),
    History.DUE_HOURS: ("start", "1 hour"),
    History.DAYS: ("start", "25 hours"),
    History.DUE_DAYS: ("start", "25 hours"),
}
# Rows are selected by their whole key and not by ctid, since the tables are partitioned.
_DELETE = """
    DELETE FROM {table} WHERE (vehicle_id, signal_id, {time}) IN (
        SELECT vehicle_id, signal_id, {time} FROM {table}
        WHERE vehicle_id = %(vehicle)s AND {time} <= %(until)s
          AND (%(since)s::timestamptz IS NULL OR {time} + interval '{span}' >= %(since)s)
          AND (%(codes)s::text[] IS NULL
               OR signal_id IN (SELECT id FROM vehicles_signalcode WHERE code = ANY(%(codes)s)))
        LIMIT %(limit)s)
"""


def erase_latest_locations(*, vehicle_ids: Iterable[int]) -> int:
    """Deletes the latest location of these vehicles, but not their history. Returns the number of rows."""
    ids = list(vehicle_ids)
    with transaction.atomic():
        count = LatestSignal.objects.filter(vehicle_id__in=ids, code__in=PLACE_CODES).delete()[0]
        if count:
            summaries.refresh_snapshots(vehicle_ids=ids)
    return count


def erase_history(
    *,
    table: History,
    vehicle_id: int,
    since: datetime | None,
    until: datetime,
    places_only: bool,
    limit: int,
) -> int:
    """Deletes at most `limit` of the vehicle's rows between two times and returns how many. `since` may be None."""
    time, span = _SPANS[table]
    codes = sorted(PLACE_CODES) if places_only else None
    parameters = {"vehicle": vehicle_id, "since": since, "until": until, "codes": codes, "limit": limit}
    with connection.cursor() as cursor:
        cursor.execute(_DELETE.format(table=table.value, time=time, span=span), parameters)
        return int(cursor.rowcount)


def erase_latest(
    *, vehicle_id: int, since: datetime | None, until: datetime, places_only: bool, limit: int
) -> int:
    """Deletes at most `limit` of the vehicle's latest signals that were reported in the period. Returns how many."""
    rows = LatestSignal.objects.filter(vehicle_id=vehicle_id, reported_at__lte=until)
    if since is not None:
        rows = rows.filter(reported_at__gte=since)
    if places_only:
        rows = rows.filter(code__in=PLACE_CODES)
    codes = list(rows.values_list("code", flat=True)[:limit])
    with transaction.atomic():
        count = LatestSignal.objects.filter(vehicle_id=vehicle_id, code__in=codes).delete()[0]
        summaries.refresh_snapshots(vehicle_ids=[vehicle_id])
    return count


def erase_identity(*, vehicle_id: int) -> int:
    """Blanks what identifies the vehicle or its driver: VIN, name, plate, driver, group. Make, model and year remain.

    Returns 1 if anything was changed, else 0.
    """
    blank = {"vin": "", "name": "", "plate": "", "driver": "", "group": ""}
    return Vehicle.objects.filter(pk=vehicle_id).exclude(**blank).update(**blank)

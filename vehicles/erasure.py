"""Erases data that a driver hides, and the data of a vehicle that leaves its fleet."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from django.db import connection, transaction
from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast

from vehicles import summaries
from vehicles.location_privacy import PLACE_CODES, PLACE_PATTERN, PLACE_PREFIX, without_location
from vehicles.models import LatestSignal, Vehicle


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
          AND (NOT %(places_only)s OR {places})
        LIMIT %(limit)s)
"""
_IS_PLACE = """
    signal_id IN (SELECT id FROM vehicles_signalcode WHERE code = ANY(%(codes)s) OR starts_with(code, %(prefix)s))
"""
# Only readings have bodies, which can contain a location under another signal.
_PLACES = {History.READINGS: f"({_IS_PLACE} OR rest::text ~* %(keys)s)"}


def erase_latest_locations(*, vehicle_ids: Iterable[int]) -> int:
    """Deletes the latest locations of these vehicles, but not their history. Returns the number of rows.

    Other signals whose bodies contain a location lose only the location.
    """
    ids = list(vehicle_ids)
    with transaction.atomic():
        rows = list(_with_locations(LatestSignal.objects.filter(vehicle_id__in=ids)))
        for row in rows:
            body = without_location(row.code, row.body)
            same = LatestSignal.objects.filter(vehicle_id=row.vehicle_id, code=row.code)
            if body is None:
                same.delete()
            else:
                same.update(body=body)
        if rows:
            summaries.refresh_snapshots(vehicle_ids=ids)
    return len(rows)


def _with_locations(rows: QuerySet[LatestSignal]) -> QuerySet[LatestSignal]:
    is_place = Q(code__in=PLACE_CODES) | Q(code__startswith=PLACE_PREFIX)
    with_text = rows.alias(text=Cast("body", TextField()))
    return with_text.filter(is_place | Q(text__iregex=PLACE_PATTERN))


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
    places = _PLACES.get(table, _IS_PLACE)
    parameters = {
        "vehicle": vehicle_id,
        "since": since,
        "until": until,
        "places_only": places_only,
        "codes": sorted(PLACE_CODES),
        "prefix": PLACE_PREFIX,
        "keys": PLACE_PATTERN,
        "limit": limit,
    }
    with connection.cursor() as cursor:
        cursor.execute(_DELETE.format(table=table.value, time=time, span=span, places=places), parameters)
        return int(cursor.rowcount)


def erase_latest(
    *, vehicle_id: int, since: datetime | None, until: datetime, places_only: bool, limit: int
) -> int:
    """Deletes at most `limit` of the vehicle's latest signals that were reported in the period. Returns how many."""
    rows = LatestSignal.objects.filter(vehicle_id=vehicle_id, reported_at__lte=until)
    if since is not None:
        rows = rows.filter(reported_at__gte=since)
    if places_only:
        rows = _with_locations(rows)
    codes = list(rows.values_list("code", flat=True)[:limit])
    with transaction.atomic():
        count = LatestSignal.objects.filter(vehicle_id=vehicle_id, code__in=codes).delete()[0]
        summaries.refresh_snapshots(vehicle_ids=[vehicle_id])
    return count


def erase_identity(*, vehicle_id: int) -> int:
    """Blanks what identifies the vehicle or its driver: VIN, name, plate, driver, group, and when it last reported.

    Make, model and year remain. Returns 1 if anything was changed, else 0.
    """
    blank = {"vin": "", "name": "", "plate": "", "driver": "", "group": ""}
    vehicle = Vehicle.objects.filter(pk=vehicle_id)
    return vehicle.exclude(**blank, last_seen_at=None).update(**blank, last_seen_at=None)

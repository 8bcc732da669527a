"""Computes hourly and daily rollups of number signals.

Inserting a reading marks its hour as due in the same transaction (vehicles.readings). A periodic task computes the
hours that are over from the readings themselves, and marks their days as due. So late or unordered readings and replays
have the same result as readings in order. Until then, vehicles.history computes due rollups on request.
"""

import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.models import F, Q

from accounts.models import Fleet
from vehicles.aggregates import COLUMNS, HOUR_END, ROLLUP_SQL, day_end, day_start
from vehicles.dates import retention_start
from vehicles.models import DayRollup, DayZone, Vehicle
from vehicles.zones import known_zone

_BATCH = 2000
_VEHICLES = 20
_LOCK = 20_261_121  # an arbitrary number that no other advisory lock of the project uses


class _RollupQueue(NamedTuple):
    """The queue of hours or days: its tables, SQL for the end of a period, and its maximum length."""

    due: str
    rollup: str
    finish: str
    condition: str
    over: timedelta


_HOURS = _RollupQueue("vehicles_duehour", "vehicles_hourrollup", HOUR_END, "true", timedelta(hours=1))
_DAYS = _RollupQueue(
    "vehicles_dueday",
    "vehicles_dayrollup",
    day_end("start", "zone.time_zone"),
    # Days that were queued before the time zone changed are invalid.
    f"start = {day_start('start', 'zone.time_zone')}",
    timedelta(hours=25),
)

# Hours to which readings are being added are locked, and left for the next run.
_DEQUEUE = """
    DELETE FROM {due} WHERE (vehicle_id, signal_id, start) IN (
        SELECT vehicle_id, signal_id, start FROM {due} WHERE start <= %(until)s
        ORDER BY start LIMIT %(limit)s FOR UPDATE SKIP LOCKED
    )
    RETURNING vehicle_id, signal_id, start
"""
# Rollups from before the fleet's retention period of readings are retained: their readings have been deleted.
_PERIODS = """
    WITH stretch AS MATERIALIZED (
        SELECT vehicle_id, signal_id, start, {finish} AS finish, zone.time_zone
        FROM unnest(%(vehicles)s::bigint[], %(signals)s::smallint[], %(starts)s::timestamptz[])
            AS taken (vehicle_id, signal_id, start)
        JOIN vehicles_dayzone AS zone USING (vehicle_id)
        JOIN vehicles_vehicle AS vehicle ON vehicle.id = vehicle_id
        JOIN accounts_fleet AS fleet ON fleet.id = vehicle.fleet_id
        WHERE start >= date_trunc('month', %(now)s, 'UTC') - make_interval(months => readings_kept_months)
          AND {condition}
    )
"""
# All that begin within the period: versions up to 0.2.0 had a later start for days with two midnights.
_CLEAR = """
    DELETE FROM {rollup} AS old USING stretch
    WHERE old.vehicle_id = stretch.vehicle_id AND old.signal_id = stretch.signal_id
      AND old.start >= stretch.start AND old.start < stretch.finish
"""
_FILL = f"""
    INSERT INTO {{rollup}} (vehicle_id, signal_id, start, {COLUMNS}) {ROLLUP_SQL}
"""
_QUEUE_DAYS = """
    INSERT INTO vehicles_dueday (vehicle_id, signal_id, start)
    SELECT DISTINCT vehicle_id, signal_id, day FROM {source}
    CROSS JOIN LATERAL (VALUES ({first}), ({last})) AS of (day)
    ON CONFLICT DO NOTHING
"""


def compute_rollups(*, now: datetime, seconds: float = 45) -> int:
    """Computes due rollups of hours and days that are over, for about `seconds` at most. Returns how many.

    Does nothing while another process is computing rollups.
    """
    until = time.monotonic() + seconds
    done = 0
    while follow_zones(now=now) and time.monotonic() < until:
        pass
    for queue in (_HOURS, _DAYS):
        while (taken := _compute(queue, now=now)) and time.monotonic() < until:
            done += taken
    return done


def _compute(queue: _RollupQueue, *, now: datetime) -> int:
    """Computes one batch and returns its size."""
    with transaction.atomic():
        if not _exclusive():
            return 0
        with connection.cursor() as cursor:
            cursor.execute(_DEQUEUE.format(due=queue.due), {"until": now - queue.over, "limit": _BATCH})
            taken: Sequence[tuple[int, int, datetime]] = cursor.fetchall()
        if taken:
            # In a separate statement, whose snapshot includes all readings of the hours that were taken.
            _replace(queue, taken, now=now)
    return len(taken)


def _replace(queue: _RollupQueue, taken: Sequence[tuple[int, int, datetime]], *, now: datetime) -> None:
    vehicles, signals, starts = (list(column) for column in zip(*taken, strict=True))
    _set_missing_zones(vehicles)
    statements = [_CLEAR, _FILL]
    if queue is _HOURS:
        # Some zones have offsets that aren't whole hours, so an hour may be part of two days.
        first, last = (day_start(moment, "time_zone") for moment in ("start", "finish - interval '1 second'"))
        statements.append(_QUEUE_DAYS.format(source="stretch", first=first, last=last))
    periods = _PERIODS.format(finish=queue.finish, condition=queue.condition)
    parameters: dict[str, Any] = {"vehicles": vehicles, "signals": signals, "starts": starts, "now": now}
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(periods + statement.format(rollup=queue.rollup), parameters)


def _exclusive() -> bool:
    """Tries to get the exclusive right to compute rollups until the end of the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        return bool(cursor.fetchone()[0])


def _set_missing_zones(vehicle_ids: Sequence[int]) -> None:
    without = Vehicle.objects.filter(pk__in=set(vehicle_ids)).exclude(
        pk__in=DayZone.objects.filter(vehicle__in=set(vehicle_ids)).values("vehicle")
    )
    zones = [
        DayZone(vehicle_id=pk, time_zone=known_zone(zone))
        for pk, zone in without.values_list("pk", "fleet__time_zone")
    ]
    DayZone.objects.bulk_create(zones, ignore_conflicts=True)


def follow_zones(*, now: datetime) -> int:
    """Updates the time zone of some vehicles whose fleet has changed its own, and marks their days as due again.

    Days from before the fleet's retention period of readings don't change. Returns the number of vehicles.
    """
    with transaction.atomic():
        if not _exclusive():
            return 0
        behind = DayZone.objects.exclude(time_zone=F("vehicle__fleet__time_zone"))
        pairs = behind.values_list("vehicle__fleet__time_zone", "time_zone").distinct()
        differing = [
            Q(vehicle__fleet__time_zone=new, time_zone=current)
            for new, current in pairs
            if known_zone(new) != current
        ]
        if not differing:
            return 0
        zones = behind.filter(reduce(or_, differing)).select_related("vehicle__fleet")[:_VEHICLES]
        for zone in zones:
            _change_zone(zone, zone.vehicle.fleet, now=now)
        return len(zones)


def _change_zone(zone: DayZone, fleet: Fleet, *, now: datetime) -> None:
    zone.time_zone = known_zone(fleet.time_zone)
    zone.save(update_fields=["time_zone"])
    since = retention_start(now, fleet.raw_retention_months)
    DayRollup.objects.filter(vehicle=zone.vehicle, start__gte=since).delete()
    source = (
        "(SELECT * FROM vehicles_hourrollup WHERE vehicle_id = %(vehicle)s AND start >= %(since)s) AS hour"
    )
    first, last = (day_start(moment, "%(zone)s") for moment in ("start", "start + interval '59 minutes'"))
    with connection.cursor() as cursor:
        cursor.execute(
            _QUEUE_DAYS.format(source=source, first=first, last=last),
            {"vehicle": zone.vehicle_id, "since": since, "zone": zone.time_zone},
        )

"""Summing up number signals by hour and by day.

Whatever adds a reading notes its hour as due in the same transaction (vehicles.readings). Beat sums up the hours that
are over, from the readings themselves, and notes their days as due in turn; so late readings, disorder and replays
end in the same sums as if all had come in order. Until then vehicles.history sums up what is due in passing.
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
from vehicles.dates import kept_since
from vehicles.models import DayRollup, DayZone, Vehicle
from vehicles.zones import known_zone

_BATCH = 2000
_VEHICLES = 20
_LOCK = 20_261_121  # any number that nothing else of the product locks


class _RollupQueue(NamedTuple):
    """Hours or days: their tables, where one ends, and how long after its start it is over in any case."""

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
    # What was noted before the zone changed is no day any more.
    f"start = {day_start('start', 'zone.time_zone')}",
    timedelta(hours=25),
)

# What somebody is adding readings to is locked, and left to the next time.
_TAKE = """
    DELETE FROM {due} WHERE (vehicle_id, signal_id, start) IN (
        SELECT vehicle_id, signal_id, start FROM {due} WHERE start <= %(until)s
        ORDER BY start LIMIT %(limit)s FOR UPDATE SKIP LOCKED
    )
    RETURNING vehicle_id, signal_id, start
"""
# What lies before the fleet's readings are kept from was summed up from readings that are gone by now: it stays.
_STRETCH = """
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
_CLEAR = """
    DELETE FROM {rollup} AS old USING stretch
    WHERE old.vehicle_id = stretch.vehicle_id AND old.signal_id = stretch.signal_id AND old.start = stretch.start
"""
_FILL = f"""
    INSERT INTO {{rollup}} (vehicle_id, signal_id, start, {COLUMNS}) {ROLLUP_SQL}
"""
_NOTE_DAYS = """
    INSERT INTO vehicles_dueday (vehicle_id, signal_id, start)
    SELECT DISTINCT vehicle_id, signal_id, day FROM {source}
    CROSS JOIN LATERAL (VALUES ({first}), ({last})) AS of (day)
    ON CONFLICT DO NOTHING
"""


def compute_rollups(*, now: datetime, seconds: float = 45) -> int:
    """Sums up the hours and days that are over, for at most about so long. Returns how many.

    Another process may be at it: then this one leaves it alone.
    """
    until = time.monotonic() + seconds
    done = 0
    while follow_zones(now=now) and time.monotonic() < until:
        pass
    for kind in (_HOURS, _DAYS):
        while (taken := _compute(kind, now=now)) and time.monotonic() < until:
            done += taken
    return done


def _compute(kind: _RollupQueue, *, now: datetime) -> int:
    """One batch. Returns how many were due."""
    with transaction.atomic():
        if not _exclusive():
            return 0
        with connection.cursor() as cursor:
            cursor.execute(_TAKE.format(due=kind.due), {"until": now - kind.over, "limit": _BATCH})
            taken: Sequence[tuple[int, int, datetime]] = cursor.fetchall()
        if taken:
            # Only now: a statement of its own sees all readings whose hours were noted by then.
            _replace(kind, taken, now=now)
    return len(taken)


def _replace(kind: _RollupQueue, taken: Sequence[tuple[int, int, datetime]], *, now: datetime) -> None:
    vehicles, signals, starts = (list(column) for column in zip(*taken, strict=True))
    _give_zones(vehicles)
    statements = [_CLEAR, _FILL]
    if kind is _HOURS:
        # Not every zone keeps to whole hours: an hour may lie in two days.
        first, last = (day_start(moment, "time_zone") for moment in ("start", "finish - interval '1 second'"))
        statements.append(_NOTE_DAYS.format(source="stretch", first=first, last=last))
    stretch = _STRETCH.format(finish=kind.finish, condition=kind.condition)
    named: dict[str, Any] = {"vehicles": vehicles, "signals": signals, "starts": starts, "now": now}
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(stretch + statement.format(rollup=kind.rollup), named)


def _exclusive() -> bool:
    """Whether nobody else sums up. Holds until the end of the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        return bool(cursor.fetchone()[0])


def _give_zones(vehicle_ids: Sequence[int]) -> None:
    without = Vehicle.objects.filter(pk__in=set(vehicle_ids)).exclude(
        pk__in=DayZone.objects.filter(vehicle__in=set(vehicle_ids)).values("vehicle")
    )
    zones = [
        DayZone(vehicle_id=pk, time_zone=known_zone(zone))
        for pk, zone in without.values_list("pk", "fleet__time_zone")
    ]
    DayZone.objects.bulk_create(zones, ignore_conflicts=True)


def follow_zones(*, now: datetime) -> int:
    """Puts some cars whose fleet has another time zone than before into it: their days are due anew.

    Only as far back as the fleet keeps readings; older days stay as they are. Returns how many cars.
    """
    with transaction.atomic():
        if not _exclusive():
            return 0
        behind = DayZone.objects.exclude(time_zone=F("vehicle__fleet__time_zone"))
        pairs = behind.values_list("vehicle__fleet__time_zone", "time_zone").distinct()
        differing = [
            Q(vehicle__fleet__time_zone=wanted, time_zone=held)
            for wanted, held in pairs
            if known_zone(wanted) != held
        ]
        if not differing:
            return 0
        zones = behind.filter(reduce(or_, differing)).select_related("vehicle__fleet")[:_VEHICLES]
        for zone in zones:
            _move(zone, zone.vehicle.fleet, now=now)
        return len(zones)


def _move(zone: DayZone, fleet: Fleet, *, now: datetime) -> None:
    zone.time_zone = known_zone(fleet.time_zone)
    zone.save(update_fields=["time_zone"])
    since = kept_since(now, fleet.raw_retention_months)
    DayRollup.objects.filter(vehicle=zone.vehicle, start__gte=since).delete()
    source = (
        "(SELECT * FROM vehicles_hourrollup WHERE vehicle_id = %(vehicle)s AND start >= %(since)s) AS hour"
    )
    first, last = (day_start(moment, "%(zone)s") for moment in ("start", "start + interval '59 minutes'"))
    with connection.cursor() as cursor:
        cursor.execute(
            _NOTE_DAYS.format(source=source, first=first, last=last),
            {"vehicle": zone.vehicle_id, "since": since, "zone": zone.time_zone},
        )

"""Deletes history when its fleet's retention period is over, in whole UTC months (`Fleet.raw_retention_months` and
`rollup_retention_months`).

Fleets share partitions. A partition that no fleet retains is dropped, which is cheap. From the others, the rows of
fleets with a shorter period are deleted, one vehicle at a time.
"""

import time
from collections.abc import Iterator, Mapping
from datetime import datetime

from django.db import connection

from accounts.models import Fleet
from vehicles import partitions
from vehicles.dates import month_start, retention_start
from vehicles.models import Vehicle
from vehicles.partitions import READINGS, TABLES, Partitioned

_VEHICLE_BATCH = 500


def purge(*, now: datetime, seconds: float = 240) -> int:
    """Deletes history whose retention period is over. Stops after about `seconds`; the next run continues.

    Returns the number of deleted rows, without those of dropped partitions.
    """
    until = time.monotonic() + seconds
    deleted = 0
    for step in _steps(now=now):
        deleted += step
        if time.monotonic() > until:
            break
    return deleted


def oldest_retained(*, now: datetime) -> Mapping[Partitioned, datetime]:
    """Returns the first month of each table that any fleet retains."""
    return {
        table: min(_retention_starts(table, now=now).values(), default=month_start(now)) for table in TABLES
    }


def _retention_starts(table: Partitioned, *, now: datetime) -> dict[int, datetime]:
    """Returns the start of each fleet's retention period. Rollups are retained at least as long as readings."""
    fleets = Fleet.objects.values_list("pk", "raw_retention_months", "rollup_retention_months")
    return {
        pk: retention_start(now, readings if table is READINGS else max(readings, rollups))
        for pk, readings, rollups in fleets
    }


def _steps(*, now: datetime) -> Iterator[int]:
    for table in TABLES:
        starts = _retention_starts(table, now=now)
        oldest = min(starts.values(), default=month_start(now))
        for month in partitions.months(table):
            if month < oldest:
                partitions.drop(table=table, month=month)
                continue
            for fleet_id, since in starts.items():
                if month < since:
                    yield from _without_fleet(table.partition(month), fleet_id)
        for fleet_id, since in starts.items():
            yield _without_strays(table, fleet_id, since)


def _without_fleet(partition: str, fleet_id: int) -> Iterator[int]:
    vehicle_ids = list(Vehicle.objects.filter(fleet=fleet_id).values_list("pk", flat=True))
    with connection.cursor() as cursor:
        for at in range(0, len(vehicle_ids), _VEHICLE_BATCH):
            cursor.execute(
                f"""
                SELECT id FROM unnest(%s::bigint[]) AS vehicle (id)
                WHERE EXISTS (SELECT FROM {partition} WHERE vehicle_id = id)
                """,  # noqa: S608
                [vehicle_ids[at : at + _VEHICLE_BATCH]],
            )
            for row in cursor.fetchall():
                cursor.execute(f"DELETE FROM {partition} WHERE vehicle_id = %s", row)  # noqa: S608
                yield cursor.rowcount


def _without_strays(table: Partitioned, fleet_id: int, since: datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            DELETE FROM {table.stray} USING vehicles_vehicle AS vehicle
            WHERE vehicle.id = vehicle_id AND fleet_id = %s AND {table.time} < %s
            """,  # noqa: S608
            [fleet_id, since],
        )
        return int(cursor.rowcount)

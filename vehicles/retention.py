"""History is kept for as long as its fleet says, counted in whole months of UTC (`Fleet.raw_retention_months` and
`rollup_retention_months`). Fleets share partitions: one that no fleet keeps any longer is dropped, which costs nothing;
from the others the rows of fleets that keep less are deleted, car by car.
"""

import time
from collections.abc import Iterator, Mapping
from datetime import datetime

from django.db import connection

from accounts.models import Fleet
from vehicles import partitions
from vehicles.dates import kept_since, month_of
from vehicles.models import Vehicle
from vehicles.partitions import READINGS, TABLES, Partitioned

_VEHICLE_BATCH = 500


def purge(*, now: datetime, seconds: float = 240) -> int:
    """Drops and deletes what is no longer kept, for at most about so long; the next run goes on. Returns how many rows
    were deleted one by one, which those of dropped partitions were not.
    """
    until = time.monotonic() + seconds
    deleted = 0
    for step in _steps(now=now):
        deleted += step
        if time.monotonic() > until:
            break
    return deleted


def oldest_kept(*, now: datetime) -> Mapping[Partitioned, datetime]:
    """The first month of each table that some fleet keeps."""
    return {table: min(_kept(table, now=now).values(), default=month_of(now)) for table in TABLES}


def _kept(table: Partitioned, *, now: datetime) -> dict[int, datetime]:
    """From when on each fleet keeps the rows of this table. Summaries outlive the readings they were made from."""
    fleets = Fleet.objects.values_list("pk", "raw_retention_months", "rollup_retention_months")
    return {
        pk: kept_since(now, readings if table is READINGS else max(readings, rollups))
        for pk, readings, rollups in fleets
    }


def _steps(*, now: datetime) -> Iterator[int]:
    for table in TABLES:
        kept = _kept(table, now=now)
        oldest = min(kept.values(), default=month_of(now))
        for month in partitions.months(table):
            if month < oldest:
                partitions.drop(table=table, month=month)
                continue
            for fleet_id, since in kept.items():
                if month < since:
                    yield from _without_fleet(table.partition(month), fleet_id)
        for fleet_id, since in kept.items():
            yield _without_strays(table, fleet_id, since)


def _without_fleet(partition: str, fleet_id: int) -> Iterator[int]:
    cars = list(Vehicle.objects.filter(fleet=fleet_id).values_list("pk", flat=True))
    with connection.cursor() as cursor:
        for at in range(0, len(cars), _VEHICLE_BATCH):
            cursor.execute(
                f"""
                SELECT id FROM unnest(%s::bigint[]) AS car (id)
                WHERE EXISTS (SELECT FROM {partition} WHERE vehicle_id = id)
                """,  # noqa: S608
                [cars[at : at + _VEHICLE_BATCH]],
            )
            for car in cursor.fetchall():
                cursor.execute(f"DELETE FROM {partition} WHERE vehicle_id = %s", car)  # noqa: S608
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

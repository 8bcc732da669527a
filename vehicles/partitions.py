"""Monthly partitions of history: created in advance, and dropped when no fleet retains them.

Each table has a default partition, so that a row of any time can be written. Rows in the default partition ("stray
rows") are moved when their month gets its own partition. Until then, queries find them like any other row.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import OperationalError, connection, transaction
from psycopg.errors import LockNotAvailable

from vehicles.dates import add_months, month_start

logger = logging.getLogger(__name__)

MONTHS_AHEAD = 3


@dataclass(frozen=True, slots=True)
class Partitioned:
    """A table partitioned by month, and the column that determines a row's month."""

    name: str
    time: str

    @property
    def stray(self) -> str:
        """The name of the default partition."""
        return f"{self.name}_stray"

    def partition(self, month: datetime) -> str:
        """Returns the name of a month's partition."""
        return f"{self.name}_{month:%Y_%m}"


READINGS = Partitioned("vehicles_reading", "observed_at")
HOURS = Partitioned("vehicles_hourrollup", "start")
DAYS = Partitioned("vehicles_dayrollup", "start")
TABLES = (READINGS, HOURS, DAYS)


def months(table: Partitioned) -> list[datetime]:
    """Returns the months that have a partition, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass", [table.name]
        )
        names = [name for (name,) in cursor.fetchall() if name != table.stray]
    stamps = sorted(name.removeprefix(f"{table.name}_") for name in names)
    return [datetime.strptime(stamp, "%Y_%m").replace(tzinfo=UTC) for stamp in stamps]


def create(*, now: datetime, since: Mapping[Partitioned, datetime]) -> int:
    """Creates the partitions of this and the coming months, and of each month from `since` on that has stray rows.

    Returns how many. A partition that would wait too long for a lock is left for the next run.
    """
    created = 0
    for table in TABLES:
        existing = set(months(table))
        wanted = {add_months(month_start(now), ahead) for ahead in range(MONTHS_AHEAD + 1)}
        wanted |= {month for month in _strayed(table) if since[table] <= month < max(wanted)}
        created += sum(_unless_locked(_create, table, month) for month in sorted(wanted - existing))
    return created


def drop(*, table: Partitioned, month: datetime) -> bool:
    """Drops a month with all its rows. Returns False if it would wait too long for a lock: the next run retries."""
    return _unless_locked(_drop, table, month)


def _strayed(table: Partitioned) -> list[datetime]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT DISTINCT date_trunc('month', {table.time}, 'UTC') FROM {table.stray}")  # noqa: S608
        return [month.astimezone(UTC) for (month,) in cursor.fetchall()]


def _unless_locked(
    change: Callable[[Partitioned, datetime], None], table: Partitioned, month: datetime
) -> bool:
    """Changes a partition unless the table is in use: readers and writers would have to wait for the pending lock."""
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '2s'")
            change(table, month)
    except OperationalError as error:
        if not isinstance(error.__cause__, LockNotAvailable):
            raise
        logger.warning("%s is in use, and waits for the next time", table.partition(month))
        return False
    return True


def _create(table: Partitioned, month: datetime) -> None:
    """Creates and fills a separate table, then attaches it. Meanwhile, only the default partition is locked."""
    name = table.partition(month)
    span = {"start": month, "end": add_months(month, 1)}
    with connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {table.stray} IN ACCESS EXCLUSIVE MODE")
        cursor.execute(f"CREATE TABLE {name} (LIKE {table.name} INCLUDING ALL)")
        cursor.execute(
            f"""
            WITH moved AS (
                DELETE FROM {table.stray} WHERE {table.time} >= %(start)s AND {table.time} < %(end)s RETURNING *
            )
            INSERT INTO {name} SELECT * FROM moved
            """,  # noqa: S608
            span,
        )
        cursor.execute(
            f"ALTER TABLE {table.name} ATTACH PARTITION {name} FOR VALUES FROM (%(start)s) TO (%(end)s)", span
        )


def _drop(table: Partitioned, month: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {table.partition(month)}")

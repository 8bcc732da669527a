"""Leases: work that only one process does at a time, in rows instead of locks of a database session.

Behind PgBouncer in transaction mode, the statements of one process use different sessions, so a session's advisory
lock would be released in another session than the one that holds it, and would stay.
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import connection, models


class Lease(models.Model):
    """A lease that a process holds, until it is released or `expires_at` (by the database's clock)."""

    name = models.CharField(max_length=80, primary_key=True)
    holder = models.UUIDField()
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


@contextmanager
def exclusive(name: str, *, lasts: timedelta) -> Iterator[bool]:
    """Takes the lease and yields whether that succeeded; releases it at the end of the block.

    `lasts` must exceed the longest time that the block takes. After a crash, the lease is free once it is over.
    """
    holder = uuid.uuid4()
    taken = _take(name, holder, lasts)
    try:
        yield taken
    finally:
        if taken:
            Lease.objects.filter(name=name, holder=holder).delete()


def _take(name: str, holder: uuid.UUID, lasts: timedelta) -> bool:
    table = connection.ops.quote_name(Lease._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} AS held (name, holder, expires_at) "  # noqa: S608
            "VALUES (%s, %s, clock_timestamp() + make_interval(secs => %s)) "
            "ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at "
            "WHERE held.expires_at <= clock_timestamp()",
            [name, holder, lasts.total_seconds()],
        )
        return int(cursor.rowcount) == 1

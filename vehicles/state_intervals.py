"""The history of a signal's state as intervals with the same value."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
from django.db import connection

from vehicles.catalogue import Signal
from vehicles.models import Vehicle

MAX_INTERVALS = 2_000
_EVER = timedelta(days=36_500)


@dataclass(frozen=True, slots=True)
class StateInterval:
    """An interval in which the vehicle reported `body` (normalized), first at `start` and last at `last`."""

    start: datetime
    last: datetime
    body: dict[str, Any]


# Includes the last reading from before the period if it is recent enough, since a state applies until the next one.
_INTERVALS = """
    WITH told AS (
        (SELECT observed_at, rest FROM vehicles_reading
         WHERE vehicle_id = %(vehicle)s AND signal_id = (SELECT id FROM vehicles_signalcode WHERE code = %(code)s)
           AND observed_at >= %(start)s - %(longest)s AND observed_at < %(start)s
         ORDER BY observed_at DESC LIMIT 1)
        UNION ALL
        SELECT observed_at, rest FROM vehicles_reading
        WHERE vehicle_id = %(vehicle)s AND signal_id = (SELECT id FROM vehicles_signalcode WHERE code = %(code)s)
          AND observed_at >= %(start)s AND observed_at < %(end)s
    ), compared AS (
        SELECT observed_at, rest, lag(observed_at) OVER told AS before, lag(rest) OVER told AS said_before,
               max(observed_at) OVER () AS newest
        FROM told WINDOW told AS (ORDER BY observed_at)
    )
    SELECT observed_at, before, newest, rest FROM compared
    WHERE before IS NULL OR rest IS DISTINCT FROM said_before OR observed_at - before > %(longest)s
    ORDER BY observed_at DESC LIMIT %(limit)s
"""


def state_intervals(
    *, vehicle: Vehicle, signal: Signal, start: datetime, end: datetime, limit: int = MAX_INTERVALS
) -> list[StateInterval]:
    """Returns the states of a signal that isn't a number between two times, oldest first.

    At most the newest `limit` intervals. A gap longer than the signal's staleness ends an interval, even if the state
    is the same afterwards.
    """
    parameters: dict[str, Any] = {
        "vehicle": vehicle.pk,
        "code": signal.code,
        "start": start,
        "end": end,
        "longest": signal.staleness or _EVER,
        "limit": limit,
    }
    with connection.cursor() as cursor:
        cursor.execute(_INTERVALS, parameters)
        rows = cursor.fetchall()
    found: list[StateInterval] = []
    following: datetime | None = None
    for began, before, newest, body in rows:
        found.append(StateInterval(began, following or newest, orjson.loads(body) if body else {}))
        following = before
    return found[::-1]

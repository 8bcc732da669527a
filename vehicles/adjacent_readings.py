"""The readings of history right before and after a time."""

from datetime import datetime
from typing import Any

import orjson
from django.db import connection

from vehicles.continuity import Value
from vehicles.encoding import decode

_NEIGHBOR = """
    (SELECT observed_at, value, rest FROM vehicles_reading
     WHERE vehicle_id = %(vehicle)s AND signal_id = (SELECT id FROM vehicles_signalcode WHERE code = %(code)s)
       AND observed_at {comparison} %(at)s
     ORDER BY observed_at {direction} LIMIT 1)
"""
_NEIGHBORS = "{} UNION ALL {}".format(
    _NEIGHBOR.format(comparison="<", direction="DESC"), _NEIGHBOR.format(comparison=">", direction="ASC")
)


def adjacent_readings(*, vehicle_id: int, code: str, at: datetime) -> tuple[Value | None, Value | None]:
    """Returns the vehicle's last reading of the signal before `at` and the first one after it, in one query."""
    parameters: dict[str, Any] = {"vehicle": vehicle_id, "code": code, "at": at}
    with connection.cursor() as cursor:
        cursor.execute(_NEIGHBORS, parameters)
        rows = cursor.fetchall()
    found = [
        Value(observed_at, decode(code, value=value, rest=orjson.loads(rest) if rest else None))
        for observed_at, value, rest in rows
    ]
    before = next((each for each in found if each.at < at), None)
    return before, next((each for each in found if each.at > at), None)

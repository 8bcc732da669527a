"""Writing history: the one place that adds readings."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from django.db import connection

_ADD = """
    INSERT INTO vehicles_reading (vehicle_id, code, observed_at, body)
    SELECT * FROM json_to_recordset(%s::json) AS row
        (vehicle_id bigint, code text, observed_at timestamptz, body jsonb)
    ON CONFLICT DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class NewReading:
    """A point for history. `body` is normalised."""

    vehicle_id: int
    code: str
    observed_at: datetime
    body: dict[str, Any]


def add(*, readings: Sequence[NewReading]) -> None:
    """Adds what is not there yet, in the caller's transaction, which holds the cars' rows."""
    if readings:
        with connection.cursor() as cursor:
            cursor.execute(_ADD, [orjson.dumps(readings).decode()])

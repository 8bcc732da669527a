"""Inserts readings into history. No other module does."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from django.db import connection

from vehicles.encoding import encode

# Codes without a number get one, existing readings are left unchanged, and the hours of new readings become due for
# rollup. An hour that is already due is locked (a conflict locks the row, even if nothing is updated), so that
# vehicles.rollups doesn't take it before these readings are visible.
_ADD = """
    WITH incoming AS MATERIALIZED (
        SELECT * FROM ROWS FROM (json_to_recordset(%s::json) AS
            (vehicle_id bigint, code text, observed_at timestamptz, value double precision, rest jsonb)
        ) WITH ORDINALITY AS row (vehicle_id, code, observed_at, value, rest, place)
    ), fresh AS (
        INSERT INTO vehicles_signalcode (code)
        SELECT DISTINCT code FROM incoming
        WHERE NOT EXISTS (SELECT FROM vehicles_signalcode AS known WHERE known.code = incoming.code)
        ORDER BY code
        ON CONFLICT (code) DO UPDATE SET code = excluded.code
        RETURNING id, code
    ), named AS (
        SELECT id, code FROM vehicles_signalcode UNION ALL SELECT id, code FROM fresh
    ), added AS (
        INSERT INTO vehicles_reading (vehicle_id, observed_at, value, signal_id, rest)
        SELECT vehicle_id, observed_at, value, id, rest FROM incoming JOIN named USING (code) ORDER BY place
        ON CONFLICT DO NOTHING
        RETURNING vehicle_id, signal_id, observed_at, value
    )
    INSERT INTO vehicles_duehour AS due (vehicle_id, signal_id, start)
    SELECT DISTINCT vehicle_id, signal_id, date_trunc('hour', observed_at, 'UTC') FROM added WHERE value IS NOT NULL
    ON CONFLICT (vehicle_id, signal_id, start) DO UPDATE SET start = due.start WHERE false
"""


@dataclass(frozen=True, slots=True)
class NewReading:
    """A new point of history. `body` is normalized."""

    vehicle_id: int
    code: str
    observed_at: datetime
    body: dict[str, Any]


def insert_readings(*, readings: Sequence[NewReading]) -> None:
    """Inserts readings that don't exist yet, in the caller's transaction, which has locked the vehicles' rows."""
    if readings:
        with connection.cursor() as cursor:
            cursor.execute(_ADD, [orjson.dumps([_row(reading) for reading in readings]).decode()])


def _row(reading: NewReading) -> dict[str, Any]:
    value, rest = encode(reading.code, reading.body)
    return {
        "vehicle_id": reading.vehicle_id,
        "code": reading.code,
        "observed_at": reading.observed_at,
        "value": value,
        "rest": rest,
    }

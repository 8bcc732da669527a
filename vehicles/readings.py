"""Inserts readings into history. No other module does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from django.db import connection

from vehicles.catalogue import CATALOGUE
from vehicles.encoding import encode

# New codes of one fleet that aren't in the catalogue. Real vehicles have a handful of them.
CODES_PER_FLEET = 200
# A number is a smallint. The last ones are left for the catalogue.
LARGEST_NUMBER = 32_000

# Codes without a number get one, unless their fleet has used up its share. Such codes have no history. Existing readings are left unchanged, and the hours of new readings become due for
# rollup. An hour that is already due is locked (a conflict locks the row, even if nothing is updated), so that
# vehicles.rollups doesn't take it before these readings are visible.
_ADD = """
    WITH incoming AS MATERIALIZED (
        SELECT * FROM ROWS FROM (json_to_recordset(%s::json) AS
            (vehicle_id bigint, code text, observed_at timestamptz, value double precision, rest jsonb,
             fleet_id bigint)
        ) WITH ORDINALITY AS row (vehicle_id, code, observed_at, value, rest, fleet_id, place)
    ), unnumbered AS (
        SELECT code, min(fleet_id) AS fleet_id FROM incoming
        WHERE NOT EXISTS (SELECT FROM vehicles_signalcode AS known WHERE known.code = incoming.code)
        GROUP BY code
    ), fresh AS (
        INSERT INTO vehicles_signalcode (code, fleet_id)
        SELECT code, fleet_id FROM (
            SELECT *, row_number() OVER (ORDER BY code) AS place,
                row_number() OVER (PARTITION BY fleet_id ORDER BY code) AS place_in_fleet
            FROM unnumbered
        ) AS row
        WHERE fleet_id IS NULL OR (
            place_in_fleet + (SELECT count(*) FROM vehicles_signalcode AS own WHERE own.fleet_id = row.fleet_id) <= %s
            AND place + coalesce(
                pg_sequence_last_value(pg_get_serial_sequence('vehicles_signalcode', 'id')::regclass), 0) <= %s
        )
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


def insert_readings(*, readings: Sequence[NewReading], fleets: Mapping[int, int]) -> None:
    """Inserts readings that don't exist yet, in the caller's transaction, which has locked the vehicles' rows.

    `fleets` are the fleets' IDs by vehicle ID.
    """
    if readings:
        rows = orjson.dumps([_row(reading, fleets) for reading in readings]).decode()
        with connection.cursor() as cursor:
            cursor.execute(_ADD, [rows, CODES_PER_FLEET, LARGEST_NUMBER])


def _row(reading: NewReading, fleets: Mapping[int, int]) -> dict[str, Any]:
    value, rest = encode(reading.code, reading.body)
    row = {
        "vehicle_id": reading.vehicle_id,
        "code": reading.code,
        "observed_at": reading.observed_at,
        "value": value,
        "rest": rest,
    }
    if reading.code not in CATALOGUE:
        row["fleet_id"] = fleets[reading.vehicle_id]
    return row

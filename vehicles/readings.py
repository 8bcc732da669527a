"""Inserts readings into history. No other module does."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction

from vehicles.catalogue import CATALOGUE
from vehicles.encoding import encode

logger = logging.getLogger(__name__)

# New codes of one fleet that aren't in the catalog. Real vehicles have a handful of them.
CODES_PER_FLEET = 200
# A number is a smallint, and all fleets share them. The last ones are left for codes of the catalog.
LARGEST_NUMBER = 32_000

# Codes without a number get one, unless they aren't in the catalog and their fleet has used up its share: such codes
# have no history. Existing readings are left unchanged, and the hours of new readings become due for rollup. An hour
# that is already due is locked (a conflict locks the row, even if nothing is updated), so that vehicles.rollups doesn't
# take it before these readings are visible.
_ADD = """
    WITH incoming AS MATERIALIZED (
        SELECT * FROM ROWS FROM (json_to_recordset(%s::json) AS
            (vehicle_id bigint, code text, observed_at timestamptz, value double precision, rest jsonb, known boolean)
        ) WITH ORDINALITY AS row (vehicle_id, code, observed_at, value, rest, known, place)
    ), unnumbered AS (
        SELECT code, CASE WHEN NOT bool_or(known) THEN min(vehicle.fleet_id) END AS fleet_id
        FROM incoming JOIN vehicles_vehicle AS vehicle ON vehicle.id = vehicle_id
        WHERE NOT EXISTS (SELECT FROM vehicles_signalcode AS numbered WHERE numbered.code = incoming.code)
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


def insert_readings(*, readings: Sequence[NewReading]) -> None:
    """Inserts readings that don't exist yet, in the caller's transaction, which has locked the vehicles' rows.

    A reading that the database rejects is left out and logged, so that it doesn't prevent others, or the latest values
    in the same transaction, from being stored. Raises OperationalError and InterfaceError if the database itself fails.
    """
    if not readings:
        return
    try:
        with transaction.atomic():
            _insert(readings)
    except (OperationalError, InterfaceError):
        raise
    except DatabaseError as error:
        if len(readings) == 1:
            # Not the error's text: it can contain a location or a VIN.
            logger.error("A reading of %s couldn't be stored: %s", readings[0].code, type(error).__name__)
            return
        middle = len(readings) // 2
        insert_readings(readings=readings[:middle])
        insert_readings(readings=readings[middle:])


def _insert(readings: Sequence[NewReading]) -> None:
    rows = orjson.dumps([_row(reading) for reading in readings]).decode()
    with connection.cursor() as cursor:
        cursor.execute(_ADD, [rows, CODES_PER_FLEET, LARGEST_NUMBER])


def _row(reading: NewReading) -> dict[str, Any]:
    value, rest = encode(reading.code, reading.body)
    return {
        "vehicle_id": reading.vehicle_id,
        "code": reading.code,
        "observed_at": reading.observed_at,
        "value": value,
        "rest": rest,
        "known": reading.code in CATALOGUE,
    }

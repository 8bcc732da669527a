"""The latest state of signals in memory, loaded and stored for many vehicles at once.

This is the hottest path of the project, so rows are exchanged with PostgreSQL as plain values: one query to load them,
one to store them.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson
import psycopg
from django.db import connection

from vehicles.observations import SignalError, SignalReading, SignalStatus

EPOCH = datetime.min.replace(tzinfo=UTC)

_LOAD = """
    SELECT vehicle_id, code, body::text, observed_at, oem_updated_at, retrieved_at, sequence, status,
           error_type, error_code, error_description, reported_at, notes, received_at, memory::text
    FROM vehicles_latestsignal WHERE vehicle_id = ANY(%s)
"""
_STORE = """
    INSERT INTO vehicles_latestsignal
        (vehicle_id, code, body, observed_at, oem_updated_at, retrieved_at, sequence, status,
         error_type, error_code, error_description, reported_at, notes, memory, received_at)
    SELECT * FROM json_to_recordset(%s::json) AS row
        (vehicle_id bigint, code text, body jsonb, observed_at timestamptz, oem_updated_at timestamptz,
         retrieved_at timestamptz, sequence bigint, status text, error_type text, error_code text,
         error_description text, reported_at timestamptz, notes text[], memory jsonb,
         received_at timestamptz)
    ON CONFLICT (vehicle_id, code) DO UPDATE SET
        body = excluded.body, observed_at = excluded.observed_at, oem_updated_at = excluded.oem_updated_at,
        retrieved_at = excluded.retrieved_at, sequence = excluded.sequence, status = excluded.status,
        error_type = excluded.error_type, error_code = excluded.error_code,
        error_description = excluded.error_description, reported_at = excluded.reported_at,
        notes = excluded.notes, memory = excluded.memory, received_at = excluded.received_at
"""
_STORE_TIMESTAMPS = """
    UPDATE vehicles_latestsignal AS state
    SET sequence = row.sequence, retrieved_at = row.retrieved_at, reported_at = row.reported_at,
        received_at = row.received_at
    FROM json_to_recordset(%s::json) AS row
        (vehicle_id bigint, code text, sequence bigint, retrieved_at timestamptz, reported_at timestamptz,
         received_at timestamptz)
    WHERE state.vehicle_id = row.vehicle_id AND state.code = row.code
"""


@dataclass(slots=True)
class LatestSignalRow:
    """One row of `LatestSignal`, whose docstring explains the columns.

    `touched` means that the row has new data; `changed`, that more than its timestamps has changed, or that there is no
    row yet.
    """

    vehicle_id: int
    code: str
    body: dict[str, Any] | None = None
    observed_at: datetime | None = None
    oem_updated_at: datetime | None = None
    retrieved_at: datetime | None = None
    sequence: int | None = None
    status: str = SignalStatus.UNAVAILABLE
    error_type: str = ""
    error_code: str = ""
    error_description: str = ""
    reported_at: datetime = EPOCH
    notes: list[str] = field(default_factory=list)
    received_at: datetime | None = None
    memory: dict[str, Any] = field(default_factory=dict)
    touched: bool = False
    changed: bool = False

    def apply_value(
        self,
        reading: SignalReading,
        *,
        observed_at: datetime,
        sequence: int | None,
        notes: Sequence[str],
    ) -> None:
        """Applies a reading's value, which the caller has found to be newer (vehicles.value_times)."""
        self.touched = True
        self.retrieved_at = reading.retrieved_at
        self.sequence = sequence
        values = (reading.body, observed_at, reading.oem_updated_at, list(notes))
        if values != (self.body, self.observed_at, self.oem_updated_at, self.notes):
            self.changed = True
            self.body, self.observed_at, self.oem_updated_at, self.notes = values

    def apply_status(self, reading: SignalReading, *, reported_at: datetime, received_at: datetime) -> bool:
        """Applies a reading's status if its report is newer, and returns whether it was. The value is retained.

        A report that is received again keeps the time of its first receipt.
        """
        if reported_at <= self.reported_at:
            if reported_at == self.reported_at and (
                self.received_at is None or received_at < self.received_at
            ):
                self.touched, self.received_at = True, received_at
            return False
        self.touched = True
        self.reported_at, self.received_at = reported_at, received_at
        values = (reading.status, *_error_columns(reading.error))
        if values != (self.status, self.error_type, self.error_code, self.error_description):
            self.changed = True
            self.status, self.error_type, self.error_code, self.error_description = values
        return True


def _error_columns(error: SignalError | None) -> tuple[str, str, str]:
    return (error.type[:60], (error.code or "")[:60], error.description) if error else ("", "", "")


def load(*, vehicle_ids: Iterable[int]) -> dict[tuple[int, str], LatestSignalRow]:
    """Returns the rows of all signals of these vehicles, by vehicle ID and code. The caller has locked the vehicles."""
    connection.ensure_connection()
    # Binary rows: Django's cursor would parse each timestamp in Python.
    with psycopg.Cursor(connection.connection) as cursor:
        rows = cursor.execute(_LOAD, [list(vehicle_ids)], binary=True).fetchall()
    return {(row[0], row[1]): LatestSignalRow(*_decoded(row)) for row in rows}


def _decoded(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Decodes the columns that hold JSON: the body and, last, the memory."""
    body = orjson.loads(row[2]) if row[2] else None
    return (*row[:2], body, *row[3:-1], orjson.loads(row[-1]))


def store(states: Collection[LatestSignalRow]) -> None:
    """Inserts or updates the rows."""
    if states:
        _execute(_STORE, orjson.dumps(states))


def store_timestamps(states: Collection[LatestSignalRow]) -> None:
    """Updates only the timestamps, which is sufficient for most signals, since each payload repeats all of them."""
    if states:
        times = [
            {
                "vehicle_id": state.vehicle_id,
                "code": state.code,
                "sequence": state.sequence,
                "retrieved_at": state.retrieved_at,
                "reported_at": state.reported_at,
                "received_at": state.received_at,
            }
            for state in states
        ]
        _execute(_STORE_TIMESTAMPS, orjson.dumps(times))


def _execute(statement: str, rows: bytes) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, [rows.decode()])

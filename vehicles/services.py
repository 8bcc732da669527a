"""Stores all data about vehicles. The newest value wins, changes go to history, and a replay changes nothing."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import Any

import orjson
from django.db import connection

from accounts.models import Fleet
from vehicles import catalogue, latest_state, summaries
from vehicles.latest_state import EPOCH, LatestSignalRow
from vehicles.models import Vehicle
from vehicles.observations import SignalStatus, VehicleFacts
from vehicles.readings import NewReading, insert_readings
from vehicles.received import ReceivedReading as ReceivedReading
from vehicles.value_times import value_time

# Signals that aren't in the catalog. Each delivery loads all signals of its vehicle, so they must remain few.
UNKNOWN_SIGNALS_PER_VEHICLE = 100
_BY_TIME = attrgetter("observed_at", "received_at")
_STORE_LAST_SEEN = """
    UPDATE vehicles_vehicle AS vehicle SET last_seen_at = greatest(vehicle.last_seen_at, row.at)
    FROM json_to_recordset(%s::json) AS row (id bigint, at timestamptz) WHERE vehicle.id = row.id
"""
_IDENTITY = {catalogue.VIN.code: "vin", catalogue.NICKNAME.code: "nickname"}
_STORE_IDENTITY = """
    UPDATE vehicles_vehicle AS vehicle
    SET vin = coalesce(left(row.vin, 17), vehicle.vin),
        name = CASE WHEN vehicle.name = '' THEN coalesce(left(row.nickname, 80), '') ELSE vehicle.name END
    FROM json_to_recordset(%s::json) AS row (id bigint, vin text, nickname text)
    WHERE vehicle.id = row.id
        AND (vehicle.vin <> left(row.vin, 17) OR (vehicle.name = '' AND row.nickname <> ''))
"""


@dataclass(frozen=True, slots=True)
class Update:
    """A signal with a newer value than before. `body` is normalized.

    `contact_at` is a time after which the vehicle itself must have reported, or None if the value doesn't show that.
    """

    vehicle_id: int
    code: str
    body: dict[str, Any]
    observed_at: datetime
    contact_at: datetime | None = None


@dataclass(slots=True)
class IngestResult:
    """The new data of a batch.

    `updates` are newer values, oldest first. `healthy` are the IDs of vehicles with a newer successful reading,
    `changed` the IDs of vehicles with any new data, by the ID of their fleet.
    """

    updates: list[Update] = field(default_factory=list)
    healthy: set[int] = field(default_factory=set)
    changed: dict[int, set[int]] = field(default_factory=dict)


def upsert_vehicle(*, fleet: Fleet, facts: VehicleFacts) -> Vehicle:
    """Creates or updates the fleet's row for this vehicle, and returns it. Existing values are never blanked."""
    values = {
        "make": facts.make,
        "model": facts.model,
        "year": facts.year,
        "powertrain": facts.powertrain,
        "mode": facts.mode,
    }
    vehicle, _ = Vehicle.objects.update_or_create(
        fleet=fleet,
        smartcar_id=facts.smartcar_id,
        defaults={name: value for name, value in values.items() if value},
    )
    return vehicle


def lock_vehicles(*, vehicle_ids: Iterable[int]) -> dict[int, int]:
    """Locks the vehicles' rows until the end of the transaction. Returns their fleets' IDs by vehicle ID."""
    vehicles = Vehicle.objects.filter(pk__in=list(vehicle_ids)).order_by("pk")
    return dict(vehicles.select_for_update(no_key=True).values_list("pk", "fleet_id"))


def ingest_readings(*, batch: Sequence[ReceivedReading]) -> IngestResult:
    """Stores readings: latest state, history and the time of the last update. Runs inside the caller's transaction.

    The vehicles' rows are locked in order of ID, so that batches about the same vehicle wait for each other instead of
    overwriting each other's data.
    """
    if not batch:
        return IngestResult()
    vehicle_ids = {received.vehicle_id for received in batch}
    fleets = lock_vehicles(vehicle_ids=vehicle_ids)
    known = latest_state.load(vehicle_ids=vehicle_ids)
    unknown = Counter(pk for pk, code in known if code not in catalogue.CATALOGUE)
    recorded = IngestResult()
    readings: list[NewReading] = []
    for received in sorted(batch, key=_BY_TIME):
        key = (received.vehicle_id, received.observation.code)
        state = known.get(key)
        if state is None:
            if key[1] not in catalogue.CATALOGUE:
                if unknown[key[0]] >= UNKNOWN_SIGNALS_PER_VEHICLE:
                    continue
                unknown[key[0]] += 1
            state = known[key] = LatestSignalRow(*key, changed=True)
        _apply(state, received, recorded=recorded, readings=readings)
    touched = [state for state in known.values() if state.touched]
    for vehicle_id in {state.vehicle_id for state in touched}:
        recorded.changed.setdefault(fleets[vehicle_id], set()).add(vehicle_id)
    latest_state.store([state for state in touched if state.changed])
    latest_state.store_timestamps([state for state in touched if not state.changed])
    insert_readings(readings=readings)
    summarized = {state.vehicle_id for state in touched if state.changed and state.code in summaries.CODES}
    summaries.refresh_snapshots(vehicle_ids=summarized, held=True)
    _update_last_seen(batch)
    _learn_identity(recorded.updates)
    return recorded


def _apply(
    state: LatestSignalRow, received: ReceivedReading, *, recorded: IngestResult, readings: list[NewReading]
) -> None:
    reading = received.observation
    newer = False
    if reading.status is SignalStatus.SUCCESS and reading.body is not None:
        at, newer, notes, contact_at = value_time(state, received)
        same = state.body == reading.body
        differs = not same or state.observed_at != at
        # Each payload repeats all signals. Without the manufacturer's time, only the value identifies a repetition.
        if differs and not (same and reading.oem_updated_at is None):
            readings.append(NewReading(state.vehicle_id, state.code, at, reading.body))
        if newer:
            state.apply_value(reading, observed_at=at, sequence=received.sequence, notes=notes)
        if newer and differs:
            recorded.updates.append(Update(state.vehicle_id, state.code, reading.body, at, contact_at))
    times = {"reported_at": received.reported_at, "received_at": received.received_at}
    newer = state.apply_status(reading, **times) or newer
    if newer and reading.status is SignalStatus.SUCCESS:
        recorded.healthy.add(state.vehicle_id)


def _update_last_seen(batch: Iterable[ReceivedReading]) -> None:
    """Updates the time of the last update of vehicles with at least one value in the batch; an error isn't data."""
    last_received: dict[int, datetime] = {}
    for each in batch:
        if each.observation.body is not None:
            last = last_received.get(each.vehicle_id, EPOCH)
            last_received[each.vehicle_id] = max(each.received_at, last)
    if not last_received:
        return
    rows = orjson.dumps([{"id": pk, "at": at} for pk, at in last_received.items()]).decode()
    with connection.cursor() as cursor:
        cursor.execute(_STORE_LAST_SEEN, [rows])


def _learn_identity(updates: Iterable[Update]) -> None:
    """Stores VIN and nickname, which arrive as signals with each delivery. A name entered by a member is retained."""
    learned: dict[int, dict[str, int | str]] = {}
    for update in updates:
        column, value = _IDENTITY.get(update.code), update.body.get("value")
        if column is not None and isinstance(value, str):
            learned.setdefault(update.vehicle_id, {"id": update.vehicle_id})[column] = value
    if learned:
        with connection.cursor() as cursor:
            cursor.execute(_STORE_IDENTITY, [orjson.dumps(list(learned.values())).decode()])

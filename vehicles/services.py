"""Stores all data about vehicles. The newest value wins, changes go to history, and a replay changes nothing."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from operator import attrgetter
from typing import Any

import orjson
from django.db import connection

from accounts.models import Fleet
from core.message_codes import Message
from vehicles import catalogue, continuity, identity, latest_state, summaries, unit_judgment
from vehicles.adjacent_readings import adjacent_readings
from vehicles.correction_notes import encode
from vehicles.current_state import holding_time
from vehicles.latest_state import EPOCH, LatestSignalRow
from vehicles.models import Vehicle
from vehicles.observations import NORMALIZATION_ERROR, SignalError, SignalStatus, VehicleFacts
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
    values = {**identity.columns_of(facts), "mode": facts.mode}
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
        if received.observation.claim is not None:
            received = _with_settled_unit(state, received, known)
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
    identity.learn_from_signals((each.vehicle_id, each.code, each.body) for each in recorded.updates)
    return recorded


def _with_settled_unit(
    state: LatestSignalRow, received: ReceivedReading, known: Mapping[tuple[int, str], LatestSignalRow]
) -> ReceivedReading:
    charging = known.get((received.vehicle_id, catalogue.IS_CHARGING.code))
    reading = unit_judgment.settle(
        received.observation, state, charging=_was_charging(charging, at=received.observed_at)
    )
    return received if reading is received.observation else replace(received, observation=reading)


def _was_charging(row: LatestSignalRow | None, *, at: datetime) -> bool:
    """Returns whether the vehicle was charging at this time, as far as its last report was current then."""
    holds = holding_time(catalogue.IS_CHARGING)
    if row is None or row.body is None or row.observed_at is None or holds is None:
        return False
    return row.body.get("value") is True and at - row.observed_at <= holds


def _apply(
    state: LatestSignalRow, received: ReceivedReading, *, recorded: IngestResult, readings: list[NewReading]
) -> None:
    newer = False
    if received.observation.status is SignalStatus.SUCCESS and received.observation.body is not None:
        at, newer, notes, contact_at = value_time(state, received)
        received, notes = _judged(state, received, at, newer=newer, notes=notes, readings=readings)
    reading = received.observation
    if reading.status is SignalStatus.SUCCESS and reading.body is not None:
        same = state.body == reading.body
        differs = not same or state.observed_at != at
        # Each payload repeats all signals. Without the manufacturer's time, only the value identifies a repetition.
        if differs and not (same and reading.oem_updated_at is None):
            readings.append(NewReading(state.vehicle_id, state.code, at, reading.body))
        if newer:
            state.apply_value(reading, observed_at=at, sequence=received.sequence, notes=notes)
            unit_judgment.remember(reading, state)
        if newer and differs:
            recorded.updates.append(Update(state.vehicle_id, state.code, reading.body, at, contact_at))
    times = {"reported_at": received.reported_at, "received_at": received.received_at}
    newer = state.apply_status(reading, **times) or newer
    if newer and reading.status is SignalStatus.SUCCESS:
        recorded.healthy.add(state.vehicle_id)


def _judged(
    state: LatestSignalRow,
    received: ReceivedReading,
    at: datetime,
    *,
    newer: bool,
    notes: tuple[str, ...],
    readings: list[NewReading],
) -> tuple[ReceivedReading, tuple[str, ...]]:
    """Returns the reading with its notes, or its rejection if it contradicts the vehicle's earlier values."""
    value = continuity.Value(at, received.observation.body or {})
    if not continuity.is_judged(state.code) or (state.observed_at, state.body) == value:
        return received, notes
    if not newer:
        before, after = adjacent_readings(vehicle_id=state.vehicle_id, code=state.code, at=at)
        reason = continuity.contradiction(state.code, value, before=before, after=after)
        return (_rejected(received, reason) if reason else received), notes
    verdict = continuity.judge(state, value)
    if verdict.reason:
        return _rejected(received, verdict.reason), notes
    readings += [
        NewReading(state.vehicle_id, state.code, each.at, dict(each.body)) for each in verdict.confirmed
    ]
    return received, (*notes, verdict.note) if verdict.note else notes


def _rejected(received: ReceivedReading, reason: Message) -> ReceivedReading:
    error = SignalError(NORMALIZATION_ERROR, description=encode(reason))
    reading = received.observation._replace(status=SignalStatus.ERROR, body=None, error=error)
    return replace(received, observation=reading)


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

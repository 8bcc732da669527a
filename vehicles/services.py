"""The one way in for what is learned about cars: newest wins, history on change, replay changes nothing."""

from collections.abc import Iterable, Mapping, Sequence
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
from vehicles.observations import SignalReading, SignalStatus, VehicleFacts
from vehicles.readings import NewReading, insert_readings

_BY_TIME = attrgetter("observed_at", "received_at")
_STORE_LAST_SEEN = """
    UPDATE vehicles_vehicle AS car SET last_seen_at = greatest(car.last_seen_at, row.at)
    FROM json_to_recordset(%s::json) AS row (id bigint, at timestamptz) WHERE car.id = row.id
"""
_IDENTITY = {catalogue.VIN.code: "vin", catalogue.NICKNAME.code: "nickname"}
_STORE_IDENTITY = """
    UPDATE vehicles_vehicle AS car
    SET vin = coalesce(left(row.vin, 17), car.vin),
        name = CASE WHEN car.name = '' THEN coalesce(left(row.nickname, 80), '') ELSE car.name END
    FROM json_to_recordset(%s::json) AS row (id bigint, vin text, nickname text)
    WHERE car.id = row.id
        AND (car.vin <> left(row.vin, 17) OR (car.name = '' AND row.nickname <> ''))
"""


@dataclass(slots=True)
class ReceivedReading:
    """One observation of one of our cars, as it came in.

    `observed_at` is the time the value is of: the maker's, else when Smartcar read it, else when we heard it;
    `reported_at` is when it was last reported.
    """

    vehicle_id: int
    observation: SignalReading
    received_at: datetime
    sequence: int | None = None
    observed_at: datetime = field(init=False)
    reported_at: datetime = field(init=False)

    def __post_init__(self) -> None:
        seen = self.observation
        self.reported_at = seen.retrieved_at or seen.ingested_at or self.received_at
        self.observed_at = seen.oem_updated_at or self.reported_at


@dataclass(frozen=True, slots=True)
class Update:
    """A signal that has a newer value than before. `body` is normalised."""

    vehicle_id: int
    code: str
    body: dict[str, Any]
    observed_at: datetime


@dataclass(slots=True)
class IngestResult:
    """What a batch told that was not known.

    `updates` are newer values, oldest first. `fresh` are the cars that were read well, `told` those of which anything
    is new, by the id of their fleet.
    """

    updates: list[Update] = field(default_factory=list)
    fresh: set[int] = field(default_factory=set)
    told: dict[int, set[int]] = field(default_factory=dict)


def upsert_vehicle(*, fleet: Fleet, facts: VehicleFacts) -> Vehicle:
    """The fleet's row for this car, made or brought up to date. What is already known is never blanked."""
    known = {
        "make": facts.make,
        "model": facts.model,
        "year": facts.year,
        "powertrain": facts.powertrain,
        "mode": facts.mode,
    }
    vehicle, _ = Vehicle.objects.update_or_create(
        fleet=fleet,
        smartcar_id=facts.smartcar_id,
        defaults={name: value for name, value in known.items() if value},
    )
    return vehicle


def lock_vehicles(*, vehicle_ids: Iterable[int]) -> dict[int, int]:
    """Takes hold of the cars' rows until the transaction ends. Returns the ids of their fleets."""
    cars = Vehicle.objects.filter(pk__in=list(vehicle_ids)).order_by("pk")
    return dict(cars.select_for_update(no_key=True).values_list("pk", "fleet_id"))


def ingest_readings(*, sightings: Sequence[ReceivedReading]) -> IngestResult:
    """Stores observations: latest state, history and last heard. Runs inside the caller's transaction.

    The cars' rows are locked in order of id, so that batches about the same car queue up instead of
    overwriting each other.
    """
    if not sightings:
        return IngestResult()
    heard: dict[int, datetime] = {}
    for sighting in sightings:
        heard[sighting.vehicle_id] = max(sighting.received_at, heard.get(sighting.vehicle_id, EPOCH))
    fleets = lock_vehicles(vehicle_ids=heard)
    known = latest_state.load(vehicle_ids=heard)
    recorded = IngestResult()
    readings: list[NewReading] = []
    for sighting in sorted(sightings, key=_BY_TIME):
        key = (sighting.vehicle_id, sighting.observation.code)
        state = known.get(key)
        if state is None:
            state = known[key] = LatestSignalRow(*key, changed=True)
        _apply(state, sighting, recorded=recorded, readings=readings)
    touched = [state for state in known.values() if state.touched]
    for vehicle_id in {state.vehicle_id for state in touched}:
        recorded.told.setdefault(fleets[vehicle_id], set()).add(vehicle_id)
    latest_state.store([state for state in touched if state.changed])
    latest_state.store_timestamps([state for state in touched if not state.changed])
    insert_readings(readings=readings)
    shown = {update.vehicle_id for update in recorded.updates if update.code in summaries.CODES}
    summaries.refresh_snapshots(vehicle_ids=shown, held=True)
    _update_last_seen(heard)
    _learn_identity(recorded.updates)
    return recorded


def _apply(
    state: LatestSignalRow, sighting: ReceivedReading, *, recorded: IngestResult, readings: list[NewReading]
) -> None:
    seen, at = sighting.observation, sighting.observed_at
    newer = False
    if seen.status is SignalStatus.SUCCESS and seen.body is not None:
        same = state.body == seen.body
        moved = not same or state.observed_at != at
        # A payload repeats every signal; without the maker's time, a repeat is told by its value alone.
        if moved and not (same and seen.oem_updated_at is None):
            readings.append(NewReading(state.vehicle_id, state.code, at, seen.body))
        newer = state.take_value(seen, observed_at=at, sequence=sighting.sequence)
        if newer and moved:
            recorded.updates.append(Update(state.vehicle_id, state.code, seen.body, at))
    newer = state.take_status(seen, reported_at=sighting.reported_at) or newer
    if newer and seen.status is SignalStatus.SUCCESS:
        recorded.fresh.add(state.vehicle_id)


def _update_last_seen(heard: Mapping[int, datetime]) -> None:
    rows = orjson.dumps([{"id": pk, "at": at} for pk, at in heard.items()]).decode()
    with connection.cursor() as cursor:
        cursor.execute(_STORE_LAST_SEEN, [rows])


def _learn_identity(updates: Iterable[Update]) -> None:
    """VIN and nickname arrive as signals, with each delivery; a name that a person gave is kept."""
    learned: dict[int, dict[str, int | str]] = {}
    for update in updates:
        column, value = _IDENTITY.get(update.code), update.body.get("value")
        if column is not None and isinstance(value, str):
            learned.setdefault(update.vehicle_id, {"id": update.vehicle_id})[column] = value
    if learned:
        with connection.cursor() as cursor:
            cursor.execute(_STORE_IDENTITY, [orjson.dumps(list(learned.values())).decode()])

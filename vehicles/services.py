"""The one way in for what is learned about cars: newest wins, history on change, replay changes nothing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from accounts.models import Fleet
from vehicles import catalogue
from vehicles.models import LatestSignal, Reading, Vehicle
from vehicles.observations import Observation, SignalStatus, VehicleFacts

_EPOCH = datetime.min.replace(tzinfo=UTC)
_STATE_FIELDS = [
    "body", "observed_at", "oem_updated_at", "retrieved_at", "sequence", "status",
    "error_type", "error_code", "error_description", "reported_at", "notes",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sighting:
    """One observation of one of our cars, as it came in."""

    vehicle_id: int
    observation: Observation
    received_at: datetime
    sequence: int | None = None

    @property
    def observed_at(self) -> datetime:
        seen = self.observation
        return seen.oem_updated_at or seen.retrieved_at or seen.ingested_at or self.received_at

    @property
    def reported_at(self) -> datetime:
        seen = self.observation
        return seen.retrieved_at or seen.ingested_at or self.received_at


@dataclass(frozen=True, slots=True)
class Update:
    """A signal that has a newer value than before. `body` is normalised."""

    vehicle_id: int
    code: str
    body: dict[str, Any]
    observed_at: datetime


def register(*, fleet: Fleet, facts: VehicleFacts) -> Vehicle:
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


def record(*, sightings: Sequence[Sighting]) -> list[Update]:
    """Stores observations: latest state, history and last heard. Runs inside the caller's transaction.

    The cars' rows are locked in order of id, so that batches about the same car queue up instead of
    overwriting each other. Returns what became newer than before, oldest first.
    """
    heard: dict[int, datetime] = {}
    for sighting in sightings:
        heard[sighting.vehicle_id] = max(sighting.received_at, heard.get(sighting.vehicle_id, _EPOCH))
    cars = list(Vehicle.objects.filter(pk__in=heard).order_by("pk").select_for_update(no_key=True))
    states = _states(vehicle_ids=heard, codes={sighting.observation.code for sighting in sightings})
    readings: list[Reading] = []
    updates: list[Update] = []
    touched: dict[tuple[int, str], LatestSignal] = {}
    for sighting in sorted(sightings, key=lambda each: (each.observed_at, each.received_at)):
        key = (sighting.vehicle_id, sighting.observation.code)
        state = states.setdefault(key, _unseen(sighting))
        reading = _reading(state, sighting)
        if reading is not None:
            readings.append(reading)
        newer = _take_value(state, sighting)
        if newer is not None:
            updates.append(newer)
        if _take_status(state, sighting) or newer is not None:
            touched[key] = state
    _store(touched.values(), readings)
    for car in cars:
        car.last_seen_at = max(car.last_seen_at or _EPOCH, heard[car.pk])
    Vehicle.objects.bulk_update(cars, ["last_seen_at"])
    _learn_identity(updates)
    return updates


def _states(*, vehicle_ids: Iterable[int], codes: set[str]) -> dict[tuple[int, str], LatestSignal]:
    rows = LatestSignal.objects.filter(vehicle_id__in=list(vehicle_ids), code__in=codes)
    return {(row.vehicle_id, row.code): row for row in rows}


def _unseen(sighting: Sighting) -> LatestSignal:
    return LatestSignal(
        vehicle_id=sighting.vehicle_id,
        code=sighting.observation.code,
        status=SignalStatus.UNAVAILABLE,
        reported_at=_EPOCH,
    )


def _has_value(sighting: Sighting) -> bool:
    return sighting.observation.status == SignalStatus.SUCCESS and sighting.observation.body is not None


def _reading(state: LatestSignal, sighting: Sighting) -> Reading | None:
    """A history row, unless the signal only repeats what is known (a payload repeats every signal)."""
    if not _has_value(sighting):
        return None
    repeats = state.body == sighting.observation.body and (
        state.observed_at == sighting.observed_at or sighting.observation.oem_updated_at is None
    )
    if repeats:
        return None
    return Reading(
        vehicle_id=sighting.vehicle_id,
        code=sighting.observation.code,
        observed_at=sighting.observed_at,
        body=sighting.observation.body,
    )


def _take_value(state: LatestSignal, sighting: Sighting) -> Update | None:
    """Newest wins: by the time the value is of, then by sequence, then by when Smartcar read it."""
    seen = sighting.observation
    if not _has_value(sighting) or seen.body is None:
        return None
    fresh = (sighting.observed_at, _or_least(sighting.sequence), seen.retrieved_at or _EPOCH)
    held = (state.observed_at or _EPOCH, _or_least(state.sequence), state.retrieved_at or _EPOCH)
    if fresh <= held:
        return None
    state.body = seen.body
    state.observed_at = sighting.observed_at
    state.oem_updated_at = seen.oem_updated_at
    state.retrieved_at = seen.retrieved_at
    state.sequence = sighting.sequence
    state.notes = list(seen.notes)
    return Update(sighting.vehicle_id, seen.code, seen.body, sighting.observed_at)


def _or_least(sequence: int | None) -> int:
    return -1 if sequence is None else sequence


def _take_status(state: LatestSignal, sighting: Sighting) -> bool:
    """The last report tells whether the signal works now; a value that an error leaves behind stays."""
    if sighting.reported_at <= state.reported_at:
        return False
    error = sighting.observation.error
    state.reported_at = sighting.reported_at
    state.status = sighting.observation.status
    state.error_type = error.type[:60] if error else ""
    state.error_code = (error.code or "")[:60] if error else ""
    state.error_description = error.description if error else ""
    return True


def _store(states: Iterable[LatestSignal], readings: list[Reading]) -> None:
    LatestSignal.objects.bulk_create(
        states, update_conflicts=True, unique_fields=["vehicle", "code"], update_fields=_STATE_FIELDS
    )
    Reading.objects.bulk_create(readings, ignore_conflicts=True)


def _learn_identity(updates: Iterable[Update]) -> None:
    """VIN and nickname arrive as signals; a name that a person gave is kept."""
    for update in updates:
        value = update.body.get("value")
        if not isinstance(value, str):
            continue
        car = Vehicle.objects.filter(pk=update.vehicle_id)
        if update.code == catalogue.VIN.code:
            car.update(vin=value[:17])
        elif update.code == catalogue.NICKNAME.code:
            car.filter(name="").update(name=value[:80])

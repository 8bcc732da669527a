"""From the inbox to what is known of cars: a batch at a time, in one transaction, each event once.

A crash leaves the rows waiting; a poison message is set aside after its attempts, and holds up nobody.
"""

import traceback
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import Q
from django.utils import timezone

from commands import settling as commands
from connect import lifecycle
from connect.driver import privacy
from connect.models import Connection, ConnectionState
from vehicles import services as vehicles
from vehicles.models import Vehicle
from vehicles.observations import Observation, SignalError, SignalStatus
from vehicles.services import Sighting
from webhooks import complaints
from webhooks.models import EntryState, InboxEntry, Source
from webhooks.parsing import Malformed, parse_delivery, parse_v2_batch, parse_v3_signals
from webhooks.parsing.types import VEHICLE_ERROR, VEHICLE_STATE, Delivery, ReportedError, VehicleReport

BATCH = 200
ATTEMPTS = 5
BACKOFF = timedelta(seconds=10)
_SETTLED = ("id", "state", "note", "event_id", "event_type", "smartcar_vehicle_id", "processed_at")
_SETTLE = """
    UPDATE webhooks_inboxentry AS entry
    SET state = row.state, note = row.note, event_id = row.event_id, event_type = row.event_type,
        smartcar_vehicle_id = row.smartcar_vehicle_id, processed_at = row.processed_at
    FROM json_to_recordset(%s::json) AS row
        (id bigint, state text, note text, event_id text, event_type text, smartcar_vehicle_id text,
         processed_at timestamptz)
    WHERE entry.id = row.id
"""
PLACE_HIDDEN = "Its place is hidden by the driver: the message was not kept, the rest of it was recorded."


def process_waiting() -> int:
    """Processes all that waits. Returns how many messages were done."""
    done = 0
    while count := _process_batch():
        done += count
    return done


def release_quarantined() -> int:
    """Lets go of messages about cars that were unknown and are connected by now."""
    known = Connection.objects.exclude(state=ConnectionState.REMOVED).values("vehicle__smartcar_id")
    held = InboxEntry.objects.filter(
        state=EntryState.QUARANTINED,
        smartcar_vehicle_id__in=known,
        event_type__in=[VEHICLE_STATE, VEHICLE_ERROR],
    )
    return held.update(state=EntryState.WAITING, note="")


def _process_batch() -> int:
    try:
        with transaction.atomic():
            entries = _claim(limit=BATCH)
            _handle(entries)
            return len(entries)
    except (OperationalError, InterfaceError):
        # The database is in trouble, not the messages: they go on waiting.
        raise
    except Exception:  # noqa: BLE001  one message is poison, or was processed elsewhere just now: find it
        return _process_singly()


def _process_singly() -> int:
    waiting = InboxEntry.objects.filter(_due(), state=EntryState.WAITING).order_by("id")
    done = 0
    for entry_id in list(waiting.values_list("pk", flat=True)[:BATCH]):
        try:
            with transaction.atomic():
                entries = _claim(limit=1, only=entry_id)
                _handle(entries)
                done += len(entries)
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:  # noqa: BLE001  where it broke is kept with the message
            _failed(entry_id, _trace(error))
            done += 1
    return done


def _trace(error: Exception) -> str:
    """Where it broke, and the first line of why: further lines of a database error can repeat a place or a VIN."""
    reason = (str(error).splitlines() or [""])[0]
    return "".join([*traceback.format_tb(error.__traceback__), f"{type(error).__name__}: {reason}"])[-8000:]


def _due() -> Q:
    return Q(next_try_at=None) | Q(next_try_at__lte=timezone.now())


def _claim(*, limit: int, only: int | None = None) -> list[InboxEntry]:
    waiting = InboxEntry.objects.filter(_due(), state=EntryState.WAITING).order_by("id")
    if only is not None:
        waiting = waiting.filter(pk=only)
    return list(waiting.select_for_update(skip_locked=True)[:limit])


def _failed(entry_id: int, trace: str) -> None:
    with transaction.atomic():
        entry = InboxEntry.objects.select_for_update().get(pk=entry_id)
        entry.attempts += 1
        entry.traceback = trace
        entry.next_try_at = timezone.now() + BACKOFF * 2**entry.attempts
        if entry.attempts >= ATTEMPTS:
            entry.state = EntryState.DEAD
            entry.note = f"It failed {ATTEMPTS} times."
        entry.save(update_fields=["attempts", "traceback", "next_try_at", "state", "note"])


@dataclass(slots=True)
class _Opened:
    """A message that was understood and is about cars of ours."""

    entry: InboxEntry
    delivery: Delivery
    cars: dict[str, list[int]]


def _handle(entries: Sequence[InboxEntry]) -> None:
    now = timezone.now()
    opened = _known_only(_unseen_only([pair for entry in entries if (pair := _open(entry))]))
    sightings = _allowed(opened, now=now)
    recorded = vehicles.record(sightings=sightings)
    commands.heard(updates=recorded.updates, now=now)
    _tell_lifecycle(opened, fresh=recorded.fresh)
    for entry in entries:
        entry.processed_at = now
        if entry.state == EntryState.WAITING:
            entry.state = EntryState.PROCESSED
    _settle(entries)


def _tell_lifecycle(opened: Sequence[_Opened], *, fresh: set[int]) -> None:
    """What was heard of connections as a whole: complaints first, since data of a later time heals them."""
    reports: list[lifecycle.Report] = []
    heard: dict[tuple[int, str], datetime] = {}
    for each in opened:
        about = each.delivery, each.cars, each.entry.received_at
        reports += complaints.reports_of(*about)
        for key, at in complaints.heard(*about, fresh=fresh).items():
            heard[key] = max(at, heard.get(key, at))
    lifecycle.errors_reported(reports=reports)
    lifecycle.data_arrived(heard=heard)


def _settle(entries: Sequence[InboxEntry]) -> None:
    rows = [{name: getattr(entry, name) for name in _SETTLED} for entry in entries]
    with connection.cursor() as cursor:
        cursor.execute(_SETTLE, [orjson.dumps(rows).decode()])


def _allowed(opened: Sequence[_Opened], *, now: datetime) -> list[Sighting]:
    """What may be kept: not a place that its driver hides, and not the raw message that holds one either."""
    read = [(message, list(_sightings(message))) for message in opened]
    rules = privacy.rules_of(
        vehicle_ids={sighting.vehicle_id for _, seen in read for sighting in seen}, now=now
    )
    allowed = []
    for message, seen in read:
        kept = rules.without_hidden(seen)
        if len(kept) < len(seen):
            message.entry.note = PLACE_HIDDEN
            InboxEntry.objects.filter(pk=message.entry.pk).update(body=b"")
        allowed += kept
    return allowed


def _open(entry: InboxEntry) -> tuple[InboxEntry, Delivery] | None:
    """The message as data; None when there is nothing to record, with the reason on the entry."""
    try:
        delivery = _parse(entry)
    except Malformed as malformed:
        _set_aside(entry, EntryState.DEAD, malformed.reason)
        return None
    entry.event_id = delivery.event_id[:128]
    entry.event_type = delivery.event_type[:40]
    if delivery.reports:
        entry.smartcar_vehicle_id = delivery.reports[0].facts.smartcar_id[:128]
    if delivery.mode == "test":
        _set_aside(entry, EntryState.TEST, "A test delivery of Smartcar's dashboard.")
        return None
    if delivery.event_type not in (VEHICLE_STATE, VEHICLE_ERROR):
        _set_aside(entry, EntryState.QUARANTINED, "An event type that we do not know.")
        return None
    return entry, delivery


def _parse(entry: InboxEntry) -> Delivery:
    if entry.source == Source.WEBHOOK:
        return parse_delivery(bytes(entry.body), received_at=entry.received_at)
    parse = parse_v2_batch if entry.source == Source.PULL_V2 else parse_v3_signals
    report = parse(
        orjson.loads(bytes(entry.body)),
        vehicle_id=entry.smartcar_vehicle_id,
        received_at=entry.received_at,
    )
    return Delivery(event_id=f"pull:{entry.pk}", event_type=VEHICLE_STATE, reports=(report,))


def _set_aside(entry: InboxEntry, state: EntryState, note: str) -> None:
    entry.state = state
    entry.note = note[:300]


def _unseen_only(pairs: list[tuple[InboxEntry, Delivery]]) -> list[tuple[InboxEntry, Delivery]]:
    ids = [entry.event_id for entry, _ in pairs]
    seen = set(
        InboxEntry.objects.filter(event_id__in=ids, state=EntryState.PROCESSED).values_list(
            "event_id", flat=True
        )
    )
    fresh = []
    for entry, delivery in pairs:
        if entry.event_id in seen:
            _set_aside(entry, EntryState.DUPLICATE, "")
        else:
            seen.add(entry.event_id)
            fresh.append((entry, delivery))
    return fresh


def _known_only(pairs: list[tuple[InboxEntry, Delivery]]) -> list[_Opened]:
    named = {report.facts.smartcar_id for _, delivery in pairs for report in delivery.reports}
    cars: dict[str, list[int]] = {}
    alive = Connection.objects.exclude(state=ConnectionState.REMOVED)
    connected = Vehicle.objects.filter(smartcar_id__in=named, connections__in=alive).distinct()
    for smartcar_id, pk in connected.values_list("smartcar_id", "pk"):
        cars.setdefault(smartcar_id, []).append(pk)
    opened = []
    for entry, delivery in pairs:
        if any(report.facts.smartcar_id in cars for report in delivery.reports):
            opened.append(_Opened(entry, delivery, cars))
        else:
            _set_aside(entry, EntryState.QUARANTINED, "About a car that is not connected here.")
    return opened


def _sightings(message: _Opened) -> Iterable[Sighting]:
    for report in message.delivery.reports:
        for vehicle_id in message.cars.get(report.facts.smartcar_id, ()):
            for observation in (*report.observations, *_errors_as_observations(report, message)):
                yield Sighting(
                    vehicle_id=vehicle_id,
                    observation=observation,
                    received_at=message.entry.received_at,
                    sequence=message.delivery.sequence,
                )


def _errors_as_observations(report: VehicleReport, message: _Opened) -> Iterable[Observation]:
    """A VEHICLE_ERROR about certain signals says how their last read went: badly, or well again."""
    at = message.delivery.delivered_at or message.entry.received_at
    for error in report.errors:
        for code in error.signals:
            yield _as_observation(error, code=code, at=at)


def _as_observation(error: ReportedError, *, code: str, at: datetime) -> Observation:
    if error.state == "RESOLVED":
        return Observation(code=code, status=SignalStatus.SUCCESS, retrieved_at=at)
    return Observation(
        code=code,
        status=SignalStatus.ERROR,
        error=SignalError(
            type=error.type,
            code=error.code,
            description=error.suggested_user_message or error.description,
            resolution_type=error.resolution_type,
        ),
        retrieved_at=at,
    )

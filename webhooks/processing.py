"""Processes the inbox in batches: one transaction per batch, each event once.

After a crash, the rows are still queued. A delivery that keeps failing becomes undeliverable after ATTEMPTS and
doesn't block others.
"""

import math
import time
import traceback
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

import orjson
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from alerts import battery
from commands import confirmation as commands
from connect import health
from connect.models import Connection, ConnectionState
from connect.offboarding import selectors as offboarding
from core import pubsub
from core.pubsub import Channel
from core.task_queue import enqueue
from vehicles import identity
from vehicles import services as vehicles
from vehicles.observations import VehicleFacts
from webhooks import connection_reports, keys, silence_monitor, vehicle_errors
from webhooks.event_parsing import ParsedMessage, get_smartcar_vehicle_id, parse_all, quarantine
from webhooks.messages import DeliveryNote
from webhooks.models import EntryState, InboxEntry, Source
from webhooks.parsing.types import VEHICLE_ERROR, VEHICLE_STATE, ReportedError
from webhooks.privacy_filter import UNRECORDED, empty_unrecorded, named_vehicles, permitted_readings
from webhooks.vehicle_errors import ErrorOccurrence

BATCH = 200
# The share of one application in a batch while deliveries of others are queued, so that they don't wait for all of its.
SHARE = BATCH // 2
ATTEMPTS = 5
BACKOFF = timedelta(seconds=10)
_COMPLETED = (
    "id",
    "state",
    "note_code",
    "note_params",
    "event_id",
    "event_type",
    "smartcar_vehicle_id",
    "processed_at",
)
_STORE_RESULTS = """
    UPDATE webhooks_inboxentry AS entry
    SET state = row.state, note_code = row.note_code, note_params = row.note_params, event_id = row.event_id,
        event_type = row.event_type, smartcar_vehicle_id = row.smartcar_vehicle_id, processed_at = row.processed_at
    FROM json_to_recordset(%s::json) AS row
        (id bigint, state text, note_code text, note_params jsonb, event_id text, event_type text,
         smartcar_vehicle_id text, processed_at timestamptz)
    WHERE entry.id = row.id
"""


def process_waiting(*, seconds: float = math.inf) -> int:
    """Processes queued entries and returns how many.

    Stops after about `seconds`, and enqueues another task for the rest.
    """
    done, ends = 0, time.monotonic() + seconds
    while count := _process_batch():
        done += count
        if time.monotonic() > ends:
            enqueue("webhooks.tasks.process_inbox")
            break
    return done


def release_quarantined() -> int:
    """Queues quarantined deliveries again whose vehicles have been connected since, and returns how many."""
    connections = Connection.objects.exclude(state=ConnectionState.REMOVED)
    quarantined = InboxEntry.objects.filter(
        state=EntryState.QUARANTINED, event_type__in=[VEHICLE_STATE, VEHICLE_ERROR]
    )
    released = 0
    for application in connections.order_by().values_list("application_id", flat=True).distinct():
        known = connections.filter(application_id=application).values("vehicle__smartcar_id")
        releasable = keys.signed_by(quarantined, application=application).filter(
            smartcar_vehicle_id__in=known
        )
        released += releasable.update(state=EntryState.WAITING, note_code="", note_params={})
    return released


def _process_batch() -> int:
    try:
        with transaction.atomic():
            entries = _claim(limit=BATCH)
            _handle(entries)
            return len(entries)
    except (OperationalError, InterfaceError):
        # The database has failed, not the deliveries: they remain queued.
        raise
    except Exception:  # noqa: BLE001  one delivery fails, or was just processed elsewhere: find it
        return _process_one_by_one()


def _process_one_by_one() -> int:
    with transaction.atomic():
        ids = [entry.pk for entry in _claim(limit=BATCH)]
    done = 0
    for entry_id in ids:
        try:
            with transaction.atomic():
                entries = _claim(limit=1, only=entry_id)
                _handle(entries)
                done += len(entries)
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:  # noqa: BLE001  the traceback is stored with the entry
            _failed(entry_id, _trace(error))
            done += 1
    return done


def _trace(error: Exception) -> str:
    """Returns the traceback with the first line of the error.

    Further lines of a database error can contain a location or a VIN.
    """
    reason = (str(error).splitlines() or [""])[0]
    return "".join([*traceback.format_tb(error.__traceback__), f"{type(error).__name__}: {reason}"])[-8000:]


def _due() -> Q:
    return Q(next_try_at=None) | Q(next_try_at__lte=timezone.now())


def _claim(*, limit: int, only: int | None = None) -> list[InboxEntry]:
    waiting = InboxEntry.objects.filter(_due(), state=EntryState.WAITING).order_by("id")
    if only is not None:
        waiting = waiting.filter(pk=only)
    oldest = list(waiting.select_for_update(skip_locked=True)[:limit])
    if len(oldest) < BATCH:
        return oldest
    return _shared(oldest, waiting)


def _shared(oldest: list[InboxEntry], waiting: QuerySet[InboxEntry]) -> list[InboxEntry]:
    """Replaces what one application has beyond its SHARE of a full batch with deliveries of others, if any wait."""
    application, count = Counter(entry.application_id for entry in oldest).most_common(1)[0]
    senders = {key.application_id for key in keys.current()}
    if count <= SHARE or senders <= {None}:
        return oldest
    others = waiting.filter(~Q(application=application)).exclude(pk__in=[entry.pk for entry in oldest])
    instead = list(others.select_for_update(skip_locked=True)[: count - SHARE])
    own = [entry for entry in oldest if entry.application_id == application]
    left = {entry.pk for entry in own[len(own) - len(instead) :]}
    return [entry for entry in oldest if entry.pk not in left] + instead


def _failed(entry_id: int, trace: str) -> None:
    with transaction.atomic():
        entry = InboxEntry.objects.select_for_update().get(pk=entry_id)
        entry.attempts += 1
        entry.traceback = trace
        # Lets the fleet's managers see the entry.
        entry.smartcar_vehicle_id = entry.smartcar_vehicle_id or get_smartcar_vehicle_id(entry)
        entry.next_try_at = timezone.now() + BACKOFF * 2**entry.attempts
        if entry.attempts >= ATTEMPTS:
            entry.state = EntryState.DEAD
            entry.set_note(DeliveryNote.FAILED.message(times=ATTEMPTS))
        entry.save(
            update_fields=[
                "attempts",
                "traceback",
                "next_try_at",
                "state",
                "note_code",
                "note_params",
                "smartcar_vehicle_id",
            ]
        )
        _drop_for_offboarded_vehicles([entry])
        empty_unrecorded([entry], now=timezone.now())


def _handle(entries: Sequence[InboxEntry]) -> None:
    now = timezone.now()
    parsed = parse_all(entries)
    new_errors = _new_errors(parsed)
    identity.fill_missing_facts(_facts(parsed))
    recorded = vehicles.ingest_readings(batch=permitted_readings(parsed, now=now))
    commands.on_signals(updates=recorded.updates, now=now)
    battery.on_signals(updates=recorded.updates, now=now)
    _update_connections(parsed, healthy=recorded.healthy, new_errors=new_errors)
    silence_monitor.record_deliveries(_deliveries(parsed))
    pubsub.publish_on_commit(channel=Channel.SIGNALS, vehicles=recorded.changed)
    _drop_for_offboarded_vehicles(entries)
    empty_unrecorded(entries, now=now)
    for entry in entries:
        entry.processed_at = now
        if entry.state == EntryState.WAITING:
            entry.state = EntryState.PROCESSED
    _complete(entries)


def _facts(parsed: Sequence[ParsedMessage]) -> dict[int, VehicleFacts]:
    """Returns what the deliveries say about the vehicles themselves; all that is known from several deliveries."""
    known: dict[int, VehicleFacts] = {}
    for each in parsed:
        for report in each.delivery.reports:
            for vehicle_id in each.vehicles.get(report.facts.smartcar_id, ()):
                earlier = known.get(vehicle_id)
                known[vehicle_id] = report.facts.completed_by(earlier) if earlier else report.facts
    return known


def _new_errors(parsed: Sequence[ParsedMessage]) -> set[tuple[int, str, ReportedError]]:
    """Returns the errors that Smartcar has not reported before, by vehicle and event."""
    occurrences = [
        ErrorOccurrence(
            vehicle_id, report.facts.user_id, error, each.delivery.event_id, each.entry.received_at
        )
        for each in parsed
        for report in each.delivery.reports
        for vehicle_id in each.vehicles.get(report.facts.smartcar_id, ())
        for error in report.errors
    ]
    if not occurrences:
        return set()
    # Lock all vehicles of the batch at once. Later locks are a subset of these, so concurrent batches can't deadlock.
    vehicles.lock_vehicles(vehicle_ids={pk for each in parsed for pk in each.vehicle_ids()})
    return {(each.vehicle_id, each.event_id, each.error) for each in vehicle_errors.record_new(occurrences)}


def _deliveries(parsed: Sequence[ParsedMessage]) -> dict[int, silence_monitor.VehicleDelivery]:
    """Returns the newest webhook delivery of each vehicle; API responses don't count."""
    newest: dict[int, silence_monitor.VehicleDelivery] = {}
    for each in sorted(parsed, key=lambda each: each.entry.received_at):
        if each.entry.source == Source.WEBHOOK and each.delivery.event_type == VEHICLE_STATE:
            for report in each.delivery.reports:
                at = silence_monitor.VehicleDelivery(at=each.entry.received_at, make=report.facts.make)
                newest |= dict.fromkeys(each.vehicles.get(report.facts.smartcar_id, ()), at)
    return newest


def _update_connections(
    parsed: Sequence[ParsedMessage], *, healthy: set[int], new_errors: set[tuple[int, str, ReportedError]]
) -> None:
    """Updates the connections' status: errors first, since later data can resolve them."""
    reports: list[health.ErrorReport] = []
    received: dict[tuple[int, str], datetime] = {}
    for each in parsed:
        context = each.delivery, each.vehicles, each.entry.received_at
        reports += connection_reports.error_reports(*context, new_errors=new_errors)
        for key, at in connection_reports.healthy_users(*context, healthy=healthy).items():
            received[key] = max(at, received.get(key, at))
    health.on_errors(reports=reports)
    health.on_data(received=received)


def _complete(entries: Sequence[InboxEntry]) -> None:
    rows = [{name: getattr(entry, name) for name in _COMPLETED} for entry in entries]
    with connection.cursor() as cursor:
        cursor.execute(_STORE_RESULTS, [orjson.dumps(rows).decode()])


def _drop_for_offboarded_vehicles(entries: Sequence[InboxEntry]) -> None:
    """Deletes the bodies of deliveries that aren't recorded and are about vehicles that have left their fleet."""
    named = {entry: named_vehicles(entry) for entry in entries if entry.state in UNRECORDED}
    if not named:
        return
    offboarded = offboarding.offboarded_vehicles(smartcar_ids=set().union(*named.values()))
    dropped = [entry for entry, vehicles in named.items() if vehicles & offboarded]
    for entry in dropped:
        state = EntryState.PROCESSED if entry.state == EntryState.QUARANTINED else EntryState(entry.state)
        quarantine(entry, state, DeliveryNote.VEHICLE_OFFBOARDED.message())
    InboxEntry.objects.filter(pk__in=[entry.pk for entry in dropped]).update(body=b"", traceback="")

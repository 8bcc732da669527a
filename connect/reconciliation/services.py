"""Fetches Smartcar's lists, compares them with our connections, repairs discrepancies, and stores the report."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import SmartcarApiVersion
from connect import applications, gateway, token_store
from connect.applications import Application
from connect.gateway import CallPurpose
from connect.messages import NO_PROBLEM, Problem, ReconciliationNote, StateEvidence, StateReason
from connect.models import Connection, ConnectionState, RefusedGrant, SmartcarApplication
from connect.offboarding import worker
from connect.reconciliation import diff
from connect.reconciliation.diff import Difference, DiscrepancyType, Local, Remote
from connect.reconciliation.models import (
    Discrepancy,
    FleetReconciliation,
    Reconciliation,
    ReconciliationOutcome,
)
from connect.refusals import services as refusals
from connect.status import reasons, state_machine
from connect.status.transitions import Decision, apply_transitions
from core.task_queue import enqueue_on_commit
from smartcar_api import ListedConnection, SmartcarError

MODES = ("live", "simulated")
# A run that has not finished after this time has crashed and no longer blocks the next one.
ABANDONED = timedelta(hours=2)
RETENTION = timedelta(days=90)
# How long a request for a page of a list may wait for the request budget, which regains one request in half a minute.
PATIENCE_SECONDS = 90.0


_EVIDENCE = StateEvidence.RECONCILIATION.message()


@dataclass(frozen=True, slots=True)
class Repair:
    """What was done about one discrepancy. `error` is Smartcar's error, if there was one."""

    done: bool
    note: ReconciliationNote
    error: SmartcarError | None = None

    def note_columns(self) -> dict[str, Any]:
        """The values of the note's columns."""
        if self.error is None:
            return Problem(self.note.message()).columns("note")
        return Problem(self.note.message(why=self.error.message), self.error.smartcar_message).columns("note")


@dataclass(frozen=True, slots=True)
class RemoteLists:
    """Smartcar's complete lists. `subscribed` is None where there is no such list (v2)."""

    connections: tuple[ListedConnection, ...]
    subscribed: frozenset[tuple[str, str]] | None


def reconcile_all() -> list[Reconciliation]:
    """Reconciles every application and each API version that its connections use, one after another."""
    now = timezone.now()
    Reconciliation.objects.filter(outcome=ReconciliationOutcome.RUNNING, began_at__lt=now - ABANDONED).update(
        outcome=ReconciliationOutcome.FAILED,
        finished_at=now,
        **Problem(ReconciliationNote.INTERRUPTED.message()).columns("problem"),
    )
    Reconciliation.objects.filter(began_at__lt=now - RETENTION).delete()
    done = []
    for application in [None, *SmartcarApplication.objects.all()]:
        used = Connection.objects.filter(application=application).order_by()
        for api_version in sorted(set(used.values_list("api_version", flat=True)), reverse=True):
            report = reconcile(application=application, api_version=SmartcarApiVersion(api_version))
            done += [report] if report is not None else []
    return done


def reconcile(
    *, application: SmartcarApplication | None, api_version: SmartcarApiVersion
) -> Reconciliation | None:
    """Runs one reconciliation and returns its report; None while another process is running the same one.

    `application` is None for the application in the settings.
    """
    try:
        with transaction.atomic():
            run = Reconciliation.objects.create(application=application, api_version=api_version)
    except IntegrityError:
        return None
    try:
        with (
            token_store.decryption_checked(),
            gateway.purpose(CallPurpose.BACKGROUND, patience=PATIENCE_SECONDS),
        ):
            lists = _lists(applications.get_application(application), api_version)
    except (SmartcarError, token_store.TokensUnavailableError) as error:
        return _finish(run, ReconciliationOutcome.FAILED, problem=Problem.from_error(error))
    rows = {
        row.pk: row
        for row in Connection.objects.filter(application=application, api_version=api_version).select_related(
            "vehicle", "fleet", "tokens", "application"
        )
    }
    run.ours = sum(row.granted for row in rows.values())
    run.theirs = len(lists.connections)
    run.subscriptions = None if lists.subscribed is None else len(lists.subscribed)
    _record_fleets(run, rows)
    found = diff.diff(
        ours=map(_local, rows.values()),
        theirs=[
            Remote(each.user_id, each.vehicle_id, each.connection_id, each.since, each.external_id)
            for each in lists.connections
        ],
        subscribed=lists.subscribed,
        began_at=run.began_at,
    )
    gone = sum(each.kind is DiscrepancyType.GONE for each in found)
    suspicious = diff.is_suspicious(active=run.ours, gone=gone)
    for each in _drop_known_elsewhere(found, run):
        _resolve(run, each, rows, reliable=not suspicious)
    return _finish(run, ReconciliationOutcome.DOUBTED if suspicious else ReconciliationOutcome.DONE)


def _lists(application: Application, api_version: SmartcarApiVersion) -> RemoteLists:
    """Fetches the lists. Raises SmartcarError if any page is unavailable: incomplete lists are not used."""
    if api_version == SmartcarApiVersion.V2:
        return RemoteLists(application.v2.all_connections(), None)
    access = token_store.application_access(application=application, user_id="")
    api = application.v3
    try:
        found = [each for mode in MODES for each in api.all_connections(access.token, mode=mode)]
        if not application.webhook_id:
            return RemoteLists(tuple(found), None)
        subscribed = frozenset(
            (each.user_id, each.vehicle_id)
            for mode in MODES
            for each in api.all_subscriptions(access.token, webhook_id=application.webhook_id, mode=mode)
        )
    except SmartcarError as error:
        if error.unauthorized:
            token_store.discard_application_token(application=application)
        raise
    return RemoteLists(tuple(found), subscribed)


def _local(row: Connection) -> Local:
    return Local(
        pk=row.pk,
        user_id=row.smartcar_user_id,
        vehicle_id=row.vehicle.smartcar_id,
        connection_id=row.smartcar_connection_id,
        ended=row.state == ConnectionState.REVOKED,
        removed=row.state == ConnectionState.REMOVED,
        subscribed=row.subscribed_at is not None,
        since=row.state_since,
    )


def _drop_known_elsewhere(found: list[Difference], run: Reconciliation) -> list[Difference]:
    """Drops unknown and leftover connections of the other API version: Smartcar's list contains those of both."""
    other = Connection.objects.filter(application=run.application).exclude(api_version=run.api_version)
    known = set(other.values_list("smartcar_user_id", "vehicle__smartcar_id"))
    return [
        each
        for each in found
        if each.kind not in (DiscrepancyType.UNKNOWN, DiscrepancyType.LEFTOVER)
        or each.theirs is None
        or each.theirs.key not in known
    ]


def _record_fleets(run: Reconciliation, rows: Mapping[int, Connection]) -> None:
    counts: dict[int, int] = {}
    for row in rows.values():
        counts[row.fleet_id] = counts.get(row.fleet_id, 0) + row.granted
    FleetReconciliation.objects.bulk_create(
        FleetReconciliation(reconciliation=run, fleet_id=fleet_id, connections=count)
        for fleet_id, count in counts.items()
    )


def _resolve(
    run: Reconciliation, found: Difference, rows: Mapping[int, Connection], *, reliable: bool
) -> None:
    """Repairs one difference if that is safe, and records the discrepancy."""
    entry = found.ours or found.theirs
    if entry is None:
        return
    row = rows[found.ours.pk] if found.ours else None
    refused = refusals.find_grant(application=run.application, listed=found.theirs) if row is None else None
    kind, repair = found.kind, Repair(False, ReconciliationNote.UNKNOWN)
    if refused is not None:
        kind, repair = DiscrepancyType.REFUSED, _end_refused(refused)
    elif row is not None and found.kind in _REPAIRS:
        if reliable or found.kind is not DiscrepancyType.GONE:
            repair = _REPAIRS[found.kind](row, found, run.began_at)
        else:
            repair = Repair(False, ReconciliationNote.TOO_MANY_MISSING)
    elif row is not None:
        repair = Repair(False, ReconciliationNote.RECREATED)
    Discrepancy.objects.create(
        reconciliation=run,
        connection=row,
        refused_grant=refused,
        kind=kind,
        smartcar_user_id=entry.user_id,
        smartcar_vehicle_id=entry.vehicle_id,
        repaired=repair.done,
        **repair.note_columns(),
    )


def _gone(row: Connection, found: Difference, began_at: datetime) -> Repair:
    """Ends a connection missing from the application's list, once the driver's own list confirms that it is gone."""
    try:
        if row.api_version == SmartcarApiVersion.V2:
            with token_store.decryption_checked():
                api = applications.for_connection(row).v2
            still_listed = bool(
                api.all_connections(user_id=row.smartcar_user_id, vehicle_id=row.vehicle.smartcar_id)
            )
        else:
            shared = gateway.call(
                connection=row,
                purpose=CallPurpose.BACKGROUND,
                request=lambda api, access: api.shared_vehicles(access, mode=row.mode or "live"),
            )
            still_listed = any(each.vehicle_id == row.vehicle.smartcar_id for each in shared)
    except (SmartcarError, token_store.TokensUnavailableError):
        return Repair(False, ReconciliationNote.NOT_CONFIRMED)
    if still_listed:
        return Repair(False, ReconciliationNote.STILL_LISTED)

    def decide(connection: Connection, status: state_machine.Status) -> Decision:
        after = state_machine.on_listed(status, now=timezone.now(), found=False)
        return Decision(after, reasons.reason_for(ConnectionState.REVOKED, state_machine.GONE), _EVIDENCE)

    apply_transitions(Connection.objects.filter(pk=row.pk, state_since__lt=began_at), decide)
    return Repair(True, ReconciliationNote.CONNECTION_ENDED)


def _back(row: Connection, found: Difference, began_at: datetime) -> Repair:
    row.refresh_from_db(fields=["state", "state_since"])
    if row.state != ConnectionState.REVOKED:
        return Repair(False, ReconciliationNote.CHANGED_MEANWHILE)
    row.move_to(
        ConnectionState.PENDING,
        reason=StateReason.LISTED_AGAIN.message(),
        now=timezone.now(),
        evidence=_EVIDENCE,
    )
    _subscribe_again(row)
    return Repair(True, ReconciliationNote.CONNECTION_RESTORED)


def _unsubscribed(row: Connection, found: Difference, began_at: datetime) -> Repair:
    _subscribe_again(row)
    return Repair(True, ReconciliationNote.RESUBSCRIBING)


def _subscribe_again(row: Connection) -> None:
    with transaction.atomic():
        Connection.objects.filter(pk=row.pk).update(
            subscribed_at=None,
            next_subscription_try_at=None,
            **NO_PROBLEM.columns("subscription_error"),
        )
        enqueue_on_commit("connect.tasks.complete_connection", row.pk)


def _leftover(row: Connection, found: Difference, began_at: datetime) -> Repair:
    """Revokes again a grant that a driver or manager ended here and that Smartcar still lists."""
    row.refresh_from_db(fields=["state", "retired_at"])
    # A retired vehicle that is listed again is adopted again, and nobody wanted its grant to end.
    if row.state != ConnectionState.REMOVED or row.retired_at or worker.shared_elsewhere(row):
        return Repair(False, ReconciliationNote.CHANGED_MEANWHILE)
    try:
        worker.disconnect(
            row,
            connection_id=found.theirs.connection_id if found.theirs else "",
            purpose=CallPurpose.BACKGROUND,
        )
    except SmartcarError as error:
        return Repair(False, ReconciliationNote.GRANT_NOT_ENDED, error)
    except token_store.TokensUnavailableError:
        return Repair(False, ReconciliationNote.NO_TOKENS)
    return Repair(True, ReconciliationNote.GRANT_ENDED)


def _end_refused(grant: RefusedGrant) -> Repair:
    """Ends a grant of a driver whose authorization was refused, because the invitation was over."""
    error = refusals.end(grant=grant)
    if error is None:
        return Repair(True, ReconciliationNote.GRANT_ENDED)
    if isinstance(error, SmartcarError):
        return Repair(False, ReconciliationNote.GRANT_NOT_ENDED, error)
    return Repair(False, ReconciliationNote.NO_TOKENS)


def _new_id(row: Connection, found: Difference, began_at: datetime) -> Repair:
    if found.theirs is not None:
        Connection.objects.filter(pk=row.pk).update(smartcar_connection_id=found.theirs.connection_id)
    return Repair(True, ReconciliationNote.ID_UPDATED)


_REPAIRS: dict[DiscrepancyType, Callable[[Connection, Difference, datetime], Repair]] = {
    DiscrepancyType.GONE: _gone,
    DiscrepancyType.BACK: _back,
    DiscrepancyType.UNSUBSCRIBED: _unsubscribed,
    DiscrepancyType.LEFTOVER: _leftover,
    DiscrepancyType.NEW_ID: _new_id,
}


def _finish(
    run: Reconciliation, outcome: ReconciliationOutcome, *, problem: Problem = NO_PROBLEM
) -> Reconciliation:
    run.outcome, run.finished_at = outcome, timezone.now()
    for name, value in problem.columns("problem").items():
        setattr(run, name, value)
    run.save()
    return run

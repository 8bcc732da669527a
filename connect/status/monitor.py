"""Periodic checks of connections: missing data, pending issues, monthly limits, and probes."""

from datetime import datetime, timedelta

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce, Greatest

from connect import fetching, gateway, token_store
from connect.gateway import CallPurpose
from connect.messages import StateEvidence, StateReason
from connect.models import Connection, ConnectionState
from connect.status import reasons, state_machine
from connect.status.models import PendingIssue
from connect.status.state_machine import REQUESTS_USED_UP, Status
from connect.status.states import HEALTHY, TERMINATED
from connect.status.transitions import Decision, apply_transitions
from core.message_codes import CommonMessage
from core.task_queue import enqueue_on_commit
from smartcar_api import SmartcarError

# Smartcar's longest interval, for parked vehicles, is a day ("Data Freshness"), so two days are beyond any of them.
NO_DATA_AFTER = timedelta(hours=48)
# How often a degraded connection is probed, by one read through the API.
PROBE_INTERVAL = timedelta(days=1)
# When Smartcar's list is requested again for a connection that may be revoked, if the last request failed.
LIST_RETRY_INTERVAL = timedelta(minutes=10)
_BATCH = 200
_PROBE_BATCH = 20


def monitor_connections(*, now: datetime) -> None:
    """Runs all checks. Repeating is harmless."""
    apply_transitions(
        _batch(_without_recent_data(now=now)), lambda row, status: _mark_without_data(status, now=now)
    )
    apply_transitions(
        _batch(_with_overdue_issues(now=now)), lambda row, status: _confirm_issue(row, status, now=now)
    )
    apply_transitions(_batch(_at_plan_limit(now=now)), lambda row, status: _start_month(status, now=now))
    for connection_id in due_probes(now=now):
        enqueue_on_commit("connect.tasks.probe_connection", connection_id)


def _batch(found: QuerySet[Connection]) -> QuerySet[Connection]:
    """Returns one batch of these connections."""
    return Connection.objects.filter(pk__in=list(found.values_list("pk", flat=True)[:_BATCH]))


def _without_recent_data(*, now: datetime) -> QuerySet[Connection]:
    last_received = Greatest(Coalesce("vehicle__last_seen_at", F("created_at")), F("state_since"))
    return (
        Connection.objects.filter(state__in=HEALTHY)
        .alias(last_received=last_received)
        .filter(last_received__lte=now - NO_DATA_AFTER)
    )


def _mark_without_data(status: Status, *, now: datetime) -> Decision:
    after = state_machine.on_no_data(status, now=now)
    hours = NO_DATA_AFTER // timedelta(hours=1)
    return Decision(after, reasons.reason_for(after.state, ""), StateEvidence.NO_DATA.message(hours=hours))


def _with_overdue_issues(*, now: datetime) -> QuerySet[Connection]:
    overdue = Q(pending_issues__since__lte=now - state_machine.CONFIRMATION_TIMEOUT) & ~Q(
        pending_issues__state=ConnectionState.REVOKED
    )
    return Connection.objects.exclude(state__in=TERMINATED).filter(overdue).distinct()


def _confirm_issue(connection: Connection, status: Status, *, now: datetime) -> Decision:
    after = state_machine.confirm_after_timeout(status, now=now)
    issue = next((each for each in status.pending_issues if each.error == after.error), None)
    evidence = (issue and issue.evidence) or CommonMessage.TEXT.message(text=after.error)
    return Decision(
        after,
        reasons.reason_for(after.state, after.error),
        StateEvidence.NO_DATA_SINCE.message(evidence=evidence),
    )


def _at_plan_limit(*, now: datetime) -> QuerySet[Connection]:
    month = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return Connection.objects.filter(
        state=ConnectionState.PLAN_LIMIT, state_error=REQUESTS_USED_UP, state_since__lt=month
    )


def _start_month(status: Status, *, now: datetime) -> Decision:
    return Decision(
        state_machine.on_new_month(status, now=now),
        StateReason.NEW_MONTH.message(),
        StateEvidence.CALENDAR.message(),
    )


def due_probes(*, now: datetime) -> list[int]:
    """Claims the connections whose next probe is due, each for one process, and returns their IDs."""
    probe_due = Q(next_probe_at__lte=now) | Q(next_probe_at=None, state_since__lte=now - PROBE_INTERVAL)
    possibly_revoked = PendingIssue.objects.filter(
        connection=OuterRef("pk"), state=ConnectionState.REVOKED, since__lte=now - LIST_RETRY_INTERVAL
    )
    due = Connection.objects.exclude(state__in=TERMINATED).filter(
        (~Q(state__in=HEALTHY) & probe_due)
        | (Q(Exists(possibly_revoked)) & (Q(next_probe_at=None) | Q(next_probe_at__lte=now)))
    )
    ids = due.order_by("next_probe_at", "pk").values_list("pk", flat=True)[:_PROBE_BATCH]
    return [each for each in ids if due.filter(pk=each).update(next_probe_at=now + PROBE_INTERVAL)]


def probe(*, connection: Connection, now: datetime) -> None:
    """Checks the connection: with Smartcar's list if it may be revoked, else by reading the vehicle.

    The result of the read is processed by the inbox like any delivery, and reported to connect.health.
    """
    if connection.state in TERMINATED:
        return
    if connection.pending_issues.filter(state=ConnectionState.REVOKED).exists():
        _check_list(connection, now=now)
    else:
        fetching.request_fetch(connection_id=connection.pk, now=now)


def _check_list(connection: Connection, *, now: datetime) -> None:
    try:
        shared = gateway.call(
            connection=connection,
            purpose=CallPurpose.BACKGROUND,
            request=lambda api, access: api.shared_vehicles(access, mode=connection.mode),
        )
    except (SmartcarError, token_store.TokensUnavailableError):
        return  # Without a response there is no evidence. A later probe tries again.
    found = any(vehicle.vehicle_id == connection.vehicle.smartcar_id for vehicle in shared)
    apply_transitions(
        Connection.objects.filter(pk=connection.pk),
        lambda row, status: Decision(
            state_machine.on_listed(status, now=now, found=found),
            reasons.reason_for(ConnectionState.REVOKED, state_machine.GONE),
            StateEvidence.CONNECTION_LIST.message(),
        ),
    )

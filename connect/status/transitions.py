"""Stores the state machine's decisions: the change, its transition and pending issues, in one transaction."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from connect.models import Connection, ConnectionState
from connect.status import notifications, state_machine
from connect.status.models import PendingIssue, Transition
from connect.status.state_machine import Status
from core.message_codes import NO_MESSAGE, Message

_COLUMNS = [
    "state",
    "state_reason_code",
    "state_reason_params",
    "state_error",
    "state_since",
    "resolution_url",
    "next_probe_at",
]


@dataclass(frozen=True, slots=True)
class Decision:
    """A connection's new status, the reason for it, and the evidence."""

    status: Status
    reason: Message = NO_MESSAGE
    evidence: Message = NO_MESSAGE


def has_pending_issues() -> Exists:
    """Returns the condition that a connection has pending issues."""
    return Exists(PendingIssue.objects.filter(connection=OuterRef("pk")))


@transaction.atomic
def apply_transitions(
    connections: QuerySet[Connection], decide: Callable[[Connection, Status], Decision]
) -> int:
    """Locks these connections, decides on each, and stores changes. Returns how many changed their state.

    Queries: one if there are no connections; four for any number of changed states, plus those for pending issues and
    alerts.
    """
    rows = list(connections.order_by("pk").select_for_update(of=("self",), no_key=True))
    if not rows:
        return 0
    stored: dict[int, list[state_machine.PendingIssue]] = {}
    for each in PendingIssue.objects.filter(connection__in=[row.pk for row in rows]):
        stored.setdefault(each.connection_id, []).append(_pending_issue(each))
    transitioned: list[tuple[Connection, Decision]] = []
    changed: list[tuple[Connection, Status]] = []
    for row in rows:
        before = get_status(row, stored.get(row.pk, ()))
        decision = decide(row, before)
        if decision.status.pending_issues != before.pending_issues:
            changed.append((row, decision.status))
        if decision.status.state != before.state:
            transitioned.append((row, decision))
    _write_pending_issues(changed)
    _write_transitions(transitioned)
    return len(transitioned)


def get_status(connection: Connection, pending_issues: Iterable[state_machine.PendingIssue] = ()) -> Status:
    """Returns the connection's status for the state machine."""
    return Status(
        state=ConnectionState(connection.state),
        since=connection.state_since,
        error=connection.state_error,
        pending_issues=tuple(pending_issues),
    )


def _pending_issue(row: PendingIssue) -> state_machine.PendingIssue:
    return state_machine.PendingIssue(
        state=ConnectionState(row.state),
        error=row.error,
        source=state_machine.EvidenceSource(row.source),
        since=row.since,
        evidence=Message(row.evidence_code, row.evidence_params),
    )


def _write_pending_issues(changed: list[tuple[Connection, Status]]) -> None:
    if not changed:
        return
    PendingIssue.objects.filter(connection__in=[row.pk for row, _ in changed]).delete()
    PendingIssue.objects.bulk_create(
        PendingIssue(
            connection=row,
            state=each.state,
            error=each.error[:130],
            source=each.source,
            since=each.since,
            evidence_code=each.evidence.code,
            evidence_params=each.evidence.params,
        )
        for row, status in changed
        for each in status.pending_issues
    )


def _write_transitions(transitioned: list[tuple[Connection, Decision]]) -> None:
    if not transitioned:
        return
    Transition.objects.bulk_create(
        Transition.record(
            connection=row,
            from_state=row.state,
            to_state=decision.status.state,
            reason=decision.reason,
            evidence=decision.evidence,
            at=decision.status.since,
        )
        for row, decision in transitioned
    )
    former_states = [row.state for row, _ in transitioned]
    for row, decision in transitioned:
        row.state = decision.status.state
        row.state_reason_code = decision.reason.code
        row.state_reason_params = decision.reason.params
        row.state_error = decision.status.error[:130]
        row.state_since = decision.status.since
        row.next_probe_at = None
    Connection.objects.bulk_update(
        [row for row, _ in transitioned],
        _COLUMNS,
    )
    notifications.on_transition(
        zip((row for row, _ in transitioned), former_states, strict=True), now=timezone.now()
    )

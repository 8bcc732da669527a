"""Writing what the machine decides: the change, its transition and its suspicions, in one transaction."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from connect.models import Connection, ConnectionState
from connect.status import notifications, state_machine
from connect.status.models import PendingIssue, Transition
from connect.status.state_machine import Status

_COLUMNS = ["state", "state_cause", "state_error", "state_since", "resolution_url", "next_probe_at"]


@dataclass(frozen=True, slots=True)
class Decision:
    """A connection's new standing, why in words, and what that rests on."""

    standing: Status
    cause: str = ""
    evidence: str = ""


def pending_issues() -> Exists:
    """Whether something is suspected of a connection."""
    return Exists(PendingIssue.objects.filter(connection=OuterRef("pk")))


@transaction.atomic
def apply_transitions(
    connections: QuerySet[Connection], decide: Callable[[Connection, Status], Decision]
) -> int:
    """Locks these connections, decides on each, and writes what changed. Returns how many changed their state.

    Queries: one to lock, and nothing more when there are none; four for any number that change.
    """
    rows = list(connections.order_by("pk").select_for_update(of=("self",), no_key=True))
    if not rows:
        return 0
    held: dict[int, list[state_machine.PendingIssue]] = {}
    for each in PendingIssue.objects.filter(connection__in=[row.pk for row in rows]):
        held.setdefault(each.connection_id, []).append(_pending_issue(each))
    moved: list[tuple[Connection, Decision]] = []
    changed: list[tuple[Connection, Status]] = []
    for row in rows:
        before = status_of(row, held.get(row.pk, ()))
        verdict = decide(row, before)
        if verdict.standing.suspicions != before.suspicions:
            changed.append((row, verdict.standing))
        if verdict.standing.state != before.state:
            moved.append((row, verdict))
    _write_pending_issues(changed)
    _write_transitions(moved)
    return len(moved)


def status_of(connection: Connection, suspicions: Iterable[state_machine.PendingIssue] = ()) -> Status:
    """The connection as the machine sees it."""
    return Status(
        state=ConnectionState(connection.state),
        since=connection.state_since,
        error=connection.state_error,
        suspicions=tuple(suspicions),
    )


def _pending_issue(row: PendingIssue) -> state_machine.PendingIssue:
    return state_machine.PendingIssue(
        state=ConnectionState(row.state),
        error=row.error,
        source=state_machine.EvidenceSource(row.source),
        since=row.since,
        evidence=row.evidence,
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
            evidence=each.evidence[:160],
        )
        for row, standing in changed
        for each in standing.suspicions
    )


def _write_transitions(moved: list[tuple[Connection, Decision]]) -> None:
    if not moved:
        return
    Transition.objects.bulk_create(
        Transition(
            connection=row,
            from_state=row.state,
            to_state=verdict.standing.state,
            cause=verdict.cause[:200],
            evidence=verdict.evidence[:160],
            at=verdict.standing.since,
        )
        for row, verdict in moved
    )
    left = [row.state for row, _ in moved]
    for row, verdict in moved:
        row.state = verdict.standing.state
        row.state_cause = verdict.cause[:200]
        row.state_error = verdict.standing.error[:130]
        row.state_since = verdict.standing.since
        row.next_probe_at = None
    Connection.objects.bulk_update(
        [row for row, _ in moved],
        _COLUMNS,
    )
    notifications.on_transition(zip((row for row, _ in moved), left, strict=True), now=timezone.now())

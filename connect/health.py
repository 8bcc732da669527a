"""What is heard about connections, and what follows for their state. The rules: connect.status.state_machine."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from django.db.models import Case, IntegerField, Q, Value, When

from connect.messages import StateEvidence, StateReason
from connect.models import Connection, ConnectionState
from connect.status import reasons, state_machine
from connect.status.state_machine import ErrorSignal, EvidenceSource, Status
from connect.status.states import TERMINATED, USABLE
from connect.status.transitions import Decision, apply_transitions, pending_issues
from core.message_codes import NO_MESSAGE, Message
from core.task_queue import enqueue_on_commit
from smartcar_api import SmartcarError


@dataclass(frozen=True, slots=True)
class ErrorReport:
    """One error that Smartcar reported of one car of ours, or that it is over.

    `user_id` is the Smartcar user's, "" where the message names none; `on_signals`: it names certain signals.
    `at` is when we received it.
    """

    vehicle_id: int
    user_id: str
    type: str
    code: str | None
    state: Literal["ERROR", "RESOLVED"]
    source: EvidenceSource
    at: datetime
    evidence: Message = NO_MESSAGE
    on_signals: bool = False
    reauthenticate: bool = False
    resolution_url: str = ""


def on_data(*, heard: Mapping[tuple[int, str], datetime]) -> None:
    """Fresh data of these (vehicle id, Smartcar user id), with when it was received: their connections work.

    A user id of "" stands for every driver of the car. One query while nothing is wrong with any of them.
    """
    unwell = ~Q(state__in=[ConnectionState.ACTIVE, *TERMINATED])
    ids = {vehicle_id for vehicle_id, _ in heard}
    concerned = Connection.objects.filter(Q(unwell) | Q(pending_issues()), vehicle_id__in=ids)

    def decide(connection: Connection, standing: Status) -> Decision:
        times = [
            heard[key]
            for key in ((connection.vehicle_id, connection.smartcar_user_id), (connection.vehicle_id, ""))
            if key in heard
        ]
        if not times:
            return Decision(standing)
        return Decision(
            state_machine.on_data(standing, at=max(times)),
            StateReason.DATA_RECEIVED.message(),
            StateEvidence.FRESH_DATA.message(),
        )

    apply_transitions(concerned, decide)


def on_errors(*, reports: Iterable[ErrorReport]) -> None:
    """What Smartcar reported of cars: VEHICLE_ERROR events, and reads in which nothing came through."""
    by_car: dict[int, list[ErrorReport]] = {}
    for report in sorted(reports, key=lambda each: each.at):
        by_car.setdefault(report.vehicle_id, []).append(report)
    if not by_car:
        return

    def decide(connection: Connection, standing: Status) -> Decision:
        decision = Decision(standing)
        for report in by_car[connection.vehicle_id]:
            if report.user_id in ("", connection.smartcar_user_id):
                decision = _after(decision, report)
                _store_resolution_url(connection, report)
        _schedule_probe(connection, before=standing, after=decision.status)
        return decision

    apply_transitions(Connection.objects.filter(vehicle_id__in=by_car).exclude(state__in=TERMINATED), decide)


def _store_resolution_url(connection: Connection, report: ErrorReport) -> None:
    """Where Smartcar would have the driver sign in again: it may come with an error that is not believed yet."""
    if report.reauthenticate and report.resolution_url and report.state == "ERROR":
        connection.resolution_url = report.resolution_url
        Connection.objects.filter(pk=connection.pk).update(resolution_url=report.resolution_url)


def _after(decision: Decision, report: ErrorReport) -> Decision:
    before = decision.status
    if report.state == "RESOLVED":
        after = state_machine.resolved(before, type=report.type, code=report.code, at=report.at)
        reason = StateReason.RESOLVED.message()
    else:
        state = state_machine.state_for(
            type=report.type,
            code=report.code,
            source=report.source,
            on_signals=report.on_signals,
            reauthenticate=report.reauthenticate,
        )
        if state is None:
            return decision
        error = state_machine.name_of(report.type, report.code)
        after = state_machine.on_error(
            before, ErrorSignal(state, error, report.source, report.at, report.evidence)
        )
        reason = reasons.reason_for(state, error)
    if after.state == before.state:
        return Decision(after, decision.reason, decision.evidence)
    return Decision(after, reason, report.evidence)


def on_call_failed(*, connection: Connection, error: SmartcarError, now: datetime) -> None:
    """A call for this car was refused. What that says of the whole connection is kept, and looked into."""
    if error.not_found:
        state: ConnectionState | None = ConnectionState.REVOKED
        name = state_machine.GONE
    else:
        state = state_machine.state_for(
            type=error.type,
            code=error.code,
            source=EvidenceSource.CALL,
            reauthenticate=error.needs_reauth,
        )
        name = state_machine.name_of(error.type, error.code)
    if state is None:
        return
    evidence = (
        StateEvidence.REQUEST.message(request=error.request_id)
        if error.request_id
        else StateEvidence.CALL_REJECTED.message()
    )
    complaint = ErrorSignal(state, name, EvidenceSource.CALL, now, evidence)

    def decide(row: Connection, standing: Status) -> Decision:
        after = state_machine.on_error(standing, complaint)
        _schedule_probe(row, before=standing, after=after)
        return Decision(after, reasons.reason_for(after.state, name), evidence)

    apply_transitions(Connection.objects.filter(pk=connection.pk), decide)


def on_call_succeeded(*, connection: Connection, now: datetime) -> None:
    """A call about this car was answered, which the plan's limit would have prevented."""
    limited = Connection.objects.filter(pk=connection.pk, state=ConnectionState.PLAN_LIMIT)
    apply_transitions(
        limited,
        lambda _, standing: Decision(
            state_machine.on_call_succeeded(standing, now=now),
            StateReason.CALL_SUCCEEDED.message(),
            StateEvidence.CALL_SUCCEEDED.message(),
        ),
    )


def _schedule_probe(connection: Connection, *, before: Status, after: Status) -> None:
    """A new suspicion is looked into at once: by reading the car, or by asking for Smartcar's list."""
    if len(after.suspicions) > len(before.suspicions):
        enqueue_on_commit("connect.tasks.probe_connection", connection.pk)


def best_connection(*, vehicle_id: int) -> Connection | None:
    """The connection through which the car can be called now: the one in the best state, the newest of those."""
    return best_connections(vehicle_ids=[vehicle_id]).get(vehicle_id)


def best_connections(*, vehicle_ids: Iterable[int]) -> dict[int, Connection]:
    """The usable connection of each of the cars that has one, by the car's id, in one query."""
    rank = Case(
        *(When(state=state, then=Value(place)) for place, state in enumerate(USABLE)),
        output_field=IntegerField(),
    )
    best = (
        Connection.objects.select_related("vehicle", "tokens", "fleet")
        .filter(vehicle_id__in=list(vehicle_ids), state__in=USABLE)
        .order_by("vehicle_id", rank, "-created_at")
        .distinct("vehicle_id")
    )
    return {connection.vehicle_id: connection for connection in best}

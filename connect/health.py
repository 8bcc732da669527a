"""Updates connections from received data, errors and API calls. The rules are in connect.status.state_machine."""

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
from connect.status.transitions import Decision, apply_transitions, has_pending_issues
from core.message_codes import NO_MESSAGE, Message
from core.task_queue import enqueue_on_commit
from smartcar_api import SmartcarError


@dataclass(frozen=True, slots=True)
class ErrorReport:
    """An error that Smartcar reported for a vehicle, or its resolution.

    `user_id` is the Smartcar user ID, "" if the report contains none. `on_signals`: the error concerns only certain
    signals. `at` is when the report was received.
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


def on_data(*, received: Mapping[tuple[int, str], datetime]) -> None:
    """Handles fresh data, given as its time of receipt by (vehicle ID, Smartcar user ID): these connections work.

    A user ID of "" stands for all drivers of the vehicle. One query if all connections are healthy.
    """
    unhealthy = ~Q(state__in=[ConnectionState.ACTIVE, *TERMINATED])
    ids = {vehicle_id for vehicle_id, _ in received}
    affected = Connection.objects.filter(Q(unhealthy) | Q(has_pending_issues()), vehicle_id__in=ids)

    def decide(connection: Connection, status: Status) -> Decision:
        times = [
            received[key]
            for key in ((connection.vehicle_id, connection.smartcar_user_id), (connection.vehicle_id, ""))
            if key in received
        ]
        if not times:
            return Decision(status)
        return Decision(
            state_machine.on_data(status, at=max(times)),
            StateReason.DATA_RECEIVED.message(),
            StateEvidence.FRESH_DATA.message(),
        )

    apply_transitions(affected, decide)


def on_errors(*, reports: Iterable[ErrorReport]) -> None:
    """Handles errors that Smartcar reported for vehicles: VEHICLE_ERROR events, and reads without any valid signal."""
    by_vehicle: dict[int, list[ErrorReport]] = {}
    for report in sorted(reports, key=lambda each: each.at):
        by_vehicle.setdefault(report.vehicle_id, []).append(report)
    if not by_vehicle:
        return

    def decide(connection: Connection, status: Status) -> Decision:
        decision = Decision(status)
        for report in by_vehicle[connection.vehicle_id]:
            if report.user_id in ("", connection.smartcar_user_id):
                decision = _apply_report(decision, report)
                _store_resolution_url(connection, report)
        _schedule_probe(connection, before=status, after=decision.status)
        return decision

    apply_transitions(
        Connection.objects.filter(vehicle_id__in=by_vehicle).exclude(state__in=TERMINATED), decide
    )


def _store_resolution_url(connection: Connection, report: ErrorReport) -> None:
    """Stores the URL where the driver can sign in again. The error it comes with may not be confirmed yet."""
    if report.reauthenticate and report.resolution_url and report.state == "ERROR":
        connection.resolution_url = report.resolution_url
        Connection.objects.filter(pk=connection.pk).update(resolution_url=report.resolution_url)


def _apply_report(decision: Decision, report: ErrorReport) -> Decision:
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
        error = state_machine.error_name(report.type, report.code)
        after = state_machine.on_error(
            before, ErrorSignal(state, error, report.source, report.at, report.evidence)
        )
        reason = reasons.reason_for(state, error)
    if after.state == before.state:
        return Decision(after, decision.reason, decision.evidence)
    return Decision(after, reason, report.evidence)


def on_call_failed(*, connection: Connection, error: SmartcarError, now: datetime) -> None:
    """Handles a rejected call: an error that concerns the whole connection is recorded and probed."""
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
        name = state_machine.error_name(error.type, error.code)
    if state is None:
        return
    evidence = (
        StateEvidence.REQUEST.message(request=error.request_id)
        if error.request_id
        else StateEvidence.CALL_REJECTED.message()
    )
    error_signal = ErrorSignal(state, name, EvidenceSource.CALL, now, evidence)

    def decide(row: Connection, status: Status) -> Decision:
        after = state_machine.on_error(status, error_signal)
        _schedule_probe(row, before=status, after=after)
        return Decision(after, reasons.reason_for(after.state, name), evidence)

    apply_transitions(Connection.objects.filter(pk=connection.pk), decide)


def on_call_succeeded(*, connection: Connection, now: datetime) -> None:
    """Handles a successful call, which shows that the plan limit no longer applies."""
    limited = Connection.objects.filter(pk=connection.pk, state=ConnectionState.PLAN_LIMIT)
    apply_transitions(
        limited,
        lambda _, status: Decision(
            state_machine.on_call_succeeded(status, now=now),
            StateReason.CALL_SUCCEEDED.message(),
            StateEvidence.CALL_SUCCEEDED.message(),
        ),
    )


def _schedule_probe(connection: Connection, *, before: Status, after: Status) -> None:
    """Enqueues a probe for a new pending issue: it reads the vehicle or fetches Smartcar's list of connections."""
    if len(after.pending_issues) > len(before.pending_issues):
        enqueue_on_commit("connect.tasks.probe_connection", connection.pk)


def best_connection(*, vehicle_id: int) -> Connection | None:
    """Returns the connection for calls to the vehicle: best state first, then the newest; None if none is usable."""
    return best_connections(vehicle_ids=[vehicle_id]).get(vehicle_id)


def best_connections(*, vehicle_ids: Iterable[int]) -> dict[int, Connection]:
    """Returns the best usable connection by vehicle ID, in one query. Vehicles without one are left out."""
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

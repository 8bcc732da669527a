"""What deliveries show about connections as a whole: which ones work, and which errors were reported. Pure."""

from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from datetime import datetime

from connect.health import ErrorReport
from connect.messages import StateEvidence
from connect.status.state_machine import ACCOUNT, EvidenceSource
from core.message_codes import Message
from vehicles.observations import SignalError, SignalStatus
from webhooks.parsing.types import Delivery, ReportedError, VehicleReport


def healthy_users(
    delivery: Delivery,
    vehicles: Mapping[str, Sequence[int]],
    received_at: datetime,
    *,
    healthy: Collection[int],
) -> dict[tuple[int, str], datetime]:
    """Returns when valid values arrived, by (vehicle ID, Smartcar user ID), for vehicles in `healthy`.

    The user ID is "" if the delivery doesn't name a user.
    """
    return {
        (vehicle_id, report.facts.user_id): received_at
        for report in delivery.reports
        if any(each.status == SignalStatus.SUCCESS for each in report.observations)
        for vehicle_id in vehicles.get(report.facts.smartcar_id, ())
        if vehicle_id in healthy
    }


def error_reports(
    delivery: Delivery,
    vehicles: Mapping[str, Sequence[int]],
    received_at: datetime,
    *,
    new_errors: Container[tuple[int, str, ReportedError]],
) -> Iterable[ErrorReport]:
    """Yields the errors of a delivery for each of our vehicles in it.

    `new_errors` contains the vehicle ID, event ID and error of those that are not repetitions.
    """
    delivery_id = delivery.event_id.removeprefix("pull:")
    fetched = delivery_id != delivery.event_id
    evidence = (
        StateEvidence.READ.message(delivery=delivery_id)
        if fetched
        else StateEvidence.EVENT.message(event=delivery.event_id)
    )
    for report in delivery.reports:
        for vehicle_id in vehicles.get(report.facts.smartcar_id, ()):
            for error in report.errors:
                if (vehicle_id, delivery.event_id, error) not in new_errors:
                    continue
                yield _report(error, vehicle_id, report.facts.user_id, at=received_at, evidence=evidence)
            failed = _all_signals_failed(report)
            if failed is not None:
                yield _account_error_report(
                    failed, vehicle_id, report.facts.user_id, at=received_at, evidence=evidence
                )


def _report(
    error: ReportedError, vehicle_id: int, user_id: str, *, at: datetime, evidence: Message
) -> ErrorReport:
    return ErrorReport(
        vehicle_id=vehicle_id,
        user_id=user_id,
        type=error.type,
        code=error.code,
        state=error.state,
        source=EvidenceSource.EVENT,
        at=at,
        evidence=evidence,
        on_signals=bool(error.signals),
        reauthenticate=error.resolution_type == "REAUTHENTICATE",
        resolution_url=error.resolution_url,
    )


def _account_error_report(
    failed: SignalError, vehicle_id: int, user_id: str, *, at: datetime, evidence: Message
) -> ErrorReport:
    return ErrorReport(
        vehicle_id=vehicle_id,
        user_id=user_id,
        type=failed.type,
        code=failed.code,
        state="ERROR",
        source=EvidenceSource.READ,
        at=at,
        evidence=evidence,
        reauthenticate=failed.resolution_type == "REAUTHENTICATE",
    )


def _all_signals_failed(report: VehicleReport) -> SignalError | None:
    """Returns the account error if the report contains such an error and not a single successful signal."""
    if any(each.status == SignalStatus.SUCCESS for each in report.observations):
        return None
    errors = (each.error for each in report.observations if each.error is not None)
    return next((each for each in errors if each.type == ACCOUNT), None)

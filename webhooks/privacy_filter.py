"""Selects the readings of a delivery that may be recorded, including the status of signals from error events."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from connect.driver_portal import privacy
from vehicles.observations import SignalError, SignalReading, SignalStatus
from vehicles.services import ReceivedReading
from webhooks.event_parsing import ParsedMessage
from webhooks.messages import DeliveryNote
from webhooks.models import InboxEntry
from webhooks.parsing.types import ReportedError, VehicleReport


def permitted_readings(parsed: Sequence[ParsedMessage], *, now: datetime) -> list[ReceivedReading]:
    """Returns the readings that may be stored.

    Locations that a driver hides are left out, and the body of a delivery that contains one is deleted.
    """
    received = [(message, list(_received_readings(message))) for message in parsed]
    rules = privacy.privacy_for_vehicle(
        vehicle_ids={reading.vehicle_id for _, readings in received for reading in readings}, now=now
    )
    all_permitted = []
    for message, readings in received:
        permitted = rules.without_hidden(readings)
        if len(permitted) < len(readings):
            message.entry.set_note(DeliveryNote.LOCATION_HIDDEN.message())
            InboxEntry.objects.filter(pk=message.entry.pk).update(body=b"")
        all_permitted += permitted
    return all_permitted


def _received_readings(message: ParsedMessage) -> Iterable[ReceivedReading]:
    for report in message.delivery.reports:
        for vehicle_id in message.vehicles.get(report.facts.smartcar_id, ()):
            for observation in (*report.observations, *_errors_as_observations(report, message)):
                yield ReceivedReading(
                    vehicle_id=vehicle_id,
                    observation=observation,
                    received_at=message.entry.received_at,
                    sequence=message.delivery.sequence,
                    delivered_at=message.delivery.delivered_at,
                    replayed=message.replayed,
                )


def _errors_as_observations(report: VehicleReport, message: ParsedMessage) -> Iterable[SignalReading]:
    """Yields the status of the signals in a VEHICLE_ERROR event: failed, or working again."""
    at = message.delivery.delivered_at or message.entry.received_at
    for error in report.errors:
        for code in error.signals:
            yield _as_observation(error, code=code, at=at)


def _as_observation(error: ReportedError, *, code: str, at: datetime) -> SignalReading:
    if error.state == "RESOLVED":
        return SignalReading(code=code, status=SignalStatus.SUCCESS, retrieved_at=at)
    return SignalReading(
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

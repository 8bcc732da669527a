"""What of a message may be recorded: its observations, and how errors say that signals were read."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from connect.driver_portal import privacy
from vehicles.observations import Observation, SignalError, SignalStatus
from vehicles.services import Sighting
from webhooks.event_parsing import Opened
from webhooks.models import InboxEntry
from webhooks.parsing.types import ReportedError, VehicleReport

PLACE_HIDDEN = "Its place is hidden by the driver: the message was not kept, the rest of it was recorded."


def allowed(opened: Sequence[Opened], *, now: datetime) -> list[Sighting]:
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


def _sightings(message: Opened) -> Iterable[Sighting]:
    for report in message.delivery.reports:
        for vehicle_id in message.cars.get(report.facts.smartcar_id, ()):
            for observation in (*report.observations, *_errors_as_observations(report, message)):
                yield Sighting(
                    vehicle_id=vehicle_id,
                    observation=observation,
                    received_at=message.entry.received_at,
                    sequence=message.delivery.sequence,
                )


def _errors_as_observations(report: VehicleReport, message: Opened) -> Iterable[Observation]:
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

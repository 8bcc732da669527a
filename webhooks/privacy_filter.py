"""Keeps locations that a driver hides from being stored: in readings, and in the bodies of deliveries.

Also turns error events into the status of signals."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db.models import Q

from connect.driver_portal import privacy
from connect.driver_portal.privacy import LocationPrivacy
from vehicles.models import Vehicle
from vehicles.observations import SignalError, SignalReading, SignalStatus
from vehicles.services import ReceivedReading
from webhooks.event_parsing import ParsedMessage
from webhooks.messages import DeliveryNote
from webhooks.models import EntryState, InboxEntry
from webhooks.parsing.identifiers import possible_identifiers
from webhooks.parsing.types import ReportedError, VehicleReport
from webhooks.webhook_log.payloads import contains_location

UNRECORDED = (EntryState.DUPLICATE, EntryState.QUARANTINED, EntryState.TEST, EntryState.DEAD)


def permitted_readings(parsed: Sequence[ParsedMessage], *, now: datetime) -> list[ReceivedReading]:
    """Returns the readings that may be stored.

    Locations that a driver hides are left out, and the body of a delivery that contains one is deleted.
    """
    received = [(message, list(_received_readings(message))) for message in parsed]
    rules = privacy.privacy_for_vehicle(
        vehicle_ids={vehicle_id for message in parsed for vehicle_id in message.vehicle_ids()}, now=now
    )
    all_permitted = []
    for message, readings in received:
        permitted = rules.without_hidden(readings)
        if len(permitted) < len(readings) or _hides_body(rules, message.entry, message.vehicle_ids()):
            message.entry.set_note(DeliveryNote.LOCATION_HIDDEN.message())
            InboxEntry.objects.filter(pk=message.entry.pk).update(body=b"")
        all_permitted += permitted
    return all_permitted


def empty_unrecorded(entries: Sequence[InboxEntry], *, now: datetime) -> None:
    """Deletes the bodies of deliveries that aren't recorded, and contain a location that a driver hides.

    These are duplicates, tests, and deliveries of unknown types or that couldn't be read, about vehicles of any fleet.
    """
    named = {each: named_vehicles(each) for each in entries if each.state in UNRECORDED}
    if not named:
        return
    words = set().union(*named.values())
    # Only a delivery that couldn't be read may be found by VIN, which has no index.
    vins = set().union(*(texts for entry, texts in named.items() if not entry.smartcar_vehicle_id))
    vehicles: dict[str, set[int]] = {}
    for pk, *texts in Vehicle.objects.filter(Q(smartcar_id__in=words) | Q(vin__in=vins)).values_list(
        "pk", "smartcar_id", "vin"
    ):
        for text in texts:
            vehicles.setdefault(text, set()).add(pk)
    rules = privacy.privacy_for_vehicle(vehicle_ids=set().union(*vehicles.values()), now=now)
    hidden = [
        entry.pk
        for entry, texts in named.items()
        if _hides_body(rules, entry, {pk for text in texts for pk in vehicles.get(text, ())})
    ]
    InboxEntry.objects.filter(pk__in=hidden).update(body=b"", traceback="")


def named_vehicles(entry: InboxEntry) -> set[str]:
    """Returns Smartcar's ID of the vehicle, or what may be an ID or a VIN in a delivery that couldn't be read."""
    known = entry.smartcar_vehicle_id
    return {known} if known else possible_identifiers(bytes(entry.body))


def _hides_body(rules: LocationPrivacy, entry: InboxEntry, vehicle_ids: Iterable[int]) -> bool:
    hidden = any(rules.is_hidden(vehicle_id, at=entry.received_at) for vehicle_id in vehicle_ids)
    return hidden and contains_location(bytes(entry.body))


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

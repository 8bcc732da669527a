"""Parses version 2.0 webhooks, which have an `eventName`: verify, schedule, dynamic and eventBased.

Source: Smartcar documentation, "Callback URI Verification" (version 2.0) and the changelog of April 13, 2022.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from vehicles import catalogue
from vehicles.observations import VehicleFacts
from webhooks.messages import DeliveryNote
from webhooks.parsing.events import read_facts
from webhooks.parsing.fields import digest_id, identifier, items, mapping, mode, text, upper
from webhooks.parsing.signals import observe, plausible_times
from webhooks.parsing.times import parse_time
from webhooks.parsing.types import VEHICLE_STATE, VERIFY, Delivery, Malformed, VehicleReport
from webhooks.parsing.v2 import read_answers

_CHARGING_EVENTS: dict[str, tuple[bool, str]] = {
    "CHARGING_STARTED": (True, "CHARGING"),
    "CHARGING_STOPPED": (False, "NOT_CHARGING"),
    "CHARGING_COMPLETED": (False, "FULLY_CHARGED"),
}


@dataclass(frozen=True, slots=True)
class _Contents:
    event_type: str
    event_id: str = ""
    challenge: str = ""
    delivered_at: datetime | None = None
    triggers: tuple[str, ...] = ()
    reports: tuple[VehicleReport, ...] = ()


def read_legacy(message: Mapping[str, Any], *, raw: bytes, received_at: datetime | None) -> Delivery:
    """Parses a delivery with an `eventName`. Raises Malformed."""
    name = text(message.get("eventName"), 100)
    if not name:
        raise Malformed(DeliveryNote.NO_EVENT_TYPE)
    payload = mapping(message.get("payload"))
    read = _CONTENTS.get(name.lower())
    contents = read(payload, received_at) if read else _Contents(event_type=name)
    return Delivery(
        event_id=contents.event_id or digest_id(raw),
        event_type=contents.event_type,
        webhook_id=identifier(message.get("webhookId")),
        version=text(message.get("version"), 20),
        delivered_at=contents.delivered_at,
        mode=mode([message.get("mode")]),
        challenge=contents.challenge,
        triggers=contents.triggers,
        reports=contents.reports,
    )


def _verify(payload: Mapping[str, Any], received_at: datetime | None) -> _Contents:
    challenge = payload.get("challenge")
    if not isinstance(challenge, str) or not challenge:
        raise Malformed(DeliveryNote.NO_CHALLENGE)
    return _Contents(VERIFY, challenge=challenge)


def _readings(payload: Mapping[str, Any], received_at: datetime | None) -> _Contents:
    """Parses a scheduled or dynamic delivery: responses of v2.0 paths, for several vehicles."""
    vehicles = [mapping(vehicle) for vehicle in items(payload.get("vehicles"))]
    reports = [_report(vehicle, received_at) for vehicle in vehicles if identifier(vehicle.get("vehicleId"))]
    if not reports:
        raise Malformed(DeliveryNote.NO_VEHICLE)
    return _Contents(VEHICLE_STATE, reports=tuple(reports))


def _report(vehicle: Mapping[str, Any], received_at: datetime | None) -> VehicleReport:
    observations, skipped = read_answers(
        vehicle.get("data"), latest=received_at, unit_system=text(vehicle.get("unitSystem"))
    )
    facts = read_facts(
        vehicle, {"id": vehicle.get("userId")}, vehicle_id=identifier(vehicle.get("vehicleId"))
    )
    return VehicleReport(facts=facts, observations=observations, skipped=skipped)


def _event(payload: Mapping[str, Any], received_at: datetime | None) -> _Contents:
    """Parses a vehicle event: charging started, stopped or completed."""
    vehicle_id = identifier(payload.get("vehicleId"))
    if not vehicle_id:
        raise Malformed(DeliveryNote.NO_VEHICLE)
    facts = VehicleFacts(smartcar_id=vehicle_id)
    kind = upper(payload.get("eventType"))
    if kind not in _CHARGING_EVENTS:
        return _Contents(
            kind or "eventBased", identifier(payload.get("eventId")), reports=(VehicleReport(facts),)
        )
    charging, status = _CHARGING_EVENTS[kind]
    times = plausible_times(parse_time(payload.get("eventTime")), None, None, received_at)
    observations = (
        observe(catalogue.IS_CHARGING.code, {"value": charging}, times=times),
        observe(catalogue.DETAILED_CHARGING_STATUS.code, {"value": status}, times=times),
    )
    return _Contents(
        VEHICLE_STATE,
        identifier(payload.get("eventId")),
        triggers=(catalogue.IS_CHARGING.code,),
        reports=(VehicleReport(facts=facts, observations=observations),),
    )


_CONTENTS: dict[str, Callable[[Mapping[str, Any], datetime | None], _Contents]] = {
    "verify": _verify,
    "schedule": _readings,
    "dynamic": _readings,
    "eventbased": _event,
}

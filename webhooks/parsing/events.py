"""Parses current webhook events, which have an `eventType`: versions 3.0 and 4.0 in all their variants.

Triggers are at the top level or under `data`, as text, as an object or as an object that contains a signal. The vehicle
ID is under `data.vehicle` or at the top level. Times are epoch milliseconds or ISO. Source: Smartcar documentation,
"Event Reference Overview" and the page of each event, and deliveries received since 2025.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from vehicles import catalogue
from vehicles.observations import SignalReading, VehicleFacts
from webhooks.messages import DeliveryNote
from webhooks.parsing.errors import read_errors
from webhooks.parsing.fields import digest_id, first, identifier, integer, items, mapping, mode, text
from webhooks.parsing.signals import observe, read_signals, signal_code
from webhooks.parsing.times import parse_time
from webhooks.parsing.types import (
    VEHICLE_ERROR,
    VEHICLE_STATE,
    VERIFY,
    Delivery,
    Malformed,
    VehicleReport,
)

_FIRST_DELIVERY = "FIRST_DELIVERY"
_LARGEST_SEQUENCE = 2**63 - 1


@dataclass(frozen=True, slots=True)
class _Contents:
    """The contents of an event without its envelope."""

    challenge: str = ""
    reports: tuple[VehicleReport, ...] = ()


def read_event(message: Mapping[str, Any], *, raw: bytes, received_at: datetime | None) -> Delivery:
    """Parses a delivery with an `eventType`. Raises Malformed."""
    event_type = text(message.get("eventType"), 100)
    if not event_type:
        raise Malformed(DeliveryNote.NO_EVENT_TYPE)
    data = mapping(message.get("data"))
    meta = mapping(message.get("meta")) or mapping(data.get("meta"))
    contents = _CONTENTS.get(event_type, _unknown)(message, received_at)
    triggers = items(message.get("triggers")) + items(data.get("triggers"))
    return Delivery(
        event_id=identifier(message.get("eventId")) or digest_id(raw),
        event_type=event_type,
        delivery_id=identifier(meta.get("deliveryId")),
        webhook_id=identifier(meta.get("webhookId")),
        version=text(meta.get("version"), 20),
        delivered_at=parse_time(first(meta, "deliveredAt", "deliveryTime", "deliveryTimestamp")),
        mode=mode([mapping(data.get("vehicle")).get("mode"), meta.get("mode")]),
        sequence=integer(meta.get("sequence"), low=0, high=_LARGEST_SEQUENCE),
        challenge=contents.challenge,
        first=any(_is_first(trigger) for trigger in triggers),
        triggers=_trigger_codes(triggers),
        reports=contents.reports,
    )


def read_facts(vehicle: Mapping[str, Any], user: Mapping[str, Any], *, vehicle_id: str) -> VehicleFacts:
    """Parses a `vehicle` and a `user` object."""
    return VehicleFacts(
        smartcar_id=vehicle_id,
        user_id=identifier(user.get("id")),
        external_id=text(user.get("externalId")),
        make=text(vehicle.get("make"), 100),
        model=text(vehicle.get("model"), 100),
        year=integer(vehicle.get("year"), low=1900, high=2100),
        mode=mode([vehicle.get("mode")]),
        powertrain=text(vehicle.get("powertrainType"), 20),
    )


def _verify(message: Mapping[str, Any], latest: datetime | None) -> _Contents:
    challenge = mapping(message.get("data")).get("challenge")
    if not isinstance(challenge, str) or not challenge:
        raise Malformed(DeliveryNote.NO_CHALLENGE)
    return _Contents(challenge=challenge)


def _vehicle(message: Mapping[str, Any], latest: datetime | None) -> _Contents:
    facts = _facts(message)
    if not facts.smartcar_id:
        raise Malformed(DeliveryNote.NO_VEHICLE)
    data = mapping(message.get("data"))
    observations, skipped_signals = read_signals(data.get("signals"), latest=latest)
    errors, skipped_errors = read_errors(data.get("errors"))
    report = VehicleReport(
        facts=facts,
        observations=_with_vin(observations, mapping(data.get("vehicle")).get("vin")),
        errors=errors,
        skipped=skipped_signals + skipped_errors,
    )
    return _Contents(reports=(report,))


def _unknown(message: Mapping[str, Any], latest: datetime | None) -> _Contents:
    """Parses an event of an unknown type: only the vehicle is used."""
    facts = _facts(message)
    return _Contents(reports=(VehicleReport(facts),) if facts.smartcar_id else ())


_CONTENTS: dict[str, Callable[[Mapping[str, Any], datetime | None], _Contents]] = {
    VERIFY: _verify,
    VEHICLE_STATE: _vehicle,
    VEHICLE_ERROR: _vehicle,
}


def _facts(message: Mapping[str, Any]) -> VehicleFacts:
    data = mapping(message.get("data"))
    vehicle = mapping(data.get("vehicle"))
    vehicle_id = identifier(vehicle.get("id")) or identifier(message.get("vehicleId"))
    return read_facts(vehicle, mapping(data.get("user")), vehicle_id=vehicle_id)


def _with_vin(observations: tuple[SignalReading, ...], vin: Any) -> tuple[SignalReading, ...]:
    """Adds the VIN as a signal. Older payloads have it in the vehicle object instead."""
    if not text(vin) or any(observation.code == catalogue.VIN.code for observation in observations):
        return observations
    return (*observations, observe(catalogue.VIN.code, {"value": vin}))


def _is_first(trigger: Any) -> bool:
    markers = (
        [trigger] if isinstance(trigger, str) else [mapping(trigger).get(key) for key in ("code", "type")]
    )
    return _FIRST_DELIVERY in markers


def _trigger_codes(triggers: list[Any]) -> tuple[str, ...]:
    signals = [trigger for trigger in triggers if not _is_first(trigger)]
    codes = [signal_code(mapping(signal).get("signal") or signal) for signal in signals]
    return tuple(dict.fromkeys(code for code in codes if code))

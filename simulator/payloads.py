"""Webhook payloads in every form that Smartcar has sent ("Event Reference" and captured deliveries).

Forms: A (September 2025), B (October 2025 on), C and C' (documentation, newer and older), D (mid-2026, the default),
T and T' (the Dashboard's test button, with plain and with nested bodies), and "legacy" (version 2.0).
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from simulator.clock import iso, millis

FIRST_DELIVERY = "FIRST_DELIVERY"
TEST_VARIANTS = ("T", "T'")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One signal as Smartcar collected it. Times are epoch seconds, None if the manufacturer gave none."""

    code: str
    group: str
    name: str
    body: dict[str, Any] | None
    oem_updated_at: float | None
    retrieved_at: float
    error: tuple[str, str | None] | None = None

    @property
    def key(self) -> dict[str, str]:
        """The signal's three names."""
        return {"name": self.name, "code": self.code, "group": self.group}


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The user, vehicle and webhook of an event."""

    user_id: str
    external_id: str | None
    vehicle_id: str
    make: str
    model: str
    year: int
    vin: str
    powertrain: str | None
    mode: str
    webhook_id: str
    webhook_name: str
    application_id: str
    variant: str
    sequence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorEntry:
    """One error of a VEHICLE_ERROR event, raised or resolved."""

    kind: str
    code: str | None
    state: str
    description: str
    message: str | None
    doc_url: str
    resolution: dict[str, Any]
    signals: tuple[dict[str, str], ...]


def vehicle_state(
    *,
    subject: Subject,
    readings: Sequence[Reading],
    triggers: Sequence[dict[str, str]],
    event_id: str,
    first: bool = False,
) -> dict[str, Any]:
    """Return a VEHICLE_STATE event: the ``first`` delivery of a subscription, or one that ``triggers`` caused."""
    if subject.variant == "legacy":
        return _legacy(subject, readings)
    in_data = subject.variant in ("C", "C'")
    fired = [_first(subject.variant)] if first else [_trigger(subject.variant, each) for each in triggers]
    data: dict[str, Any] = {
        "user": _user(subject),
        "vehicle": _vehicle(subject),
        "signals": [_signal(subject.variant, each) for each in readings],
    }
    if in_data:
        data["triggers"] = fired
    event: dict[str, Any] = {"eventId": event_id, "eventType": "VEHICLE_STATE", "data": data}
    if in_data:
        event["vehicleId"] = data["vehicle"]["id"]
    else:
        event["triggers"] = fired
    meta = _meta(subject)
    if subject.variant != "A":
        meta["signalCount"] = len(readings)
    return event | {"meta": meta}


def vehicle_error(*, subject: Subject, faults: Sequence[ErrorEntry], event_id: str) -> dict[str, Any]:
    """Return a VEHICLE_ERROR event with errors raised or resolved."""
    errors = [_error(subject.variant, each) for each in faults]
    vehicle = _vehicle(subject)
    data = {"user": _user(subject), "vehicle": vehicle, "errors": errors}
    event: dict[str, Any] = {"eventId": event_id, "eventType": "VEHICLE_ERROR", "data": data}
    if subject.variant in ("C", "C'"):
        event["vehicleId"] = vehicle["id"]
    return event | {"meta": _meta(subject)}


def verify(*, webhook_id: str, webhook_name: str, variant: str, challenge: str, now: float) -> dict[str, Any]:
    """Return a VERIFY event. deliveredAt is an ISO string, as captured; a number in the documented forms."""
    if variant == "legacy":
        return {
            "version": "2.0",
            "webhookId": webhook_id,
            "eventName": "verify",
            "payload": {"challenge": challenge},
        }
    meta = {
        "version": "4.0",
        "webhookId": webhook_id,
        "webhookName": webhook_name,
        "deliveryId": str(uuid.uuid4()),
        "deliveredAt": millis(now) if variant in ("C", "C'") else iso(now),
    }
    return {
        "eventId": str(uuid.uuid4()),
        "eventType": "VERIFY",
        "data": {"challenge": challenge},
        "meta": meta,
    }


def address(event: dict[str, Any], *, delivery_id: str, now: float) -> dict[str, Any]:
    """Return the event with the values of one attempt: a new delivery id, and the time of sending."""
    if "meta" not in event:
        return event
    marks: dict[str, Any] = {"deliveryId": delivery_id, "deliveredAt": millis(now)}
    if "version" not in event["meta"]:
        marks["deliveryTime"] = iso(now)
    return event | {"meta": event["meta"] | marks}


def _user(subject: Subject) -> dict[str, Any]:
    user: dict[str, Any] = {"id": subject.user_id}
    if subject.variant == "D" and subject.external_id is not None:
        user["externalId"] = subject.external_id
    return user


def _vehicle(subject: Subject) -> dict[str, Any]:
    vehicle: dict[str, Any] = {
        "id": subject.vehicle_id,
        "make": subject.make,
        "model": subject.model,
        "year": subject.year,
    }
    if subject.variant == "C'":
        vehicle["vin"] = subject.vin
    if subject.variant == "D":
        vehicle |= {"mode": subject.mode, "powertrainType": subject.powertrain}
    if subject.variant in TEST_VARIANTS:
        made_up = uuid.uuid5(uuid.NAMESPACE_OID, subject.vehicle_id)
        vehicle |= {"id": str(made_up), "mode": "test"}
    return vehicle


def _meta(subject: Subject) -> dict[str, Any]:
    meta: dict[str, Any] = {"webhookId": subject.webhook_id, "webhookName": subject.webhook_name}
    if subject.variant == "A":
        return meta
    mode = "TEST" if subject.variant in TEST_VARIANTS else subject.mode.upper()
    meta |= {"version": "3.0" if subject.variant == "C'" else "4.0", "mode": mode}
    if subject.variant == "D":
        meta |= {"sequence": subject.sequence, "applicationId": subject.application_id}
    return meta


def _first(variant: str) -> dict[str, Any]:
    return {"code": FIRST_DELIVERY} if variant == "C" else {"type": FIRST_DELIVERY}


def _trigger(variant: str, signal: dict[str, str]) -> dict[str, Any]:
    if variant in ("C", "C'"):
        return {"code": signal["code"], "name": signal["name"], "group": signal["group"]}
    if variant == "A":
        return {"type": "SIGNAL_UPDATED", "signal": f"{signal['group']}.{signal['name']}"}
    return {"type": "SIGNAL_UPDATED", "signal": dict(signal)}


def _signal(variant: str, reading: Reading) -> dict[str, Any]:
    entry: dict[str, Any] = {"code": reading.code, "name": reading.name, "group": reading.group}
    if reading.body is not None:
        entry["body"] = _body(variant, reading)
    if reading.error:
        kind, code = reading.error
        entry["status"] = {"value": "ERROR", "error": {"type": kind, "code": code}}
    elif variant not in ("C", "C'"):
        entry["status"] = {"value": "SUCCESS"}
    if reading.body is not None:
        retrieved = millis(reading.retrieved_at)
        meta = {"oemUpdatedAt": millis(reading.oem_updated_at) if reading.oem_updated_at else 0}
        if variant in ("C", "C'"):
            meta["fetchedAt"] = retrieved
        else:
            meta |= {"retrievedAt": retrieved, "ingestedAt": retrieved + 1000}
        entry["meta"] = meta
    return entry


def _body(variant: str, reading: Reading) -> dict[str, Any]:
    body = reading.body or {}
    if variant == "T'" and len(body) > 1 and isinstance(body.get("values"), list):
        return {"values": body}
    if body.get("unit") != "percent" or not isinstance(body.get("value"), int | float):
        return body
    if variant == "A" and reading.code == "tractionbattery-stateofcharge":
        return {"value": round(body["value"] / 100, 4)}
    if variant == "C'":
        return {"percentage": body["value"]}
    return body


def _error(variant: str, entry: ErrorEntry) -> dict[str, Any]:
    signals: list[Any] = [dict(each) for each in entry.signals]
    if variant == "A":
        signals = [f"{each['group']}.{each['name']}" for each in entry.signals]
    error: dict[str, Any] = {
        "type": entry.kind,
        "code": entry.code,
        "state": entry.state,
        "description": entry.description,
        "docURL": entry.doc_url,
        "resolution": entry.resolution,
    }
    if entry.message:
        error["suggestedUserMessage"] = entry.message
    if signals:
        error["signals"] = signals
    return error


# v2 path of each signal in the legacy form, with the fraction that replaces a percentage.
_LEGACY_PATHS = {
    "odometer-traveleddistance": ("/odometer", "distance", 1.0),
    "tractionbattery-stateofcharge": ("/battery", "percentRemaining", 0.01),
    "tractionbattery-range": ("/battery", "range", 1.0),
    "internalcombustionengine-fuellevel": ("/fuel", "percentRemaining", 0.01),
    "internalcombustionengine-amountremaining": ("/fuel", "amountRemaining", 1.0),
    "internalcombustionengine-range": ("/fuel", "range", 1.0),
    "internalcombustionengine-oillife": ("/engine/oil", "lifeRemaining", 0.01),
    "charge-ischargingcableconnected": ("/charge", "isPluggedIn", None),
    "charge-detailedchargingstatus": ("/charge", "state", None),
    "closure-islocked": ("/security", "isLocked", None),
    "vehicleidentification-vin": ("/vin", "vin", None),
}


def _legacy(subject: Subject, readings: Sequence[Reading]) -> dict[str, Any]:
    bodies: dict[str, dict[str, Any]] = {}
    ages: dict[str, float] = {}
    for reading in readings:
        if reading.error or reading.body is None:
            continue
        if reading.code == "location-preciselocation":
            bodies["/location"] = {key: reading.body[key] for key in ("latitude", "longitude")}
            ages["/location"] = reading.oem_updated_at or reading.retrieved_at
        elif reading.code in _LEGACY_PATHS:
            path, name, factor = _LEGACY_PATHS[reading.code]
            value = reading.body["value"]
            bodies.setdefault(path, {})[name] = value if factor is None else round(value * factor, 4)
            ages[path] = max(ages.get(path, 0.0), reading.oem_updated_at or reading.retrieved_at)
    data = [
        {
            "path": path,
            "code": 200,
            "body": body,
            "headers": {"sc-data-age": iso(ages[path]), "sc-unit-system": "metric"},
        }
        for path, body in bodies.items()
    ]
    return {
        "version": "2.0",
        "webhookId": subject.webhook_id,
        "eventName": "schedule",
        "mode": subject.mode,
        "payload": {"vehicles": [{"vehicleId": subject.vehicle_id, "data": data}]},
    }

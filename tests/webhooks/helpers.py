"""Posting payloads as Smartcar does."""

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.test import Client

from webhooks.signature import sign

PAYLOADS = Path(__file__).resolve().parent.parent / "payloads"
ADDRESS = "/webhooks/smartcar/"


def payload(name: str) -> dict[str, Any]:
    """Returns a fixture of tests/payloads as an object."""
    loaded: dict[str, Any] = json.loads((PAYLOADS / name).read_text())
    return loaded


def post(body: bytes, *, signed: str | None = None) -> Any:
    """Posts the raw body with a valid signature, unless another signature is given ("" for none)."""
    if signed is None:
        signed = sign(token=settings.SMARTCAR_MANAGEMENT_TOKENS[0], message=body)
    headers = {"SC-Signature": signed} if signed else {}
    return Client(headers=headers).post(ADDRESS, data=body, content_type="application/json")


def state_of(vehicle_id: str, *, event_id: str = "event-1", locked: bool, at: int, **meta: Any) -> bytes:
    """Returns a VEHICLE_STATE delivery with the lock status, `at` in epoch milliseconds."""
    return json.dumps(
        {
            "eventId": event_id,
            "eventType": "VEHICLE_STATE",
            "data": {
                "user": {"id": "user-1"},
                "vehicle": {"id": vehicle_id, "make": "TESLA", "model": "Model 3", "year": 2022},
                "signals": [
                    {
                        "code": "closure-islocked",
                        "name": "IsLocked",
                        "group": "Closure",
                        "body": {"value": locked},
                        "status": {"value": "SUCCESS"},
                        "meta": {"oemUpdatedAt": at, "retrievedAt": at},
                    }
                ],
            },
            "triggers": [],
            "meta": {"version": "4.0", "deliveryId": "d", "deliveredAt": at, "mode": "LIVE", **meta},
        }
    ).encode()

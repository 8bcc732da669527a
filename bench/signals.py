"""Thirty signals of a vehicle in the format of deliveries, and the plan for a load of such deliveries."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from typing import Any

from simulator.load.plan import Plan

_MINUTE = 60_000
_FOUR_PLACES = [{"row": row, "column": column} for row in (0, 1) for column in (0, 1)]

# Those that change with every delivery (simulator.load.events) come first.
BODIES: dict[str, dict[str, Any]] = {
    "TractionBattery.StateOfCharge": {"value": 61.0, "unit": "percent"},
    "TractionBattery.Range": {"value": 312.0, "unit": "km"},
    "Location.PreciseLocation": {
        "latitude": 52.52,
        "longitude": 13.405,
        "heading": 90,
        "locationType": "CURRENT",
    },
    "Odometer.TraveledDistance": {"value": 40210.5, "unit": "km"},
    "Closure.IsLocked": {"value": True},
    "Charge.Amperage": {"value": 0, "unit": "ampere"},
    "Charge.ChargeLimits": {
        "values": [{"type": "GLOBAL", "limit": 80, "condition": None}],
        "activeLimit": 80,
        "unit": "percent",
    },
    "Charge.DetailedChargingStatus": {"value": "NOT_CHARGING"},
    "Charge.IsCharging": {"value": False},
    "Charge.IsChargingCableConnected": {"value": False},
    "Charge.TimeToComplete": {"value": 0, "unit": "minute"},
    "Charge.Voltage": {"value": 0, "unit": "volts"},
    "Charge.Wattage": {"value": 0, "unit": "watts"},
    "Climate.ExternalTemperature": {"value": 8.5, "unit": "celsius"},
    "Climate.InternalTemperature": {"value": 19.0, "unit": "celsius"},
    "Closure.Doors": {
        "values": [{**place, "isOpen": False, "isLocked": True} for place in _FOUR_PLACES],
        "rowCount": 2,
        "columnCount": 2,
    },
    "Closure.FrontTrunk": {"isOpen": False, "isLocked": True},
    "Closure.RearTrunk": {"isOpen": False, "isLocked": True},
    "Closure.Sunroof": {"isOpen": False},
    "Closure.Windows": {
        "values": [{**place, "isOpen": False} for place in _FOUR_PLACES],
        "rowCount": 2,
        "columnCount": 2,
    },
    "ConnectivitySoftware.CurrentFirmwareVersion": {"value": "2026.38.2"},
    "ConnectivityStatus.IsAsleep": {"value": False},
    "ConnectivityStatus.IsOnline": {"value": True},
    "Diagnostics.MIL": {"status": "OK"},
    "HVAC.IsCabinHVACActive": {"value": False},
    "LowVoltageBattery.StateOfCharge": {"value": 88, "unit": "percent"},
    "TractionBattery.NominalCapacity": {
        "capacity": 75.0,
        "source": "SMARTCAR",
        "availableCapacities": [],
        "unit": "kWh",
    },
    "Transmission.GearState": {"value": "PARK"},
    "VehicleIdentification.VIN": {"value": "5YJ3E1EA7KF317000"},
    "Wheel.Tires": {
        "values": [{**place, "tirePressure": 290} for place in _FOUR_PLACES],
        "rowCount": 2,
        "columnCount": 2,
        "unit": "kPa",
    },
}
SIGNALS = len(BODIES)
_SHAPES = 50


def plan(*, uri: str, key: str, smartcar_ids: Sequence[str], rate: float, seconds: float) -> Plan:
    """Returns a load plan about these vehicles in turn."""
    now = round(time.time() * 1000)
    return Plan(
        uri=uri,
        key=key,
        rate=rate,
        seconds=seconds,
        connections=64,
        meta={
            "version": "4.0",
            "webhookId": str(uuid.uuid4()),
            "webhookName": "Fleet",
            "mode": "LIVE",
            "signalCount": SIGNALS,
        },
        shapes=[_shape(number, now) for number in range(min(_SHAPES, len(smartcar_ids)))],
        vehicles=[
            {
                "user": {"id": f"user-{number}"},
                "vehicle": {
                    "id": smartcar_id,
                    "make": "TESLA",
                    "model": "Model 3",
                    "year": 2022,
                    "mode": "live",
                },
                "shape": number % _SHAPES,
            }
            for number, smartcar_id in enumerate(smartcar_ids)
        ],
    )


def _shape(number: int, now: int) -> list[dict[str, Any]]:
    """Returns the signals of one vehicle, with its own values and times."""
    return [
        _entry(name, body, at=now - (number + turn // 5) * _MINUTE)
        for turn, (name, body) in enumerate(_varied(number))
    ]


def _varied(number: int) -> list[tuple[str, dict[str, Any]]]:
    """Varies measured values by vehicle."""
    return [
        (
            name,
            body | {"value": body["value"] + number / 10} if isinstance(body.get("value"), float) else body,
        )
        for name, body in BODIES.items()
    ]


def _entry(title: str, body: dict[str, Any], *, at: int) -> dict[str, Any]:
    group, _, name = title.partition(".")
    return {
        "code": f"{group}-{name}".lower(),
        "name": name,
        "group": group,
        "body": body,
        "status": {"value": "SUCCESS"},
        "meta": {"oemUpdatedAt": at - 2000, "retrievedAt": at - 1000, "ingestedAt": at},
    }

"""Building VEHICLE_STATE events fast: numeric signals change from event to event, all others stay the same."""

import itertools
import math
import os
import uuid
from typing import Any

import orjson

from simulator.json_numbers import dumps, whole
from simulator.load.plan import Plan
from simulator.signing import signature
from simulator.vehicles.catalogue import CATALOGUE

MOVING = (
    "tractionbattery-stateofcharge",
    "tractionbattery-range",
    "location-preciselocation",
    "odometer-traveleddistance",
    "closure-islocked",
)
TRIGGERS = {
    code: {"code": code, "name": CATALOGUE[code].name, "group": CATALOGUE[code].group} for code in MOVING
}
STEP_DEGREES = 0.0004
KM_PER_STEP = 0.05


class Events:
    """Signed bodies for one vehicle after the other."""

    def __init__(self, plan: Plan) -> None:
        self._key = plan.key
        self._meta = plan.meta
        self._vehicles = plan.vehicles
        self._steady = [self._steady_part(shape) for shape in plan.shapes]
        self._moving = [
            {each["code"]: each for each in shape if each["code"] in MOVING} for shape in plan.shapes
        ]
        self._turn = itertools.count()
        self._prefix = uuid.UUID(bytes=os.urandom(16), version=4).hex[:20]

    @staticmethod
    def _steady_part(shape: list[dict[str, Any]]) -> list[orjson.Fragment]:
        return [orjson.Fragment(dumps(each)) for each in shape if each["code"] not in MOVING]

    def next(self, now: float) -> tuple[bytes, str]:
        """Return the next event's body and signature. ``now`` is in epoch seconds."""
        turn = next(self._turn)
        daily_route, index = divmod(turn, len(self._vehicles))
        vehicle = self._vehicles[index]
        shape = vehicle["shape"]
        at = round(now * 1000)
        moved = [_moved(entry, daily_route, index, at) for entry in self._moving[shape].values()]
        code = moved[turn % len(moved)]["code"] if moved else MOVING[0]
        event_id = f"{self._prefix}{turn:012x}"
        body = orjson.dumps(
            {
                "eventId": _dashed(event_id),
                "eventType": "VEHICLE_STATE",
                "data": {
                    "user": vehicle["user"],
                    "vehicle": vehicle["vehicle"],
                    "signals": [*self._steady[shape], *moved],
                },
                "triggers": [{"type": "SIGNAL_UPDATED", "signal": TRIGGERS[code]}],
                "meta": self._meta
                | {"deliveryId": _dashed(event_id[::-1]), "deliveredAt": at, "sequence": daily_route + 1},
            }
        )
        return body, signature(self._key, body)


def _dashed(hexadecimal: str) -> str:
    return (
        f"{hexadecimal[:8]}-{hexadecimal[8:12]}-{hexadecimal[12:16]}-{hexadecimal[16:20]}-{hexadecimal[20:]}"
    )


def _moved(entry: dict[str, Any], daily_route: int, index: int, at: int) -> dict[str, Any]:
    body = entry.get("body")
    if body is None:
        return entry
    code = entry["code"]
    if code == "location-preciselocation":
        angle = daily_route / 20 + index
        body = body | {
            "latitude": round(body["latitude"] + STEP_DEGREES * math.sin(angle), 6),
            "longitude": round(body["longitude"] + STEP_DEGREES * math.cos(angle), 6),
        }
    elif code == "odometer-traveleddistance":
        body = body | {"value": round(body["value"] + KM_PER_STEP * daily_route, 2)}
    elif code == "tractionbattery-range":
        body = body | {"value": round(20 + (body["value"] + daily_route * 0.5) % 400, 1)}
    elif code == "tractionbattery-stateofcharge":
        body = body | {"value": round(5 + (body["value"] + daily_route * 0.1) % 90, 1)}
    else:
        body = {"value": (daily_route + index) % 5 > 0}
    return entry | {
        "body": whole(body),
        "meta": {"oemUpdatedAt": at - 2000, "retrievedAt": at - 1000, "ingestedAt": at},
    }

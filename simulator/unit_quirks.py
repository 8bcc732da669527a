"""Bodies with the wrong values and units that real vehicles have sent."""

from dataclasses import replace
from typing import Any

from simulator.payloads import Reading

NO_READING = 699.9


def apply_unit_quirk(reading: Reading) -> Reading:
    """Return the reading as a vehicle with bad data sends it, or unchanged if no quirk is known."""
    quirk = _QUIRKS.get(reading.code)
    if quirk is None or reading.body is None:
        return reading
    return replace(reading, body=quirk(reading.body))


def _fraction(body: dict[str, Any]) -> dict[str, Any]:
    return {"value": round(body["value"] / 100, 4)}


def _kilopascals_labeled_bar(body: dict[str, Any]) -> dict[str, Any]:
    values = [dict(each) for each in body["values"]]
    if values:
        values[-1]["tirePressure"] = NO_READING
    return body | {"values": values, "unit": "bar"}


def _without_unit(body: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key != "unit"}


def _labeled(unit: str) -> Any:
    return lambda body: body | {"unit": unit}


_QUIRKS = {
    "tractionbattery-stateofcharge": _fraction,
    "wheel-tires": _kilopascals_labeled_bar,
    "charge-timetocomplete": _without_unit,
    "charge-wattage": _labeled("watt"),
    "charge-chargingconnectortype": lambda body: body | {"value": "invalid"},
    "odometer-traveleddistance": _labeled("kilometers"),
    "internalcombustionengine-range": _labeled("kilometers"),
}

"""Metric and imperial units: the conversions for the SC-Unit-System header."""

from collections.abc import Callable
from typing import Any

METRIC, IMPERIAL = "metric", "imperial"

MILES_PER_KM = 0.62137119
PSI_PER_KPA = 0.14503774
GALLONS_PER_LITER = 0.26417205


def miles(km: float) -> float:
    """Return kilometers in miles."""
    return round(km * MILES_PER_KM, 2)


def psi(kpa: float) -> float:
    """Return kilopascals in pounds per square inch."""
    return round(kpa * PSI_PER_KPA, 2)


def gallons(liters: float) -> float:
    """Return liters in US gallons."""
    return round(liters * GALLONS_PER_LITER, 2)


def fahrenheit(celsius: float) -> float:
    """Return degrees Celsius in degrees Fahrenheit."""
    return round(celsius * 9 / 5 + 32, 1)


# Unit on the wire -> its imperial name and conversion.
_IMPERIAL: dict[str, tuple[str, Callable[[float], float]]] = {
    "km": ("miles", miles),
    "kilometers": ("miles", miles),
    "km/h": ("mph", miles),
    "kph": ("mph", miles),
    "celsius": ("fahrenheit", fahrenheit),
    "liters": ("gallons", gallons),
    "kPa": ("psi", psi),
    "kpa": ("psi", psi),
    "bar": ("psi", lambda bar: psi(bar * 100)),
}


def in_system(body: dict[str, Any], system: str) -> dict[str, Any]:
    """Return a v3 signal body in ``system``: value and unit, or the pressures of wheel-tires."""
    known = _IMPERIAL.get(body.get("unit", "")) if system == IMPERIAL else None
    if known is None:
        return body
    unit, convert = known
    changed = dict(body) | {"unit": unit}
    if isinstance(body.get("value"), int | float):
        changed["value"] = convert(body["value"])
    if isinstance(body.get("values"), list):
        changed["values"] = [
            each | {"tirePressure": convert(each["tirePressure"])}
            if each.get("tirePressure") is not None
            else each
            for each in body["values"]
        ]
    return changed

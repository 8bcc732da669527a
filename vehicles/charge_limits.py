"""A vehicle's charge limits: the one in effect, and those for AC and DC charging. Pure functions."""

from collections.abc import Mapping
from typing import Any

from vehicles.models import LatestSignal

Body = Mapping[str, Any]
CURRENTS = ("AC", "DC")


def active_limit(row: LatestSignal | None) -> float | None:
    """Returns the limit in effect in percent, by the latest row of the signal; None if it isn't known."""
    return limit_in_effect(row.body) if row is not None and row.body is not None else None


def limit_in_effect(body: Body) -> float | None:
    """Returns the limit that the vehicle calls active, else the one that applies everywhere, else the only one.

    Returns None if limits differ by location or by current and the vehicle doesn't say which one applies.
    """
    active: float | None = body.get("activeLimit")
    if active is not None:
        return active
    entries = body.get("values") or []
    everywhere = [entry["limit"] for entry in entries if entry.get("type") == "GLOBAL"]
    limits = everywhere or list(dict.fromkeys(entry["limit"] for entry in entries))
    return limits[0] if len(limits) == 1 or everywhere else None


def limits_by_current(body: Body) -> dict[str, float]:
    """Returns the limits in percent for AC and DC charging, as far as reported."""
    limits = {charging_type(entry): entry["limit"] for entry in body.get("values") or []}
    return {current: limits[current] for current in CURRENTS if current in limits}


def limits_span(body: Body) -> tuple[float, float] | None:
    """Returns the lowest and the highest limit in percent, wherever they apply; None without any."""
    limits = [entry["limit"] for entry in body.get("values") or []]
    return (min(limits), max(limits)) if limits else None


def charging_type(entry: Body) -> str:
    """Returns the current that a limit applies to: AC or DC, "" if it isn't limited to one."""
    return str((entry.get("condition") or {}).get("chargingType") or "")

"""What a vehicle reported, as plain data: the input of detection. Times are epoch seconds, UTC."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Reading:
    """Values of one vehicle that were measured at one moment and received together.

    `observed` is when the vehicle measured, `received` when the report arrived. A delivery whose signals were measured
    at different moments is several readings with the same `received`. What wasn't reported is None.
    """

    observed: float
    received: float
    odometer_km: float | None = None
    latitude: float | None = None
    longitude: float | None = None
    speed_kmh: float | None = None
    gear: str | None = None
    ignition: bool | None = None
    locked: bool | None = None
    plugged: bool | None = None
    charging: bool | None = None
    state_of_charge_percent: float | None = None
    energy_added_kwh: float | None = None

    def sort_key(self) -> tuple[tuple[bool, str, float], ...]:
        """A total order by time and then by content, so that no result depends on the order of arrival."""
        return tuple(_sortable(getattr(self, name)) for name in _FIELDS)


_FIELDS = tuple(field.name for field in fields(Reading))


def _sortable(value: float | str | bool | None) -> tuple[bool, str, float]:
    if value is None:
        return (False, "", 0.0)
    return (True, value, 0.0) if isinstance(value, str) else (True, "", float(value))

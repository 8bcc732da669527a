"""What a vehicle reported, as plain data: the input of detection. Times are epoch seconds, UTC."""

from __future__ import annotations

from dataclasses import dataclass


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

    def sort_key(self) -> tuple[float | str, ...]:
        """A total order by time and then by content, so that no result depends on the order of arrival."""
        return (
            self.observed,
            self.received,
            _or_less(self.odometer_km),
            _or_less(self.latitude),
            _or_less(self.longitude),
            _or_less(self.speed_kmh),
            self.gear or "",
            _or_less(self.ignition),
            _or_less(self.locked),
            _or_less(self.plugged),
            _or_less(self.charging),
            _or_less(self.state_of_charge_percent),
            _or_less(self.energy_added_kwh),
        )


def _or_less(value: float | None) -> float:
    return -1e9 if value is None else value

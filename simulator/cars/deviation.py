"""How a car differs from its seeded plan: what commands and the control API did to it."""

from dataclasses import dataclass, field
from typing import Any

from simulator.cars.day import Event


@dataclass(frozen=True, slots=True)
class Held:
    """A value somebody set, from ``since`` until the car's own day changes it (None: until it is set again)."""

    value: Any
    since: float
    until: float | None


@dataclass(slots=True)
class Deviation:
    """All of it, JSON-able by ``dump``. ``day``, ``soc`` and ``fuel`` are where levels leave the routine."""

    limit: float | None = None
    day: int | None = None
    soc: float = 0.0
    fuel: float = 0.0
    events: list[Event] = field(default_factory=list)
    held: dict[str, Held] = field(default_factory=dict)
    odometer: float = 0.0
    reported: float | None = None
    schedules: list[dict[str, Any]] = field(default_factory=list)
    serial: int = 0

    def dump(self) -> dict[str, Any]:
        """Plain values for a snapshot."""
        return {
            "limit": self.limit,
            "day": self.day,
            "soc": self.soc,
            "fuel": self.fuel,
            "events": [list(event) for event in self.events],
            "held": {name: [held.value, held.since, held.until] for name, held in self.held.items()},
            "odometer": self.odometer,
            "reported": self.reported,
            "schedules": self.schedules,
            "serial": self.serial,
        }

    @classmethod
    def load(cls, data: dict[str, Any]) -> "Deviation":
        """The deviation that ``dump`` wrote."""
        plain = {
            name: data[name] for name in ("limit", "day", "soc", "fuel", "odometer", "reported", "serial")
        }
        return cls(
            **plain,
            events=[Event(at, name, value) for at, name, value in data["events"]],
            held={name: Held(*parts) for name, parts in data["held"].items()},
            schedules=[dict(schedule) for schedule in data["schedules"]],
        )

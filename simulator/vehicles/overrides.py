"""How a vehicle differs from its seeded plan, because of commands and the control API."""

from dataclasses import dataclass, field
from typing import Any

from simulator.vehicles.charge_schedules import Schedule
from simulator.vehicles.energy_phases import Event


@dataclass(frozen=True, slots=True)
class Override:
    """A value set from outside, from ``since`` until the vehicle's own day changes it (None: until set again)."""

    value: Any
    since: float
    until: float | None

    def at(self, moment: float) -> bool:
        return self.since <= moment and (self.until is None or moment < self.until)


@dataclass(slots=True)
class Overrides:
    """The changes to one vehicle from outside.

    ``day`` is the first day whose levels don't follow from the plan (None: all do). ``soc``, ``fuel``, ``plug`` and
    ``stopped`` are the levels at its start, ``events`` the changes on that day. ``limit`` and ``schedules`` are the
    present ones.
    """

    day: int | None = None
    soc: float = 0.0
    fuel: float = 0.0
    plug: float = 0.0
    stopped: bool = False
    events: list[Event] = field(default_factory=list)
    limit: float | None = None
    schedules: tuple[Schedule, ...] = ()
    serial: int = 0
    values: dict[str, Override] = field(default_factory=dict)
    odometer: float = 0.0
    reported: float | None = None
    sessions: dict[int, list[dict[str, Any]]] = field(default_factory=dict)

    def matters(self, now: float) -> bool:
        """Return whether the vehicle would differ without these overrides."""
        recent = self.reported is not None and self.reported > now - _FORGOTTEN_AFTER
        lasting = self.limit is not None or bool(self.schedules) or self.serial > 0 or self.odometer > 0
        return recent or lasting or self.day is not None or bool(self.values)

    def drop_expired(self, now: float) -> None:
        """Remove overrides that are over. A position has an effect until the trip from there is over."""
        self.values = {
            name: override
            for name, override in self.values.items()
            if override.until is None or override.until > now - _FORGOTTEN_AFTER
        }

    def dump(self) -> dict[str, Any]:
        """Return plain values for a snapshot."""
        return {
            **{name: getattr(self, name) for name in _PLAIN},
            "events": [[event.at, event.name, _dump_value(event)] for event in self.events],
            "schedules": [schedule.dump() for schedule in self.schedules],
            "held": {
                name: [override.value, override.since, override.until]
                for name, override in self.values.items()
            },
            "sessions": {str(day): records for day, records in self.sessions.items()},
        }

    @classmethod
    def load(cls, data: dict[str, Any]) -> "Overrides":
        """Return the overrides that ``dump`` described."""
        return cls(
            **{name: data[name] for name in _PLAIN},
            events=[Event(at, name, _load_value(name, value)) for at, name, value in data["events"]],
            schedules=tuple(Schedule.load(plain) for plain in data["schedules"]),
            values={name: Override(*parts) for name, parts in data["held"].items()},
            sessions={int(day): records for day, records in data["sessions"].items()},
        )


_FORGOTTEN_AFTER = 86_400.0
_PLAIN = ("day", "soc", "fuel", "plug", "stopped", "limit", "serial", "odometer", "reported")


def _dump_value(event: Event) -> Any:
    if event.name == "schedules":
        return [[schedule.dump() for schedule in side] for side in event.value]
    return list(event.value) if isinstance(event.value, tuple) else event.value


def _load_value(name: str, value: Any) -> Any:
    if name == "schedules":
        return tuple(tuple(Schedule.load(plain) for plain in side) for side in value)
    return tuple(value) if isinstance(value, list) else value

"""How a vehicle differs from its seeded plan, because of commands and the control API."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from simulator.vehicles.charge_schedules import Schedule
from simulator.vehicles.city import Point
from simulator.vehicles.daily_plan import Levels
from simulator.vehicles.energy_phases import Event


@dataclass(frozen=True, slots=True)
class Override:
    """A value set from outside, from ``since`` until the vehicle's own day changes it (None: until set again)."""

    value: Any
    since: float
    until: float | None

    def at(self, moment: float) -> bool:
        return self.since <= moment and (self.until is None or moment < self.until)


@dataclass(frozen=True, slots=True)
class PastDay:
    """A day that didn't follow the plan: its levels at the start, and the changes on it."""

    levels: Levels
    events: tuple[Event, ...]

    def dump(self) -> dict[str, Any]:
        """Return plain values for a snapshot."""
        levels = {name: getattr(self.levels, name) for name in _LEVELS}
        schedules = [schedule.dump() for schedule in self.levels.schedules]
        return {"levels": levels | {"schedules": schedules}, "events": _dump_events(self.events)}

    @classmethod
    def load(cls, data: dict[str, Any]) -> "PastDay":
        """Return the day that ``dump`` described."""
        schedules = tuple(Schedule.load(plain) for plain in data["levels"]["schedules"])
        levels = Levels(**{name: data["levels"][name] for name in _LEVELS}, schedules=schedules)
        return cls(levels, tuple(_load_events(data["events"])))


@dataclass(slots=True)
class Overrides:
    """The changes to one vehicle from outside.

    ``day`` is the first day whose levels don't follow from the plan (None: all do). ``soc``, ``fuel``, ``plug`` and
    ``stopped`` are the levels at its start, ``events`` the changes on that day. ``limit`` and ``schedules`` are the
    present ones. ``past`` has the days before that didn't follow the plan. ``limits`` are (day, charge limit until
    then), ``odometers`` (moment, kilometers added by hand until then), ``positions`` (point, since, until), oldest
    first.
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
    past: dict[int, PastDay] = field(default_factory=dict)
    limits: list[tuple[int, float]] = field(default_factory=list)
    odometers: list[tuple[float, float]] = field(default_factory=list)
    positions: list[tuple[Point, float, float]] = field(default_factory=list)

    def matters(self, now: float) -> bool:
        """Return whether the vehicle would differ without these overrides."""
        recent = self.reported is not None and self.reported > now - _FORGOTTEN_AFTER
        lasting = self.limit is not None or bool(self.schedules) or self.serial > 0 or self.odometer > 0
        history = bool(self.past) or bool(self.positions)
        return recent or lasting or self.day is not None or bool(self.values) or history

    def drop_expired(self, now: float) -> None:
        """Remove overrides that are over."""
        self.values = {
            name: override
            for name, override in self.values.items()
            if override.until is None or override.until > now - _FORGOTTEN_AFTER
        }

    def forget_before(self, day: int, *, start: Callable[[int], float]) -> None:
        """Forget what concerns only days before this one. ``start`` returns when a day begins."""
        self.past = {number: past for number, past in self.past.items() if number >= day}
        self.limits = [(number, limit) for number, limit in self.limits if number > day]
        self.odometers = [(moment, added) for moment, added in self.odometers if moment > start(day)]
        self.positions = [position for position in self.positions if position[2] >= start(day)]

    def dump(self) -> dict[str, Any]:
        """Return plain values for a snapshot."""
        return {
            **{name: getattr(self, name) for name in _PLAIN},
            "events": _dump_events(self.events),
            "schedules": [schedule.dump() for schedule in self.schedules],
            "held": {
                name: [override.value, override.since, override.until]
                for name, override in self.values.items()
            },
            "past": {str(day): past.dump() for day, past in self.past.items()},
            "limits": list(self.limits),
            "odometers": list(self.odometers),
            "positions": list(self.positions),
        }

    @classmethod
    def load(cls, data: dict[str, Any]) -> "Overrides":
        """Return the overrides that ``dump`` described."""
        return cls(
            **{name: data[name] for name in _PLAIN},
            events=_load_events(data["events"]),
            schedules=tuple(Schedule.load(plain) for plain in data["schedules"]),
            values={name: Override(*parts) for name, parts in data["held"].items()},
            past={int(day): PastDay.load(past) for day, past in data.get("past", {}).items()},
            limits=[(day, limit) for day, limit in data.get("limits", [])],
            odometers=[(moment, added) for moment, added in data.get("odometers", [])],
            positions=[(tuple(point), since, until) for point, since, until in data.get("positions", [])],
        )


_FORGOTTEN_AFTER = 86_400.0
_PLAIN = ("day", "soc", "fuel", "plug", "stopped", "limit", "serial", "odometer", "reported")
_LEVELS = ("soc", "fuel", "limit", "plug", "stopped")


def _dump_events(events: Iterable[Event]) -> list[list[Any]]:
    return [[event.at, event.name, _dump_value(event)] for event in events]


def _load_events(plain: Iterable[Any]) -> list[Event]:
    return [Event(at, name, _load_value(name, value)) for at, name, value in plain]


def _dump_value(event: Event) -> Any:
    if event.name == "schedules":
        return [[schedule.dump() for schedule in side] for side in event.value]
    return list(event.value) if isinstance(event.value, tuple) else event.value


def _load_value(name: str, value: Any) -> Any:
    if name == "schedules":
        return tuple(tuple(Schedule.load(plain) for plain in side) for side in value)
    return tuple(value) if isinstance(value, list) else value

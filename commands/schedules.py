"""A car's charge schedules as its page shows them: those it has told of, and what a new one may look like.
No database.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from commands import brands
from commands.proofs import schedules_in
from connect.smartcar.schedules import EVERY_DAY, PARTS
from vehicles import catalogue
from vehicles.selectors import VehicleState

_TYPES = {"daily": "Every day", "workweek": "Working days and weekends", "weekly": "Day by day"}
_DAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")


@dataclass(frozen=True, slots=True)
class Told:
    """A schedule that the car has told of; `words` are its times."""

    id: str
    words: str


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the week, by Smartcar's name and by ours."""

    name: str
    label: str


@dataclass(frozen=True, slots=True)
class Type:
    """A type of schedule that the car's make takes. `single`: it has one window, which is required."""

    name: str
    label: str
    parts: tuple[Part, ...]

    @property
    def single(self) -> bool:
        return len(self.parts) == 1


def told_by(state: VehicleState) -> list[Told]:
    """The schedules among the car's charge timers."""
    row = state.signal(catalogue.CHARGE_TIMERS)
    body = row.body if row and row.body else {}
    return [
        Told(id=str(timer["scheduleId"]), words=_words(timer))
        for timer in schedules_in(body)
        if timer.get("scheduleId")
    ]


def types_for(make: str) -> list[Type]:
    """What a new schedule may look like for a car of this make."""
    taken = brands.schedule_types(make)
    return [
        Type(name, label, tuple(Part(part, _label(part)) for part in PARTS[name]))
        for name, label in _TYPES.items()
        if name in taken
    ]


def _label(part: str) -> str:
    return "Times" if part == EVERY_DAY else part.title()


def _words(timer: Mapping[str, Any]) -> str:
    listed = timer.get("schedules")
    windows = [window for window in listed if isinstance(window, Mapping)] if isinstance(listed, list) else []
    return "; ".join(map(_window, windows)) or str(timer.get("scheduleType", "")).capitalize()


def _window(window: Mapping[str, Any]) -> str:
    times = f"{str(window.get('startTime', ''))[:5]}–{str(window.get('endTime', ''))[:5]}"
    days = window.get("days")
    known = [day for day in _DAYS if isinstance(days, list) and day in days]
    return f"{_span(known)} {times}"


def _span(days: list[str]) -> str:
    """The days in words: a run as "Monday to Friday", all of them as "Every day"."""
    if len(days) in (0, len(_DAYS)):
        return "Every day"
    names = [day.title() for day in days]
    first = _DAYS.index(days[0])
    in_a_row = list(_DAYS[first : first + len(days)]) == days
    return f"{names[0]} to {names[-1]}" if in_a_row and len(days) > 2 else ", ".join(names)

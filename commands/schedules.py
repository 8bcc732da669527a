"""A vehicle's charge schedules for its page: the reported ones, and the choices for a new one. No database access."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.text import capfirst
from django.utils.translation import gettext as _

from commands import make_quirks
from commands.expected_signals import schedules_in
from commands.parameters import part_name
from smartcar_api.schedules import EVERY_DAY, PARTS, WEEK
from vehicles import catalogue
from vehicles.selectors import VehicleState


@dataclass(frozen=True, slots=True)
class ReportedSchedule:
    """A schedule that the vehicle reported; `words` describes its times."""

    id: str
    words: str


@dataclass(frozen=True, slots=True)
class ScheduleWindow:
    """A part of the week: Smartcar's name and our label."""

    name: str
    label: str


@dataclass(frozen=True, slots=True)
class ScheduleType:
    """A type of schedule that the vehicle's make supports. With `single`, it has one window, which is required."""

    name: str
    label: str
    parts: tuple[ScheduleWindow, ...]

    @property
    def single(self) -> bool:
        return len(self.parts) == 1


def reported_schedules(state: VehicleState) -> list[ReportedSchedule]:
    """Returns the schedules among the vehicle's charge timers."""
    row = state.signal(catalogue.CHARGE_TIMERS)
    body = row.body if row and row.body else {}
    return [
        ReportedSchedule(id=str(timer["scheduleId"]), words=_words(timer))
        for timer in schedules_in(body)
        if timer.get("scheduleId")
    ]


def types_for(make: str) -> list[ScheduleType]:
    """Returns the types of schedules that can be created for a vehicle of this make."""
    supported = make_quirks.schedule_types(make)
    return [
        ScheduleType(name, label, tuple(ScheduleWindow(part, _label(part)) for part in PARTS[name]))
        for name, label in _type_labels().items()
        if name in supported
    ]


def _type_labels() -> dict[str, str]:
    return {
        "daily": _("Every day"),
        "workweek": _("Weekdays and weekends"),
        "weekly": _("By day of the week"),
    }


def _label(part: str) -> str:
    return _("Times") if part == EVERY_DAY else capfirst(part_name(part))


def _words(timer: Mapping[str, Any]) -> str:
    listed = timer.get("schedules")
    windows = [window for window in listed if isinstance(window, Mapping)] if isinstance(listed, list) else []
    if windows:
        return "; ".join(map(_window, windows))
    name = str(timer.get("scheduleType", ""))
    return _type_labels().get(name.lower(), name.capitalize())


def _window(window: Mapping[str, Any]) -> str:
    times = f"{str(window.get('startTime', ''))[:5]}–{str(window.get('endTime', ''))[:5]}"
    days = window.get("days")
    known = [day for day in WEEK if isinstance(days, list) and day.upper() in days]
    return f"{_span(known)} {times}"


def _span(days: list[str]) -> str:
    """Returns the days as text: consecutive days as "Monday to Friday", all days as "Every day"."""
    if len(days) in (0, len(WEEK)):
        return _("Every day")
    names = [capfirst(part_name(day)) for day in days]
    first = WEEK.index(days[0])
    if len(days) > 2 and list(WEEK[first : first + len(days)]) == days:
        return _("%(first)s to %(last)s") % {"first": names[0], "last": names[-1]}
    return ", ".join(names)

"""Charge schedules (v3): windows of local time in which the vehicle may charge at a place ("Charge schedules").

Tesla supports all three types, Volvo only the daily one. Other makes respond with 501.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from smartcar_api.errors import not_sent
from smartcar_api.validation import checked_place

EVERY_DAY = "every_day"
WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
PARTS: Mapping[str, tuple[str, ...]] = {
    "daily": (EVERY_DAY,),
    "weekly": WEEK,
    "workweek": ("weekdays", "weekends"),
}
"""The types of schedules, each with the parts of the week that can have a window."""

CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]", re.ASCII)


class Window(NamedTuple):
    """From `start` to `stop`, for example "22:00". Extends past midnight if `stop` is earlier than `start`."""

    start: str
    stop: str


@dataclass(frozen=True, slots=True)
class ChargeSchedule:
    """A charge schedule. `windows` has an entry for each part of the week (PARTS) in which the vehicle may charge."""

    type: str
    latitude: float = field(repr=False)
    longitude: float = field(repr=False)
    windows: Mapping[str, Window]


def schedule_attributes(schedule: ChargeSchedule) -> dict[str, Any]:
    """Returns the schedule in Smartcar's form. Raises SmartcarError (NOT_SENT) if the schedule is invalid."""
    parts = PARTS.get(schedule.type)
    if parts is None or not schedule.windows or not set(schedule.windows) <= set(parts):
        raise not_sent("the type of the schedule and its windows do not fit each other")
    windows = {part: _window(window) for part, window in schedule.windows.items()}
    place = {"location": checked_place(latitude=schedule.latitude, longitude=schedule.longitude)}
    if schedule.type == "daily":
        return place | windows[EVERY_DAY]
    return place | ({"days": windows} if schedule.type == "weekly" else windows)


def _window(window: Window) -> dict[str, str]:
    if not all(CLOCK.fullmatch(time) for time in window) or window.start == window.stop:
        raise not_sent("a window needs two different times such as 22:00")
    return {"startTime": window.start, "stopTime": window.stop}

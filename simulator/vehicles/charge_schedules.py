"""Charge schedules: windows of local time, at a place, in which the vehicle may charge."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from simulator.vehicles.city import EAST, NORTH, Place
from simulator.vehicles.city_time import CITY_TIME, DAY, weekday

_NEAR: Final = 300.0  # meters
DAYS: Final = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")


@dataclass(frozen=True, slots=True)
class Schedule:
    """A charge schedule.

    ``windows`` are (first second of the day, last second, weekdays with Monday 0). A window spans midnight if last <
    first.
    """

    id: str
    kind: str  # DAILY, WEEKLY, WORKWEEK
    latitude: float
    longitude: float
    windows: tuple[tuple[int, int, tuple[int, ...]], ...]

    def near(self, place: Place) -> bool:
        """Return whether the schedule is for this place."""
        north = (self.latitude - place.latitude) * NORTH
        east = (self.longitude - place.longitude) * EAST
        return north * north + east * east <= _NEAR * _NEAR

    def body(self) -> dict[str, Any]:
        """Return the body of ``charge-chargetimers``."""
        return {
            "type": "LOCATION",
            "scheduleType": self.kind,
            "scheduleId": self.id,
            "condition": {
                "name": None,
                "address": None,
                "latitude": self.latitude,
                "longitude": self.longitude,
            },
            "schedules": [
                {"startTime": _clock(first), "endTime": _clock(last), "days": [DAYS[day] for day in days]}
                for first, last, days in self.windows
            ],
            "departureTimers": [],
            "optimizationEnabled": False,
        }

    def dump(self) -> list[Any]:
        """Return plain values for a snapshot."""
        return [self.id, self.kind, self.latitude, self.longitude, [list(window) for window in self.windows]]

    @classmethod
    def load(cls, data: Iterable[Any]) -> "Schedule":
        """Return the schedule that ``dump`` described."""
        number, kind, latitude, longitude, windows = data
        return cls(
            number,
            kind,
            latitude,
            longitude,
            tuple((first, last, tuple(days)) for first, last, days in windows),
        )


def _clock(second: int) -> str:
    return f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"


def next_window(schedules: Iterable[Schedule], *, place: Place, moment: float) -> tuple[float, float] | None:
    """Return the start and end (epoch seconds) of the present or next window at a place, None without one."""
    opening = None
    today = int((moment + CITY_TIME) // DAY)
    for schedule in schedules:
        if not schedule.near(place):
            continue
        for first, last, days in schedule.windows:
            for day in range(today - 1, today + 8):
                start = day * DAY - CITY_TIME + first
                end = start + (last - first) % DAY
                if weekday(day) in days and end > moment and (opening is None or start < opening[0]):
                    opening = (start, end)
    return opening


def parse_clock(text: object) -> int | None:
    """Return the seconds after midnight of ``HH:MM`` or ``HH:MM:SS``, None for anything else."""
    if not isinstance(text, str):
        return None
    parts = text.split(":")
    if len(parts) not in (2, 3) or not all(
        len(part) == 2 and part.isascii() and part.isdigit() for part in parts
    ):
        return None
    hour, minute, second = (*map(int, parts), 0)[:3]
    return hour * 3600 + minute * 60 + second if hour < 24 and minute < 60 and second < 60 else None


def parse_windows(entries: Iterable[tuple[Iterable[int], Mapping[str, object]]]) -> tuple[Any, ...] | None:
    """Return windows for (weekdays, ``{"startTime", "stopTime"}``) pairs, None if a time is malformed."""
    windows = []
    for days, window in entries:
        first, last = parse_clock(window.get("startTime")), parse_clock(window.get("stopTime"))
        if first is None or last is None or first == last:
            return None
        windows.append((first, last, tuple(days)))
    return tuple(windows)

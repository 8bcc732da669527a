"""One day of one vehicle: where it is at each moment, and its battery and fuel levels.

The trips come from a shared route. What fills battery and tank is calculated once, as a few phases.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from simulator.vehicles.charge_schedules import Schedule
from simulator.vehicles.city import Place, Point
from simulator.vehicles.city_time import DAY, weekday
from simulator.vehicles.energy import seconds_to_charge
from simulator.vehicles.energy_phases import Event, Phase, PhaseBuilder, levels_in
from simulator.vehicles.models import Model
from simulator.vehicles.routes import DailyRoute
from simulator.vehicles.trip import Fix, Path, path_between
from simulator.vehicles.weekly_schedule import WeeklySchedule


class TripStatus(NamedTuple):
    """The trip begun last (-1: none yet), whether it still goes on, and since and until when that is so.

    ``km`` is driven that day at ``since``. ``place`` is where the vehicle is parked, or where its trip began.
    """

    trip: int
    driving: bool
    since: float
    until: float
    km: float
    place: Place


@dataclass(frozen=True, slots=True)
class Pin:
    """A position set from outside. ``place`` is the same point if it is on the city's streets."""

    since: float
    until: float
    point: Point
    place: Place | None


@dataclass(frozen=True, slots=True)
class Levels:
    """Percentages at the start of a day. ``plug`` is the charger's power in kW, 0 if the vehicle isn't plugged in."""

    soc: float
    fuel: float
    limit: float
    plug: float
    stopped: bool = False
    schedules: tuple[Schedule, ...] = ()


class DailyPlan:
    """A vehicle's day from ``start`` to ``end`` (epoch seconds of plan time)."""

    __slots__ = (
        "_model",
        "daily_route",
        "depart",
        "end",
        "number",
        "phases",
        "pins",
        "start",
        "weekly_schedule",
    )

    def __init__(
        self,
        *,
        number: int,
        weekly_schedule: WeeklySchedule,
        model: Model,
        first_departure: float,
        levels: Levels,
        events: Sequence[Event] = (),
        pins: Sequence[Pin] = (),
    ) -> None:
        self.number, self.weekly_schedule, self._model, self.pins = number, weekly_schedule, model, pins
        self.start = weekly_schedule.start_of_day(number)
        self.end = self.start + DAY
        self.daily_route: DailyRoute | None = weekly_schedule.week[weekday(number)]
        self.depart = first_departure if self.daily_route else self.end
        self.phases = PhaseBuilder(self, model, levels).phases(events)

    def trip_status(self, moment: float) -> TripStatus:
        """Return which trip of the day's route the vehicle is on, or where it is parked."""
        daily_route, base = self.daily_route, self.weekly_schedule.base
        seconds = moment - self.depart
        if daily_route is None or seconds < 0:
            return TripStatus(-1, False, self.start, self.depart, 0.0, base)
        trip = daily_route.trip_at(seconds)
        if seconds < daily_route.arrives[trip]:
            begun, over = self.depart + daily_route.departs[trip], self.depart + daily_route.arrives[trip]
            return TripStatus(trip, True, begun, over, daily_route.km[trip], daily_route.places[trip])
        leaves = (
            self.depart + daily_route.departs[trip + 1] if trip + 1 < len(daily_route.departs) else self.end
        )
        return TripStatus(
            trip,
            False,
            self.depart + daily_route.arrives[trip],
            leaves,
            daily_route.km[trip + 1],
            daily_route.places[trip + 1],
        )

    def fix(self, moment: float, trip_status: TripStatus) -> Fix:
        """Return position, heading and speed."""
        fix = self._fix_on_path(moment, trip_status) if trip_status.driving else self._parked_fix(trip_status)
        aside = self.weekly_schedule.offset
        pin = next((pin for pin in reversed(self.pins) if pin.since <= moment < pin.until), None)
        if pin:
            return fix._replace(latitude=pin.point[0], longitude=pin.point[1])
        return fix._replace(latitude=fix.latitude + aside[0], longitude=fix.longitude + aside[1])

    def _parked_fix(self, trip_status: TripStatus) -> Fix:
        heading = self._path(trip_status.trip).last_heading if trip_status.trip >= 0 else 0.0
        return Fix(*trip_status.place.point, heading, 0.0, 0.0)

    def _path(self, trip: int, *, planned: bool = False) -> Path:
        """Return the path of a trip. It starts at a position set from outside if that is on the city's streets."""
        assert self.daily_route is not None
        start, end = self.daily_route.places[trip], self.daily_route.places[trip + 1]
        departs = self.depart + self.daily_route.departs[trip]
        pin = next((pin for pin in reversed(self.pins) if abs(pin.until - departs) < 1.0), None)
        if pin and pin.place and not planned:
            start = pin.place
        return path_between(start, end, self.daily_route.turns)

    def _fix_on_path(self, moment: float, trip_status: TripStatus, *, planned: bool = False) -> Fix:
        return self._path(trip_status.trip, planned=planned).fix(
            moment - trip_status.since, seconds=trip_status.until - trip_status.since
        )

    def origin(self, trip_status: TripStatus) -> Point:
        """Return where the vehicle is parked, or where it was parked before its trip."""
        latitude, longitude = self.fix(trip_status.since, trip_status)[:2]
        return round(latitude, 6), round(longitude, 6)

    def km_at(self, moment: float) -> float:
        """Return the km driven since the day's start on the planned route. Positions set from outside don't count."""
        trip_status = self.trip_status(moment)
        if not trip_status.driving or self.daily_route is None:
            return trip_status.km
        part = (
            self._fix_on_path(moment, trip_status, planned=True).meters
            / self._path(trip_status.trip, planned=True).length
        )
        return trip_status.km + part * (self.daily_route.km[trip_status.trip + 1] - trip_status.km)

    def phase_at(self, moment: float) -> Phase:
        """Return the phase at this moment."""
        return self.phases[max(0, bisect_right(self.phases, moment, key=lambda phase: phase.at) - 1)]

    def sessions(self) -> Iterator[tuple[Phase, float]]:
        """Yield the last phase of each charging session of the day, and when the session ends: full or interrupted."""
        for phase, following in zip(self.phases, (*self.phases[1:], None), strict=True):
            end = min(phase.charge_end, following.at if following else self.end)
            goes_on = following is not None and following.charges and following.begun == phase.begun
            if phase.charges and end > phase.charge_start and not goes_on:
                yield phase, end

    def tenths(self, phase: Phase) -> Iterator[float]:
        """Yield when the state of charge passes 10, 20 … 90 % in a phase that charges."""
        if phase.charges:
            for soc in range(10, 100, 10):
                if phase.soc < soc < phase.target:
                    yield phase.charge_start + seconds_to_charge(
                        phase.soc, soc, kw=phase.kw, battery=self._model.battery, fast=phase.fast
                    )

    def levels(self, moment: float, km: float) -> tuple[float, float]:
        """Return state of charge and fuel level in percent after ``km`` driven that day."""
        return levels_in(self.phase_at(moment), self._model, moment=moment, km=km)

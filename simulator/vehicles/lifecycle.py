"""A vehicle's actual days: the seeded plan and the changes from outside."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from simulator.vehicles.charge_schedules import Schedule
from simulator.vehicles.city import Point, place_at
from simulator.vehicles.city_time import DAY, weekday
from simulator.vehicles.daily_plan import DailyPlan, Levels, Pin
from simulator.vehicles.energy_phases import Event
from simulator.vehicles.incidents import Lapses, lapses
from simulator.vehicles.models import Model
from simulator.vehicles.overrides import Override, Overrides, PastDay
from simulator.vehicles.plan_clock import PlanClock
from simulator.vehicles.weekly_schedule import WeeklySchedule, charge_week, jitter

_SAME: Final = 0.01  # percent
_KEPT_DAYS: Final = 400  # For so long, days that didn't follow the plan can be looked back at.


@dataclass(frozen=True, slots=True)
class Identity:
    """The facts about a vehicle that never change."""

    index: int
    id: str
    vin: str
    model: Model
    year: int
    trim: str
    color: str
    nickname: str
    account: str
    user_id: str
    first_km: float  # On the odometer at the start of the simulation.
    firmware: str
    abroad: bool = False  # In Munich.


class Lifecycle:
    """The days of one vehicle, calculated on demand, in plan time.

    ``on_change`` is called with the vehicle's id whenever the vehicle is changed from outside.
    """

    __slots__ = (
        "_day",
        "_lapses",
        "_plan",
        "_weekly_schedule",
        "identity",
        "on_change",
        "overrides",
        "plan_clock",
        "seed",
        "start",
    )

    def __init__(
        self,
        identity: Identity,
        *,
        seed: int,
        start: float,
        plan: Callable[[Identity], WeeklySchedule],
        on_change: Callable[[str], None],
    ) -> None:
        self.identity, self.seed, self.start, self.on_change = identity, seed, start, on_change
        self.overrides: Overrides | None = None
        self.plan_clock = PlanClock()
        self._plan = plan
        self._weekly_schedule: WeeklySchedule | None = None
        self._day: DailyPlan | None = None
        self._lapses = Lapses()

    @property
    def weekly_schedule(self) -> WeeklySchedule:
        """The vehicle's week."""
        if self._weekly_schedule is None:
            self._weekly_schedule = self._plan(self.identity)
        return self._weekly_schedule

    @property
    def limit(self) -> float:
        """The charge limit in percent."""
        changed = self.overrides.limit if self.overrides else None
        return self.weekly_schedule.limit if changed is None else changed

    @property
    def schedules(self) -> tuple[Schedule, ...]:
        """The charge schedules."""
        return self.overrides.schedules if self.overrides else ()

    # Days

    def daily_plan(self, moment: float) -> DailyPlan:
        """Return the day of this moment."""
        number = self.weekly_schedule.day_number(moment)
        if self._day is None or self._day.number != number:
            self._day = self.plan_for_day(number)
            stops = len(self._day.daily_route.departs) if self._day.daily_route else 0
            self._lapses = lapses(seed=self.seed, index=self.identity.index, day=number, stops=stops)
        return self._day

    def lapses(self, moment: float) -> Lapses:
        """Return the driver's lapses on the day of this moment."""
        self.daily_plan(moment)
        return self._lapses

    def plan_for_day(self, number: int) -> DailyPlan:
        """Return the day with this number. A vehicle whose levels left the plan is followed from there, day by day."""
        overrides = self.overrides
        while overrides and overrides.day is not None and overrides.day < number:
            self._roll_over(overrides, overrides.day)
        if overrides and overrides.day == number:
            return self._build(number, self._overridden_levels(overrides), overrides.events)
        past = overrides.past.get(number) if overrides else None
        if past:
            return self._build(number, past.levels, past.events)
        return self._build(number, self._planned_levels(number), [])

    def departs(self, number: int) -> float | None:
        """Return the first departure of a day, None on a day off."""
        rng = Random(f"{self.seed}:{self.identity.index}:{number}")  # noqa: S311 - reproducible runs
        return self.weekly_schedule.departs(number, shift=jitter(rng))

    def next_change(self, moment: float) -> float:
        """Return when the current trip ends, or, for a parked vehicle, when it next leaves."""
        day = self.daily_plan(moment)
        until = day.trip_status(moment).until
        if until < day.end:
            return until
        ahead = (self.departs(day.number + days) for days in range(1, 8))
        return next((departure for departure in ahead if departure is not None), until)

    def _build(self, number: int, levels: Levels, events: Sequence[Event]) -> DailyPlan:
        departure = self.departs(number)
        return DailyPlan(
            number=number,
            weekly_schedule=self.weekly_schedule,
            model=self.identity.model,
            first_departure=self.weekly_schedule.start_of_day(number) if departure is None else departure,
            levels=levels,
            events=events,
            pins=self._pins(number),
        )

    def _pins(self, number: int) -> tuple[Pin, ...]:
        """Return the positions set from outside that have an effect on a day, oldest first."""
        start = self.weekly_schedule.start_of_day(number)
        return tuple(
            Pin(since, until, point, place_at(*point))
            for point, since, until in (self.overrides.positions if self.overrides else ())
            if since < start + DAY and until >= start
        )

    # Levels

    def _planned_levels(self, number: int) -> Levels:
        """Return the levels at the start of a day without overrides before it."""
        weekly_schedule, day, limit = self.weekly_schedule, weekday(number), self._limit_on(number)
        soc = weekly_schedule.soc
        if limit != weekly_schedule.limit:
            km = [daily_route.total_km if daily_route else 0.0 for daily_route in weekly_schedule.week]
            soc = charge_week(self.identity.model, km=km, charges=weekly_schedule.charges, limit=limit)
        plug = weekly_schedule.base_kw if weekly_schedule.charges[day - 1] else 0.0
        return Levels(soc[day], weekly_schedule.fuel[day], limit, plug)

    def _limit_on(self, number: int) -> float:
        """Return the charge limit on a day that follows the plan."""
        changes = self.overrides.limits if self.overrides else []
        return next((before for day, before in changes if number < day), self.limit)

    def _overridden_levels(self, overrides: Overrides) -> Levels:
        """Return the levels at the start of the first overridden day, with limit and schedules before its events."""
        limits = [event.value[0] for event in overrides.events if event.name == "limit"]
        schedules = [event.value[0] for event in overrides.events if event.name == "schedules"]
        return Levels(
            overrides.soc,
            overrides.fuel,
            limits[0] if limits else self.limit,
            overrides.plug,
            overrides.stopped,
            schedules[0] if schedules else overrides.schedules,
        )

    def _roll_over(self, overrides: Overrides, number: int) -> None:
        """Carry overridden levels over to the next day. Drop them if the vehicle is back in its plan."""
        levels = self._overridden_levels(overrides)
        overrides.past[number] = PastDay(levels, tuple(overrides.events))
        overrides.forget_before(number - _KEPT_DAYS, start=self.weekly_schedule.start_of_day)
        day = self._build(number, levels, overrides.events)
        last = day.phases[-1]
        overrides.soc, overrides.fuel = day.levels(day.end, day.km_at(day.end - 0.001))
        overrides.plug, overrides.stopped = (last.kw if last.plugged else 0.0), last.stopped
        overrides.day, overrides.events = number + 1, []
        usual = self._planned_levels(number + 1)
        same = abs(usual.soc - overrides.soc) < _SAME and abs(usual.fuel - overrides.fuel) < _SAME
        if same and usual.plug == overrides.plug and not overrides.stopped and not overrides.schedules:
            overrides.day = None

    # Changes from outside

    def change(self, now: float, *events: Event) -> Overrides:
        """Record changes to the vehicle, and make it report at once."""
        overrides = self.overrides or Overrides()
        if events:
            number = self.daily_plan(now).number
            if overrides.day is None:
                usual = self._planned_levels(number)
                overrides.day, overrides.soc, overrides.fuel = number, usual.soc, usual.fuel
                overrides.plug, overrides.stopped, overrides.events = usual.plug, usual.stopped, []
            overrides.events = [*overrides.events, *events]
        overrides.reported = now
        self.overrides = overrides
        self.invalidate()
        return overrides

    def set_override(
        self, name: str, value: Any, *, now: float, lasting: bool = False, until: float = math.inf
    ) -> None:
        """Override a value until the vehicle next leaves or arrives, at most until a moment, or permanently."""
        until_then = None if lasting else min(self.next_change(now), until)
        self.change(now).values[name] = Override(value, now, until_then)
        self.invalidate()

    def clear_override(self, name: str, *, now: float) -> None:
        """Remove an override."""
        self.change(now).values.pop(name, None)
        self.invalidate()

    def override_value(self, name: str, moment: float) -> Any:
        """Return the overridden value at this moment, or None."""
        override = self.overrides.values.get(name) if self.overrides else None
        return override.value if override and override.at(moment) else None

    def override_since(self, name: str) -> float:
        """Return since when a value is overridden.

        Raises:
            KeyError: It isn't.
        """
        overrides = self.overrides.values if self.overrides else {}
        return overrides[name].since

    def set_position(self, point: Point, *, now: float) -> None:
        """Move the vehicle until it next leaves or arrives."""
        until = self.next_change(now)
        self.change(now).positions.append((point, now, until))
        self.invalidate()

    def set_limit(self, percent: float, *, now: float) -> None:
        """Change the charge limit permanently."""
        before = self.limit
        overrides = self.change(now, Event(now, "limit", (before, percent)))
        overrides.limits.append((self.daily_plan(now).number, before))
        overrides.limit = percent
        self.invalidate()

    def add_to_odometer(self, kilometers: float, *, now: float) -> None:
        """Move the odometer forward without driving."""
        overrides = self.change(now)
        overrides.odometers.append((now, overrides.odometer))
        overrides.odometer += kilometers
        self.invalidate()

    def odometer_at(self, day: DailyPlan, *, moment: float, km: float) -> float:
        """Return what the odometer shows at a moment of a day, after ``km`` driven that day."""
        begun = self.weekly_schedule.km_before(self.weekly_schedule.day_number(self.start))
        driven = self.weekly_schedule.km_before(day.number) - begun + km
        overrides = self.overrides
        added = (
            next((before for at, before in overrides.odometers if moment < at), overrides.odometer)
            if overrides
            else 0.0
        )
        return self.identity.first_km + driven + added

    def set_schedules(self, schedules: tuple[Schedule, ...], *, now: float) -> None:
        """Replace the charge schedules."""
        self.change(now, Event(now, "schedules", (self.schedules, schedules))).schedules = schedules

    def restore(self, overrides: Overrides | None, plan_clock: PlanClock | None = None) -> None:
        """Replace the overrides, and the position in the daily plan if one is given."""
        self.overrides = overrides
        if plan_clock is not None:
            self.plan_clock = plan_clock
        self.invalidate()

    def invalidate(self) -> None:
        """Calculate the day again, because its plan or its overrides changed."""
        self._day = None
        self.on_change(self.identity.id)

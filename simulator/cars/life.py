"""A car's days as they really are: the seeded plan, and what was done to the car."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from simulator.cars.city import place_at
from simulator.cars.clocks import weekday
from simulator.cars.day import Day, Levels, Pin
from simulator.cars.deviation import Deviation, Held
from simulator.cars.history import sessions_of
from simulator.cars.incidents import Lapses, lapses
from simulator.cars.makes import MAKES
from simulator.cars.models import Model
from simulator.cars.phases import Event
from simulator.cars.routine import Routine, charge_week, jitter
from simulator.cars.schedules import Schedule

_SAME: Final = 0.01  # percent
_REMEMBERED: Final = 7  # days


@dataclass(frozen=True, slots=True)
class Identity:
    """What never changes about a car."""

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
    first_km: float  # on the odometer when the world starts
    firmware: str


class Life:
    """Days of one car, worked out when asked for. ``touched`` is called whenever something is done to the car."""

    __slots__ = ("_day", "_lapses", "_plan", "_routine", "deviation", "facts", "seed", "start", "touched")

    def __init__(
        self,
        facts: Identity,
        *,
        seed: int,
        start: float,
        plan: Callable[[Identity], Routine],
        touched: Callable[[str], None],
    ) -> None:
        self.facts, self.seed, self.start, self.touched = facts, seed, start, touched
        self.deviation: Deviation | None = None
        self._plan = plan
        self._routine: Routine | None = None
        self._day: Day | None = None
        self._lapses = Lapses()

    @property
    def routine(self) -> Routine:
        """The car's week."""
        if self._routine is None:
            self._routine = self._plan(self.facts)
        return self._routine

    @property
    def limit(self) -> float:
        """Charge limit in percent."""
        changed = self.deviation.limit if self.deviation else None
        return self.routine.limit if changed is None else changed

    @property
    def schedules(self) -> tuple[Schedule, ...]:
        """Charge schedules."""
        return self.deviation.schedules if self.deviation else ()

    # Days

    def day(self, moment: float) -> Day:
        """The day that holds the moment."""
        number = self.routine.day_of(moment)
        if self._day is None or self._day.number != number:
            self._day = self.day_number(number)
            stops = len(self._day.round.departs) if self._day.round else 0
            self._lapses = lapses(seed=self.seed, index=self.facts.index, day=number, stops=stops)
        return self._day

    def lapses(self, moment: float) -> Lapses:
        """What the driver forgets on the day of the moment."""
        self.day(moment)
        return self._lapses

    def day_number(self, number: int) -> Day:
        """The day with this number. A car whose levels left the routine is followed from there, day by day."""
        deviation = self.deviation
        while deviation and deviation.day is not None and deviation.day < number:
            self._roll(deviation, deviation.day)
        if deviation and deviation.day == number:
            return self._build(number, self._deviating(deviation), deviation.events)
        return self._build(number, self._usual(number), [])

    def departs(self, number: int) -> float | None:
        """The first departure of a day, None on a day off."""
        rng = Random(f"{self.seed}:{self.facts.index}:{number}")  # noqa: S311 - a reproducible world
        return self.routine.departs(number, shift=jitter(rng))

    def next_change(self, moment: float) -> float:
        """When the trip that the car is on ends, or, where it stands, when it next leaves."""
        day = self.day(moment)
        until = day.spot(moment).until
        if until < day.end:
            return until
        ahead = (self.departs(day.number + days) for days in range(1, 8))
        return next((departure for departure in ahead if departure is not None), until)

    def _build(self, number: int, levels: Levels, events: list[Event]) -> Day:
        departure = self.departs(number)
        return Day(
            number=number,
            routine=self.routine,
            model=self.facts.model,
            first_departure=self.routine.start_of(number) if departure is None else departure,
            levels=levels,
            events=events,
            pin=self._pin(),
        )

    def _pin(self) -> Pin | None:
        held = self.deviation.held.get("place") if self.deviation else None
        if held is None or held.until is None:
            return None
        return Pin(held.since, held.until, tuple(held.value), place_at(*held.value))

    # Levels

    def _usual(self, number: int) -> Levels:
        """How a day begins that nothing unusual preceded."""
        routine, day = self.routine, weekday(number)
        soc = routine.soc
        if self.limit != routine.limit:
            km = [round_.total_km if round_ else 0.0 for round_ in routine.week]
            soc = charge_week(self.facts.model, km=km, charges=routine.charges, limit=self.limit)
        plug = routine.base_kw if routine.charges[day - 1] else 0.0
        return Levels(soc[day], routine.fuel[day], self.limit, plug, schedules=self.schedules)

    def _deviating(self, deviation: Deviation) -> Levels:
        """How the first deviating day begins: with limit and schedules as they were before its events."""
        limits = [event.value[0] for event in deviation.events if event.name == "limit"]
        schedules = [event.value[0] for event in deviation.events if event.name == "schedules"]
        return Levels(
            deviation.soc,
            deviation.fuel,
            limits[0] if limits else self.limit,
            deviation.plug,
            deviation.stopped,
            schedules[0] if schedules else deviation.schedules,
        )

    def _roll(self, deviation: Deviation, number: int) -> None:
        """Carry a deviation over to the next day; drop it where the car is back in its routine."""
        day = self._build(number, self._deviating(deviation), deviation.events)
        last = day.phases[-1]
        deviation.soc, deviation.fuel = day.levels(day.end, day.km_at(day.end - 0.001))
        deviation.plug, deviation.stopped = (last.kw if last.plugged else 0.0), last.stopped
        if self.facts.model.electric:
            deviation.sessions[number] = sessions_of(
                day, self.facts.model, ports=MAKES[self.facts.model.make].ports
            )
        for old in [old for old in deviation.sessions if old <= number - _REMEMBERED]:
            del deviation.sessions[old]
        deviation.day, deviation.events = number + 1, []
        usual = self._usual(number + 1)
        same = abs(usual.soc - deviation.soc) < _SAME and abs(usual.fuel - deviation.fuel) < _SAME
        if same and usual.plug == deviation.plug and not deviation.stopped and not deviation.schedules:
            deviation.day = None

    # What is done to the car

    def change(self, now: float, *events: Event) -> Deviation:
        """Note what is done to the car, and have it report at once."""
        deviation = self.deviation or Deviation()
        if events:
            number = self.day(now).number
            if deviation.day is None:
                usual = self._usual(number)
                deviation.day, deviation.soc, deviation.fuel = number, usual.soc, usual.fuel
                deviation.plug, deviation.stopped, deviation.events = usual.plug, usual.stopped, []
            deviation.events = [*deviation.events, *events]
        deviation.reported = now
        self.deviation = deviation
        self._forget()
        return deviation

    def hold(
        self, name: str, value: Any, *, now: float, lasting: bool = False, until: float = math.inf
    ) -> None:
        """Keep a value until the car next leaves or arrives, at most until a moment; or for good."""
        until_then = None if lasting else min(self.next_change(now), until)
        self.change(now).held[name] = Held(value, now, until_then)
        self._forget()

    def release(self, name: str, *, now: float) -> None:
        """No longer keep a value."""
        self.change(now).held.pop(name, None)
        self._forget()

    def held(self, name: str, moment: float) -> Any:
        """The value that somebody set and that holds at the moment, else None."""
        held = self.deviation.held.get(name) if self.deviation else None
        return held.value if held and held.at(moment) else None

    def set_limit(self, percent: float, *, now: float) -> None:
        """Change the charge limit for good."""
        self.change(now, Event(now, "limit", (self.limit, percent))).limit = percent

    def set_schedules(self, schedules: tuple[Schedule, ...], *, now: float) -> None:
        """Replace the charge schedules."""
        self.change(now, Event(now, "schedules", (self.schedules, schedules))).schedules = schedules

    def restore(self, deviation: Deviation | None) -> None:
        """Take over a deviation from a snapshot."""
        self.deviation = deviation
        self._forget()

    def _forget(self) -> None:
        self._day = None
        self.touched(self.facts.id)

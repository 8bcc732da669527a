"""One car of the world: its facts, its day, what it reports, and what is done to it."""

import math
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import Any, Final

from simulator.cars import bodies, commands, patches
from simulator.cars.capabilities import supported
from simulator.cars.catalogue import CATALOGUE
from simulator.cars.day import Day, Event
from simulator.cars.deviation import Deviation, Held
from simulator.cars.incidents import FORTNIGHT, Health, Lapses, health, lapses
from simulator.cars.makes import MAKES, Make
from simulator.cars.models import Model
from simulator.cars.routine import DAY, Routine, charge_week, jitter, weekday
from simulator.cars.signal import Signal
from simulator.cars.state import LOCK_AFTER, TYRE_KPA, UNLOCK_BEFORE, State, outside_temperature

_NONE: Final[frozenset[tuple[int, int]]] = frozenset()


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


class Car:
    """A simulated car. Times are epoch seconds of the simulator's clock; answers follow from seed and clock alone."""

    __slots__ = (
        "_day",
        "_days",
        "_lapses",
        "_plan",
        "_routine",
        "_seed",
        "_start",
        "_state",
        "deviation",
        "facts",
    )

    facts: Identity

    def __init__(self, facts: Identity, *, seed: int, start: float, plan: Callable[[], Routine]) -> None:
        self.facts = facts
        self._seed, self._start, self._plan = seed, start, plan
        self._routine: Routine | None = None
        self._day: Day | None = None
        self._lapses: Lapses = Lapses()
        self._state: State | None = None
        self.deviation: Deviation | None = None

    # Facts

    @property
    def id(self) -> str:
        return self.facts.id

    @property
    def vin(self) -> str:
        return self.facts.vin

    @property
    def make(self) -> str:
        return self.facts.model.make

    @property
    def model(self) -> str:
        return self.facts.model.name

    @property
    def year(self) -> int:
        return self.facts.year

    @property
    def powertrain(self) -> str:
        return self.facts.model.powertrain

    @property
    def account(self) -> str:
        """E-mail of the owner's account at the maker."""
        return self.facts.account

    @property
    def user_ids(self) -> tuple[str, ...]:
        """Smartcar user ids of the accounts that hold the car."""
        return (self.facts.user_id,)

    @property
    def rules(self) -> Make:
        """The make's rules: rhythm, sleep, commands."""
        return MAKES[self.make]

    @property
    def routine(self) -> Routine:
        if self._routine is None:
            self._routine = self._plan()
        return self._routine

    def supports(self, code: str) -> bool:
        """Whether this car gives this signal. Raises KeyError for a code that does not exist."""
        return CATALOGUE[code].code in supported(self.facts.model, self.facts.year)

    # What it reports

    def signal(self, code: str, *, now: float) -> Signal:
        """One signal as last reported at ``now``. Raises KeyError for a code that does not exist."""
        return bodies.signal(self, CATALOGUE[code], self.reported(now=now))

    def signals(self, *, now: float) -> list[Signal]:
        """All 93 signals, sorted by code; those it does not support carry an error and no body."""
        state = self.reported(now=now)
        return [bodies.signal(self, entry, state) for entry in CATALOGUE.values()]

    def command(self, name: str, *, now: float, **parameters: Any) -> str | None:
        """Do what a remote command does; gives the id of the charge schedule for schedule commands, else None.

        Raises Refused where state, make or parameters do not allow it.
        """
        return commands.run(self, name, now=now, parameters=parameters)

    def patch(self, *, now: float, **state: Any) -> tuple[str, ...]:
        """Set the car's state from outside; gives the codes of the signals that changed. See ``patches.NAMES``.

        Raises ValueError for unknown names (listing the known ones) and for impossible values.
        """
        return patches.apply(self, now=now, values=state)

    def state(self, *, now: float) -> dict[str, Any]:
        """What the car is like at this moment, whether reported or not, as plain values."""
        return patches.view(self, self.observe(now), now=now)

    # Time

    def day(self, moment: float) -> Day:
        """The day that holds the moment, with all that was done to the car."""
        number = self.routine.day_of(moment)
        if self._day is None or self._day.number != number:
            self._day = self._build(number)
            stops = len(self._day.round.departs) if self._day.round else 0
            self._lapses = lapses(seed=self._seed, index=self.facts.index, day=number, stops=stops)
        return self._day

    def _build(self, number: int) -> Day:
        deviation = self.deviation
        if deviation is not None and deviation.day is not None:
            while deviation.day is not None and deviation.day < number:
                self._roll(deviation)
            if deviation.day == number:
                return self._plain_day(
                    number, soc=deviation.soc, fuel=deviation.fuel, events=deviation.events
                )
        soc, fuel = self._usual(number)
        return self._plain_day(number, soc=soc, fuel=fuel, events=[])

    def _usual(self, number: int) -> tuple[float, float]:
        """Levels at the start of a day that nothing unusual preceded."""
        routine, day = self.routine, weekday(number)
        soc = routine.soc
        if self.limit != routine.limit:
            km = [round_.total_km if round_ else 0.0 for round_ in routine.week]
            soc = charge_week(self.facts.model, km=km, charges=routine.charges, limit=self.limit)
        return soc[day], routine.fuel[day]

    @property
    def limit(self) -> float:
        """Charge limit in percent."""
        changed = self.deviation.limit if self.deviation else None
        return self.routine.limit if changed is None else changed

    def _plain_day(self, number: int, *, soc: float, fuel: float, events: list[Event]) -> Day:
        rng = Random(f"{self._seed}:{self.facts.index}:{number}")  # noqa: S311 - a reproducible world
        return Day(
            number=number,
            routine=self.routine,
            model=self.facts.model,
            shift=jitter(rng),
            soc=soc,
            fuel=fuel,
            limit=self._limit_at(number, events),
            events=events,
        )

    def _limit_at(self, number: int, events: list[Event]) -> float:
        """The limit with which the day began: before the changes of the day."""
        before = [event.value[0] for event in events if event.name == "limit"]
        return float(before[0]) if before else self.limit

    def _roll(self, deviation: Deviation) -> None:
        """Carry a deviation over midnight; drop it where the car is back in its routine."""
        assert deviation.day is not None
        day = self._plain_day(deviation.day, soc=deviation.soc, fuel=deviation.fuel, events=deviation.events)
        deviation.soc, deviation.fuel = day.levels(day.end, day.km_at(day.end - 0.001))
        deviation.day += 1
        deviation.events = []
        usual = self._usual(deviation.day)
        if abs(usual[0] - deviation.soc) < 0.01 and abs(usual[1] - deviation.fuel) < 0.01:
            deviation.day = None

    def change(self, now: float, *events: Event) -> Deviation:
        """Note events that change how battery and tank go on, and report at once."""
        deviation = self.deviation or Deviation()
        if events:
            day = self.day(now)
            if deviation.day is None:
                usual = self._usual(day.number)
                deviation.day, deviation.soc, deviation.fuel = day.number, *usual
            deviation.events = [*deviation.events, *events]
        deviation.reported = now
        self.deviation = deviation
        self._day = self._state = None
        return deviation

    def hold(self, name: str, value: Any, *, now: float, lasting: bool = False) -> None:
        """Keep a value until the car next leaves (or for good)."""
        until = None if lasting else self.day(now).next_departure(now)
        self.change(now).held[name] = Held(value, now, until)

    def set_limit(self, percent: float, *, now: float) -> None:
        """Change the charge limit for good."""
        previous = self.limit
        deviation = self.change(now, Event(now, "limit", (previous, percent)))
        deviation.limit = percent

    def deviate(self, deviation: Deviation | None) -> None:
        """Take over a deviation from a snapshot."""
        self.deviation = deviation
        self._day = self._state = None

    def add_schedule(
        self, *, kind: str, latitude: float, longitude: float, windows: list[dict[str, Any]], now: float
    ) -> str:
        """Keep a charge schedule for a place; a schedule of the same kind there is replaced. Gives its id."""
        deviation = self.change(now)
        deviation.serial += 1
        number = f"{self.facts.id[:8]}-{deviation.serial}"
        kept = [
            entry
            for entry in deviation.schedules
            if (entry["scheduleType"], entry["latitude"], entry["longitude"]) != (kind, latitude, longitude)
        ]
        entry = {
            "scheduleId": number,
            "scheduleType": kind,
            "latitude": latitude,
            "longitude": longitude,
            "windows": windows,
        }
        deviation.schedules = [*kept, entry]
        return number

    def remove_schedule(self, schedule_id: str, *, now: float) -> bool:
        """Delete a charge schedule; whether there was one."""
        known = self.deviation.schedules if self.deviation else []
        kept = [entry for entry in known if entry["scheduleId"] != schedule_id]
        if len(kept) == len(known):
            return False
        self.change(now).schedules = kept
        return True

    def timers(self) -> list[dict[str, Any]]:
        """The charge schedules as ``charge-chargetimers`` tells them."""
        return [
            {
                "type": "LOCATION",
                "scheduleType": entry["scheduleType"],
                "scheduleId": entry["scheduleId"],
                "condition": {
                    "name": None,
                    "address": None,
                    "latitude": entry["latitude"],
                    "longitude": entry["longitude"],
                },
                "schedules": entry["windows"],
                "departureTimers": [],
                "optimizationEnabled": False,
            }
            for entry in (self.deviation.schedules if self.deviation else [])
        ]

    def held(self, name: str, moment: float) -> Any:
        """The value somebody set and that still holds, else None."""
        held = self.deviation.held.get(name) if self.deviation else None
        if held is None or moment < held.since or (held.until is not None and moment >= held.until):
            return None
        return held.value

    # Reports

    def reported(self, *, now: float) -> State:
        """The state that the maker knows: that of the last report."""
        at = self.last_report(now)
        if self._state is None or self._state.at != at:
            self._state = self.observe(at)
        return self._state

    def last_report(self, now: float) -> float:
        """When the car last reported."""
        moments = self._moments(now)
        index = bisect_right(moments, now) - 1
        last = moments[max(index, 0)]
        rhythm = self.rules.reports
        if rhythm is not None and not self._asleep(self.day(now), now):
            last += math.floor((now - last) / rhythm) * rhythm
        return last

    def next_report(self, now: float) -> float:
        """When it will report next, if nothing is done to it."""
        moments = self._moments(now)
        index = bisect_right(moments, now)
        upcoming = moments[index] if index < len(moments) else self.day(now).end
        rhythm = self.rules.reports
        if rhythm is not None and not self._asleep(self.day(now), now):
            upcoming = min(upcoming, self.last_report(now) + rhythm)
        return max(upcoming, now + 0.001)

    def _moments(self, now: float) -> list[float]:
        """The moments around now at which something happens that the car reports, sorted."""
        day = self.day(now)
        spot = day.spot(now)
        found = [day.start, spot.since, spot.until, *self._turning_points(day, now)]
        if not spot.driving:
            found += [spot.since + LOCK_AFTER, spot.until - UNLOCK_BEFORE]
            if spot.trip >= 0 and self._lapses.door == spot.trip:
                found.append(min(spot.since + 30.0 + self._lapses.door_seconds, spot.until))
        if self.deviation and self.deviation.reported is not None:
            found.append(self.deviation.reported)
        return sorted(moment for moment in found if day.start <= moment <= day.end)

    def _turning_points(self, day: Day, now: float) -> Iterator[float]:
        for phase in day.phases:
            yield phase.at
            if phase.charges:
                yield phase.charge_start
                yield phase.charge_end
        yield self._sleep_from(day, now)

    def _sleep_from(self, day: Day, moment: float) -> float:
        """When the car falls asleep at the place where it stands, if it stays undisturbed."""
        spot, phase = day.spot(moment), day.phase_at(moment)
        if spot.driving:
            return math.inf
        since = spot.since + self.rules.sleeps_after if spot.trip >= 0 else day.start
        if phase.charges and moment >= phase.charge_start:
            since = max(since, phase.charge_end + self.rules.sleeps_after)
        if self.deviation and self.deviation.reported and spot.since <= self.deviation.reported <= moment:
            since = max(since, self.deviation.reported + self.rules.sleeps_after)
        return since

    def _asleep(self, day: Day, moment: float) -> bool:
        held = self.held("asleep", moment)
        if held is not None:
            return bool(held)
        phase = day.phase_at(moment)
        if phase.charges and phase.charge_start <= moment < phase.charge_end:
            return False
        return moment >= self._sleep_from(day, moment)

    # The moment itself

    def observe(self, moment: float) -> State:
        """The car at this moment."""
        day = self.day(moment)
        spot = day.spot(moment)
        fix = day.fix(moment, spot)
        km = day.km_at(moment)
        soc, fuel = day.levels(moment, km)
        phase = day.phase_at(moment)
        charging = phase.charges and phase.charge_start <= moment < phase.charge_end and not spot.driving
        speed = self.held("speed", moment)
        driving = spot.driving if speed is None else speed > 0
        outside = outside_temperature(moment)
        state = State(
            at=moment,
            driving=driving,
            speed=round(fix.speed if speed is None else float(speed), 1) if driving else 0.0,
            heading=fix.heading,
            latitude=round(fix.latitude, 6),
            longitude=round(fix.longitude, 6),
            odometer=self._odometer(day, km),
            soc=soc,
            fuel=fuel,
            limit=phase.limit,
            plugged=phase.plugged and not spot.driving,
            charging=charging,
            kw=phase.kw if charging else 0.0,
            fast=phase.fast,
            charge_ends=phase.charge_end if charging else 0.0,
            energy_added=self._energy_added(phase.session_soc, soc) if phase.charges else 0.0,
            locked=driving,
            doors=_NONE,
            windows=_NONE,
            trunk=False,
            frunk=False,
            hood=False,
            sunroof=False,
            port=phase.plugged and not spot.driving,
            asleep=self._asleep(day, moment),
            deep=self._deep(day, moment),
            at_home=spot.place == self.routine.home and not driving,
            outside=round(outside, 1),
            cabin=21.5 if driving else round(outside + 3.0, 1),
            climate=driving,
            tyres=(),
            faults=(),
            parked=spot.place.point,
        )
        return self._closures(self._condition(state, day), day)

    def _odometer(self, day: Day, km: float) -> float:
        routine = self.routine
        begun = routine.km_before(routine.day_of(self._start))
        extra = self.deviation.odometer if self.deviation else 0.0
        return self.facts.first_km + routine.km_before(day.number) - begun + km + extra

    def _energy_added(self, begun: float, soc: float) -> float:
        return max(0.0, soc - begun) / 100.0 * self.facts.model.battery

    def _deep(self, day: Day, moment: float) -> bool:
        """Whether it sleeps so deeply that it takes no call: sent to sleep, or long unused at makes that do so."""
        held = self.held("asleep", moment)
        if held is not None:
            return bool(held)
        after = self.rules.deep_sleep_after
        if after is None or day.spot(moment).trip >= 0 or (self.deviation and self.deviation.reported):
            return False
        idle = next((back for back in range(1, 8) if self.routine.week[weekday(day.number - back)]), 7)
        return moment - (day.start - (idle - 1) * DAY) > after

    def _closures(self, state: State, day: Day) -> State:
        """Locks, doors and windows: the driver's habits, lapses, and what somebody set."""
        spot, lapse, at = day.spot(state.at), self._lapses, state.at
        stop = None if spot.driving else spot.trip
        settled = not spot.driving and spot.since + LOCK_AFTER <= at < spot.until - UNLOCK_BEFORE
        locked = spot.driving or settled or (stop == -1 and at < spot.until - UNLOCK_BEFORE)
        doors, windows = _NONE, _NONE
        if stop is not None and stop >= 0:
            locked = locked and lapse.unlocked != stop
            if lapse.door == stop and spot.since + 5.0 <= at < spot.since + 30.0 + lapse.door_seconds:
                doors, locked = frozenset({self._fitting(lapse.door_at)}), False
            elif spot.since + 4.0 <= at < spot.since + 15.0:
                doors = frozenset({(0, 0)})
            if lapse.window == stop and settled:
                windows = frozenset({(0, 1)})
        return replace(
            state,
            **self._set_closures(
                state.at,
                locked=locked,
                doors=doors,
                windows=windows,
                trunk=lapse.trunk == stop and stop is not None and stop >= 0 and settled,
            ),
        )

    def _fitting(self, door: tuple[int, int]) -> tuple[int, int]:
        rows, columns = self.facts.model.doors
        return min(door[0], rows - 1), min(door[1], columns - 1)

    def _set_closures(self, at: float, **usual: Any) -> Mapping[str, Any]:
        for name in ("locked", "trunk", "frunk", "hood", "sunroof", "port"):
            value = self.held(name, at)
            if value is not None:
                usual[name] = value
        for name in ("doors", "windows"):
            value = self.held(name, at)
            if value is not None:
                usual[name] = frozenset((row, column) for row, column in value)
        return usual

    def _condition(self, state: State, day: Day) -> State:
        """Tyres and warnings."""
        ill = self._health(day.number)
        pressures = [TYRE_KPA + wear + (8.0 if state.driving else 0.0) for wear in self._wear()]
        if ill.tyre is not None:
            pressures[ill.tyre] -= ill.loss * ((day.number % FORTNIGHT) + 1) / FORTNIGHT
        faults = [name for name, since in ill.faults if day.number % FORTNIGHT >= since]
        tyres = self.held("tyres", state.at) or [round(pressure, 1) for pressure in pressures]
        warnings = self.held("warnings", state.at)
        return replace(state, tyres=tuple(tyres), faults=tuple(faults if warnings is None else warnings))

    def _health(self, number: int) -> Health:
        return health(
            seed=self._seed, index=self.facts.index, fortnight=number // FORTNIGHT, model=self.facts.model
        )

    def _wear(self) -> tuple[float, ...]:
        rng = Random(self.facts.index)  # noqa: S311 - a reproducible world
        return tuple(rng.uniform(-12.0, 8.0) for _ in range(4))

"""One day of one car: where it is at a moment, and how its battery and tank fill and empty.

Driving empties, and only a few things a day fill: a night at the charger, a public charger, a fuel stop, a command or
the control API. Between those, levels follow from the kilometres driven. A day is therefore a short list of phases; the
trips themselves stand in the shared round.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

from simulator.cars.city import Place, place_at
from simulator.cars.energy import charged, seconds_to_charge
from simulator.cars.models import Model
from simulator.cars.rounds import Round
from simulator.cars.routine import DAY, REFUEL_BELOW, RESERVE, Routine, weekday
from simulator.cars.trip import Fix, way

PUBLIC_BELOW: Final = 75.0  # a car on a break plugs in below this state of charge
SOCKET_KW: Final = 7.2  # what a car finds where nothing else is known
PLUG_EVENTS: Final = frozenset({"plugged", "charging"})
FAST_FROM: Final = 25.0  # kW: above this it is direct current


class Event(NamedTuple):
    """Something that changes how the levels go on; ``name`` as in ``Levels.apply``."""

    at: float
    name: str
    value: Any


@dataclass(frozen=True, slots=True)
class Phase:
    """How battery and tank go on from ``at`` until the next phase. Percent, kW, epoch seconds."""

    at: float
    km: float
    soc: float
    fuel: float
    limit: float
    target: float = 100.0
    plugged: bool = False
    kw: float = 0.0
    charge_start: float = 0.0
    charge_end: float = 0.0
    session_soc: float = 0.0
    stopped: bool = False  # somebody stopped charging

    @property
    def fast(self) -> bool:
        return self.kw >= FAST_FROM

    @property
    def charges(self) -> bool:
        return self.charge_end > self.charge_start


class Spot(NamedTuple):
    """Where in its round a car is: the trip last begun (-1: none yet), and since when it is driving or parked."""

    trip: int
    driving: bool
    since: float
    until: float
    km: float
    place: Place


class Day:
    """A car's day from ``start`` to ``end`` (epoch seconds)."""

    __slots__ = (
        "_events",
        "_model",
        "_routine",
        "depart",
        "end",
        "moved",
        "number",
        "phases",
        "round",
        "start",
    )

    def __init__(
        self,
        *,
        number: int,
        routine: Routine,
        model: Model,
        shift: float,
        soc: float,
        fuel: float,
        limit: float,
        events: Sequence[Event],
    ) -> None:
        self.number, self._routine, self._model = number, routine, model
        self.start = routine.start_of(number)
        self.end = self.start + DAY
        day = weekday(number)
        self.round: Round | None = routine.week[day]
        self.depart = self.start + routine.starts[day] + shift
        self.moved = tuple((event.at, place_at(*event.value)) for event in events if event.name == "place")
        self.phases = self._walk(soc=soc, fuel=fuel, limit=limit, events=events)

    # Where it is

    def spot(self, moment: float) -> Spot:
        """Where in the day's round the car is."""
        round_ = self.round
        if round_ is None:
            return Spot(-1, False, self.start, self.end, 0.0, self._routine.base)
        seconds = moment - self.depart
        trip = round_.trip_at(seconds)
        if trip < 0:
            return Spot(-1, False, self.start, self.depart, 0.0, round_.places[0])
        if seconds < round_.arrives[trip]:
            begun, over = self.depart + round_.departs[trip], self.depart + round_.arrives[trip]
            return Spot(trip, True, begun, over, round_.km[trip], round_.places[trip])
        leaves = self.depart + round_.departs[trip + 1] if trip + 1 < len(round_.departs) else self.end
        arrived = self.depart + round_.arrives[trip]
        return Spot(trip, False, arrived, leaves, round_.km[trip + 1], round_.places[trip + 1])

    def next_departure(self, moment: float) -> float:
        """When the car next leaves the place where it is or is going to; the day's end if it does not today."""
        round_ = self.round
        if round_ is None or moment < self.depart:
            return self.end if round_ is None else self.depart
        trip = round_.trip_at(moment - self.depart) + 1
        return self.depart + round_.departs[trip] if trip < len(round_.departs) else self.end

    def fix(self, moment: float, spot: Spot) -> Fix:
        """Position, heading and speed."""
        round_ = self.round
        if round_ is None or spot.trip < 0:
            return Fix(*self._standing(spot, moment).point, 0.0, 0.0, 0.0)
        if not spot.driving:
            place = self._standing(spot, moment)
            heading = way(round_.places[spot.trip], round_.places[spot.trip + 1], round_.turns).last_heading
            return Fix(*place.point, heading, 0.0, 0.0)
        start = self._standing(spot, spot.since)
        part = (moment - spot.since) / (spot.until - spot.since)
        return way(start, round_.places[spot.trip + 1], round_.turns).fix(part, pace=round_.pace)

    def _standing(self, spot: Spot, moment: float) -> Place:
        """The place where it stands, or from which it left: its own, unless somebody has moved it there."""
        since = self._parked_since(spot)
        for at, place in reversed(self.moved):
            if place is not None and since <= at <= moment:
                return place
        return spot.place

    def _parked_since(self, spot: Spot) -> float:
        if not spot.driving:
            return spot.since
        round_ = self.round
        return self.depart + round_.arrives[spot.trip - 1] if round_ and spot.trip > 0 else self.start

    def km_at(self, moment: float) -> float:
        """Kilometres driven since the day's start."""
        spot = self.spot(moment)
        if not spot.driving or self.round is None:
            return spot.km
        part = self.fix(moment, spot).metres / max(_way_length(self, spot), 1.0)
        return spot.km + part * (self.round.km[spot.trip + 1] - spot.km)

    # How battery and tank go on

    def phase_at(self, moment: float) -> Phase:
        """The phase that holds the moment."""
        return self.phases[max(0, bisect_right(self.phases, moment, key=lambda phase: phase.at) - 1)]

    def levels(self, moment: float, km: float) -> tuple[float, float]:
        """State of charge and fuel level in percent."""
        return _levels(self._model, self.phase_at(moment), moment=moment, km=km)

    def _walk(self, *, soc: float, fuel: float, limit: float, events: Sequence[Event]) -> tuple[Phase, ...]:
        levels = _Walk(self, self._model, Phase(at=self.start, km=0.0, soc=soc, fuel=fuel, limit=limit))
        unplugs = [
            Event(self.next_departure(event.at), "leave", None)
            for event in events
            if event.name in PLUG_EVENTS
        ]
        for event in sorted((*self._planned(), *events, *unplugs), key=lambda event: event.at):
            levels.apply(event)
        return tuple(levels.phases)

    def _planned(self) -> Iterator[Event]:
        """What the routine itself does to the levels today."""
        routine, round_, day = self._routine, self.round, weekday(self.number)
        if routine.charges[day - 1]:
            yield Event(self.start, "plug", (routine.base_kw, 0.0))
            if round_:
                yield Event(self.depart, "leave", None)
        if round_ is None:
            if routine.charges[day] and not routine.charges[day - 1]:
                yield Event(self.start, "plug", (routine.base_kw, 0.0))
            return
        for trip, kw in round_.charging:
            yield Event(self.depart + round_.arrives[trip] + 90.0, "break", min(kw, self._model.dc_kw))
            yield Event(self.depart + round_.departs[trip + 1], "leave", None)
        if round_.refuels is not None:
            always = day == max(number for number in range(7) if routine.week[number])
            yield Event(self.depart + round_.arrives[round_.refuels] + 120.0, "refuel", always)
        if routine.charges[day]:
            yield Event(self.depart + round_.length + 60.0, "plug", (routine.base_kw, routine.patience))


def _way_length(day: Day, spot: Spot) -> float:
    """Metres of the trip that the car is on, from where it really started."""
    assert day.round is not None
    start = day._standing(spot, spot.since)
    return way(start, day.round.places[spot.trip + 1], day.round.turns).length


def _levels(model: Model, phase: Phase, *, moment: float, km: float) -> tuple[float, float]:
    driven = max(0.0, km - phase.km)
    soc, fuel = phase.soc, phase.fuel
    if phase.charges and moment > phase.charge_start:
        seconds = min(moment, phase.charge_end) - phase.charge_start
        soc = charged(soc, seconds=seconds, kw=phase.kw, battery=model.battery, fast=phase.fast)
        soc = min(soc, max(phase.target, phase.soc))
    if not model.combustion:
        return max(0.0, soc - driven * model.percent_per_km), fuel
    electric = min(driven, max(0.0, soc - RESERVE) / model.percent_per_km) if model.electric else 0.0
    burnt = (driven - electric) * model.fuel_percent_per_km
    return soc - electric * model.percent_per_km, max(0.0, fuel - burnt)


class _Walk:
    """Turns the events of a day into phases, in order of time."""

    def __init__(self, day: Day, model: Model, first: Phase) -> None:
        self._day, self._model = day, model
        self.phases = [first]

    def apply(self, event: Event) -> None:
        if event.at >= self._day.end:
            return
        handler = getattr(self, f"on_{event.name}", None)
        if handler is not None:
            handler(self._carry(event.at), event.value)

    def _carry(self, at: float) -> Phase:
        """The last phase as it stands at the moment, not charging."""
        last = self.phases[-1]
        km = self._day.km_at(at)
        soc, fuel = _levels(self._model, last, moment=at, km=km)
        return replace(last, at=at, km=km, soc=soc, fuel=fuel, charge_start=0.0, charge_end=0.0)

    def _charging(self, phase: Phase, *, start: float | None = None, to: float | None = None) -> None:
        """Add a phase that charges from ``start`` to its limit."""
        target = phase.limit if to is None else to
        seconds = seconds_to_charge(
            phase.soc, target, kw=phase.kw, battery=self._model.battery, fast=phase.fast
        )
        begin = phase.at if start is None else start
        self.phases.append(
            replace(
                phase, target=target, charge_start=begin, charge_end=begin + seconds, session_soc=phase.soc
            )
        )

    def on_plug(self, phase: Phase, value: tuple[float, float]) -> None:
        kw, patience = value
        plugged = replace(phase, plugged=True, kw=kw)
        need = seconds_to_charge(phase.soc, phase.limit, kw=kw, battery=self._model.battery, fast=False)
        free = self._day.end - phase.at - need - 2700.0
        self._charging(plugged, start=phase.at + max(0.0, free) * patience)

    def on_break(self, phase: Phase, kw: float) -> None:
        if phase.soc < min(PUBLIC_BELOW, phase.limit):
            self._charging(replace(phase, plugged=True, kw=kw))

    def on_leave(self, phase: Phase, _: None) -> None:
        if phase.plugged:
            self.phases.append(replace(phase, plugged=False, kw=0.0, stopped=False))

    def on_refuel(self, phase: Phase, always: bool) -> None:
        if always or phase.fuel < REFUEL_BELOW:
            self.phases.append(replace(phase, fuel=100.0))

    # What commands and the control API do

    def _resume(self, phase: Phase, last: Phase) -> None:
        """Go on charging, or at the planned time, if that was what the car did or was about to do."""
        planned = last.charge_start if last.charges and last.charge_start > phase.at else phase.at
        if phase.plugged and not phase.stopped:
            self._charging(phase, start=planned)
        else:
            self.phases.append(phase)

    def on_soc(self, phase: Phase, value: float) -> None:
        self._resume(replace(phase, soc=value), self.phases[-1])

    def on_fuel(self, phase: Phase, value: float) -> None:
        self._resume(replace(phase, fuel=value), self.phases[-1])

    def on_limit(self, phase: Phase, value: tuple[float, float]) -> None:
        self._resume(replace(phase, limit=value[1]), self.phases[-1])

    def on_plugged(self, phase: Phase, value: bool) -> None:
        if not value:
            self.phases.append(replace(phase, plugged=False, kw=0.0, stopped=False))
        elif not phase.plugged:
            self._charging(replace(phase, plugged=True, kw=min(self._model.ac_kw, SOCKET_KW), stopped=False))

    def on_charging(self, phase: Phase, value: bool) -> None:
        if not value:
            self.phases.append(replace(phase, stopped=True))
            return
        kw = phase.kw or min(self._model.ac_kw, SOCKET_KW)
        to = phase.limit if phase.soc < phase.limit else 100.0
        self._charging(replace(phase, plugged=True, kw=kw, stopped=False), to=to)

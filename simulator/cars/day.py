"""One day of one car: where it is at a moment, and how its battery and tank stand.

The trips stand in the shared round; what fills battery and tank is worked out once, as a few phases.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from simulator.cars.city import Place, Point
from simulator.cars.clocks import DAY, weekday
from simulator.cars.energy import seconds_to_charge
from simulator.cars.models import Model
from simulator.cars.phases import Event, Phase, Walk, levels_in
from simulator.cars.rounds import Round
from simulator.cars.routine import Routine
from simulator.cars.schedules import Schedule
from simulator.cars.trip import Fix, Way, way


class Spot(NamedTuple):
    """The trip last begun (-1: none yet), whether it still goes on, and since and until when that is so.

    ``km`` is driven that day at ``since``; ``place`` is where the car stands, or where its trip began.
    """

    trip: int
    driving: bool
    since: float
    until: float
    km: float
    place: Place


@dataclass(frozen=True, slots=True)
class Pin:
    """Somebody has put the car somewhere. ``place`` is the same point where it is on the city's streets."""

    since: float
    until: float
    point: Point
    place: Place | None


@dataclass(frozen=True, slots=True)
class Levels:
    """How a car's day begins. Percent; ``plug`` is the power in kW at which it is plugged in, 0 if it is not."""

    soc: float
    fuel: float
    limit: float
    plug: float
    stopped: bool = False
    schedules: tuple[Schedule, ...] = ()


class Day:
    """A car's day from ``start`` to ``end`` (epoch seconds)."""

    __slots__ = ("_model", "depart", "end", "number", "phases", "pin", "round", "routine", "start")

    def __init__(
        self,
        *,
        number: int,
        routine: Routine,
        model: Model,
        first_departure: float,
        levels: Levels,
        events: Sequence[Event] = (),
        pin: Pin | None = None,
    ) -> None:
        self.number, self.routine, self._model, self.pin = number, routine, model, pin
        self.start = routine.start_of(number)
        self.end = self.start + DAY
        self.round: Round | None = routine.week[weekday(number)]
        self.depart = first_departure if self.round else self.end
        self.phases = Walk(self, model, levels).phases(events)

    def spot(self, moment: float) -> Spot:
        """Where in the day's round the car is."""
        round_, base = self.round, self.routine.base
        seconds = moment - self.depart
        if round_ is None or seconds < 0:
            return Spot(-1, False, self.start, self.depart, 0.0, base)
        trip = round_.trip_at(seconds)
        if seconds < round_.arrives[trip]:
            begun, over = self.depart + round_.departs[trip], self.depart + round_.arrives[trip]
            return Spot(trip, True, begun, over, round_.km[trip], round_.places[trip])
        leaves = self.depart + round_.departs[trip + 1] if trip + 1 < len(round_.departs) else self.end
        return Spot(
            trip,
            False,
            self.depart + round_.arrives[trip],
            leaves,
            round_.km[trip + 1],
            round_.places[trip + 1],
        )

    def fix(self, moment: float, spot: Spot) -> Fix:
        """Position, heading and speed."""
        fix = self._on_the_way(moment, spot) if spot.driving else self._standing(spot)
        aside = self.routine.offset
        if self.pin and self.pin.since <= moment < self.pin.until:
            return fix._replace(latitude=self.pin.point[0], longitude=self.pin.point[1])
        return fix._replace(latitude=fix.latitude + aside[0], longitude=fix.longitude + aside[1])

    def _standing(self, spot: Spot) -> Fix:
        heading = self._way(spot.trip).last_heading if spot.trip >= 0 else 0.0
        return Fix(*spot.place.point, heading, 0.0, 0.0)

    def _way(self, trip: int, *, planned: bool = False) -> Way:
        """The route of a trip; it starts where somebody has put the car, if that is on the city's streets."""
        assert self.round is not None
        start, end = self.round.places[trip], self.round.places[trip + 1]
        moved = self.pin and abs(self.pin.until - self.depart - self.round.departs[trip]) < 1.0
        if self.pin and self.pin.place and moved and not planned:
            start = self.pin.place
        return way(start, end, self.round.turns)

    def _on_the_way(self, moment: float, spot: Spot, *, planned: bool = False) -> Fix:
        return self._way(spot.trip, planned=planned).fix(moment - spot.since, seconds=spot.until - spot.since)

    def origin(self, spot: Spot) -> Point:
        """Where the car stands, or where it stood before its trip."""
        latitude, longitude = self.fix(spot.since, spot)[:2]
        return round(latitude, 6), round(longitude, 6)

    def km_at(self, moment: float) -> float:
        """Kilometres driven since the day's start: those of the planned route, wherever somebody has put the car."""
        spot = self.spot(moment)
        if not spot.driving or self.round is None:
            return spot.km
        part = self._on_the_way(moment, spot, planned=True).metres / self._way(spot.trip, planned=True).length
        return spot.km + part * (self.round.km[spot.trip + 1] - spot.km)

    def phase_at(self, moment: float) -> Phase:
        """The phase that holds the moment."""
        return self.phases[max(0, bisect_right(self.phases, moment, key=lambda phase: phase.at) - 1)]

    def sessions(self) -> Iterator[tuple[Phase, float]]:
        """The last phase of each charging session of the day, and when the session ends: full, or cut short."""
        for phase, following in zip(self.phases, (*self.phases[1:], None), strict=True):
            end = min(phase.charge_end, following.at if following else self.end)
            goes_on = following is not None and following.charges and following.begun == phase.begun
            if phase.charges and end > phase.charge_start and not goes_on:
                yield phase, end

    def tenths(self, phase: Phase) -> Iterator[float]:
        """When the state of charge passes 10, 20 … 90 % in a phase that charges."""
        if phase.charges:
            for soc in range(10, 100, 10):
                if phase.soc < soc < phase.target:
                    yield phase.charge_start + seconds_to_charge(
                        phase.soc, soc, kw=phase.kw, battery=self._model.battery, fast=phase.fast
                    )

    def levels(self, moment: float, km: float) -> tuple[float, float]:
        """State of charge and fuel level in percent, ``km`` driven that day."""
        return levels_in(self.phase_at(moment), self._model, moment=moment, km=km)

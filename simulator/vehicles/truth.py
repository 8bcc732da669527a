"""What a vehicle really did: trips, stops and charging sessions, whether it was reported or not.

Everything follows from the days of its plan and the changes from outside, so the same period always has the same
truth, however far back it is. Times are epoch seconds of the simulator's clock.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from simulator.vehicles.city import Place
from simulator.vehicles.energy_phases import Phase, levels_in

if TYPE_CHECKING:
    from simulator.vehicles.daily_plan import DailyPlan
    from simulator.vehicles.lifecycle import Lifecycle

_LONGEST_STAY: Final = 8  # Days. A vehicle drives at least once in a week.
_SAME_MOMENT: Final = 1.0  # second


@dataclass(frozen=True, slots=True)
class TruePlace:
    """Where a vehicle was: the place, and its exact position there."""

    name: str
    address: str
    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class TrueTrip:
    """A trip. ``end`` is None while it goes on; then the values at its end are those of the present moment."""

    start: float
    end: float | None
    odometer_start: float
    odometer_end: float
    start_place: TruePlace
    end_place: TruePlace | None

    @property
    def kilometers(self) -> float:
        return self.odometer_end - self.odometer_start


@dataclass(frozen=True, slots=True)
class TrueStop:
    """A time at which the vehicle was parked. ``end`` is None while it goes on."""

    start: float
    end: float | None
    odometer: float
    place: TruePlace


@dataclass(frozen=True, slots=True)
class TrueCharge:
    """A time at which energy flowed. ``end`` is None while it goes on; then the values are those of the moment."""

    start: float
    end: float | None
    kwh: float
    soc_start: float
    soc_end: float
    fast: bool


@dataclass(frozen=True, slots=True)
class TrueChargingSession:
    """A time at which the cable was plugged in, with its charges. ``end`` is None while it goes on."""

    start: float
    end: float | None
    soc_start: float
    soc_end: float
    odometer: float
    place: TruePlace
    charges: tuple[TrueCharge, ...] = ()

    @property
    def kwh(self) -> float:
        return sum(charge.kwh for charge in self.charges)


@dataclass(frozen=True, slots=True)
class Truth:
    """What a vehicle did in a period, in order of time. The first and last entries may reach beyond the period."""

    trips: tuple[TrueTrip, ...]
    stops: tuple[TrueStop, ...]
    charging_sessions: tuple[TrueChargingSession, ...]


def truth(lifecycle: Lifecycle, *, start: float, end: float, now: float) -> Truth:
    """Return what the vehicle did between two times of the clock, up to the present moment ``now``."""
    reader = _Reader(lifecycle, now=lifecycle.plan_clock.plan_time(now))
    clock = lifecycle.plan_clock
    first = lifecycle.weekly_schedule.day_number(clock.earliest_plan_time(start)) - _LONGEST_STAY
    last = min(lifecycle.weekly_schedule.day_number(reader.now), _last_day(lifecycle, end))
    for number in range(first, last + 1):
        reader.read(lifecycle.plan_for_day(number))

    def within(since: float, until: float | None) -> bool:
        return since < end and (until is None or until > start)

    return Truth(
        trips=tuple(trip for trip in reader.trips if within(trip.start, trip.end)),
        stops=tuple(stop for stop in reader.stops() if within(stop.start, stop.end)),
        charging_sessions=tuple(session for session in reader.sessions if within(session.start, session.end)),
    )


def _last_day(lifecycle: Lifecycle, end: float) -> int:
    """Return the last day that may have something before ``end``, or the end of something that began before."""
    return lifecycle.weekly_schedule.day_number(lifecycle.plan_clock.latest_plan_time(end)) + _LONGEST_STAY


@dataclass(slots=True)
class _Reader:
    """Reads days in order. ``now`` is the present plan time: nothing after it has happened."""

    lifecycle: Lifecycle
    now: float
    trips: list[TrueTrip] = field(default_factory=list)
    sessions: list[TrueChargingSession] = field(default_factory=list)

    def read(self, day: DailyPlan) -> None:
        self.trips += self._trips(day)
        if self.lifecycle.identity.model.electric:
            self._read_charging(day)

    def stops(self) -> Iterator[TrueStop]:
        """Yield the stops between the trips, and the present one."""
        for index, trip in enumerate(self.trips):
            if trip.end is None or trip.end_place is None:
                continue
            following = self.trips[index + 1] if index + 1 < len(self.trips) else None
            yield TrueStop(
                trip.end, following.start if following else None, trip.odometer_end, trip.end_place
            )

    # Trips

    def _trips(self, day: DailyPlan) -> Iterator[TrueTrip]:
        route, clock_time = day.daily_route, self.lifecycle.plan_clock.clock_time
        if route is None:
            return
        for number, (departs, arrives) in enumerate(zip(route.departs, route.arrives, strict=True)):
            since, until = day.depart + departs, day.depart + arrives
            if since > self.now:
                return
            over = until <= self.now
            yield TrueTrip(
                start=clock_time(since),
                end=clock_time(until) if over else None,
                odometer_start=self._odometer(day, since, route.km[number]),
                odometer_end=self._odometer(day, until, route.km[number + 1])
                if over
                else self._odometer(day, self.now, day.km_at(self.now)),
                start_place=self._place(day, since, route.places[number]),
                end_place=self._place(day, until, route.places[number + 1]) if over else None,
            )

    def _odometer(self, day: DailyPlan, moment: float, km: float) -> float:
        return round(self.lifecycle.odometer_at(day, moment=moment, km=km), 3)

    def _place(self, day: DailyPlan, moment: float, place: Place) -> TruePlace:
        latitude, longitude = day.fix(moment, day.trip_status(moment))[:2]
        return TruePlace(place.name, place.address, round(latitude, 6), round(longitude, 6))

    # Charging

    def _read_charging(self, day: DailyPlan) -> None:
        ends = (*(phase.at for phase in day.phases[1:]), day.end)
        for phase, end in zip(day.phases, ends, strict=True):
            if phase.at > self.now:
                return
            if phase.plugged and end > phase.at:
                self._plugged(day, phase, end)

    def _plugged(self, day: DailyPlan, phase: Phase, end: float) -> None:
        """Add a phase in which the cable is plugged in, to the session before if that goes on."""
        clock_time = self.lifecycle.plan_clock.clock_time
        over = end <= self.now
        until = min(end, self.now)
        model = self.lifecycle.identity.model
        soc, _ = levels_in(phase, model, moment=until, km=phase.km)
        session = self.sessions[-1] if self.sessions else None
        if session is None or abs((session.end or 0.0) - clock_time(phase.at)) > _SAME_MOMENT:
            place = self._place(day, phase.at, day.trip_status(phase.at).place)
            odometer = self._odometer(day, phase.at, phase.km)
            session = TrueChargingSession(clock_time(phase.at), None, phase.soc, phase.soc, odometer, place)
            self.sessions.append(session)
        charge = self._charge(phase, end)
        charges = session.charges if charge is None else _with(session.charges, charge)
        self.sessions[-1] = replace(
            session, end=clock_time(end) if over else None, soc_end=round(soc, 2), charges=charges
        )

    def _charge(self, phase: Phase, end: float) -> TrueCharge | None:
        """Return the charge of a phase, if one has begun."""
        if not phase.charges or phase.charge_start >= min(end, self.now):
            return None
        model, clock_time = self.lifecycle.identity.model, self.lifecycle.plan_clock.clock_time
        over = min(phase.charge_end, end)
        soc, _ = levels_in(phase, model, moment=min(over, self.now), km=phase.km)
        return TrueCharge(
            start=clock_time(phase.charge_start),
            end=clock_time(over) if over <= self.now else None,
            kwh=round(max(0.0, soc - phase.soc) / 100.0 * model.battery, 3),
            soc_start=round(phase.soc, 2),
            soc_end=round(soc, 2),
            fast=phase.fast,
        )


def _with(charges: tuple[TrueCharge, ...], charge: TrueCharge) -> tuple[TrueCharge, ...]:
    """Return the charges with one more, which continues the last one if nothing is between them."""
    last = charges[-1] if charges else None
    if last is None or last.end is None or charge.start - last.end > _SAME_MOMENT:
        return (*charges, charge)
    joined = replace(last, end=charge.end, kwh=round(last.kwh + charge.kwh, 3), soc_end=charge.soc_end)
    return (*charges[:-1], joined)

"""How battery and tank fill and empty over a day.

Driving empties them. Only a few things fill them: a night at the charger, a public charger, a fuel stop, a command or
the control API. A day is a short list of phases. Within a phase, levels follow from the kilometers driven and from
the charging curve.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from simulator.vehicles.charge_schedules import Schedule, next_window
from simulator.vehicles.city_time import weekday
from simulator.vehicles.energy import charged, seconds_to_charge
from simulator.vehicles.models import Model
from simulator.vehicles.weekly_schedule import REFUEL_BELOW, RESERVE

if TYPE_CHECKING:
    from simulator.vehicles.daily_plan import DailyPlan, Levels

FAST_FROM: Final = 25.0  # kW. From here on charging uses direct current.
_BREAK_BELOW: Final = 75.0  # A vehicle on a break plugs in below this state of charge.
_RESCUE_BELOW: Final = 12.0  # A battery electric vehicle with so little charge plugs in at its next stop.
_RESCUE_KW: Final = 50.0
_SOCKET_KW: Final = 7.2  # The default power if nothing is known about the charger.
_READY_BEFORE: Final = 2700.0  # Seconds before the day's end at which charging overnight is complete.


class Event(NamedTuple):
    """A change that affects how levels continue: soc, fuel, limit, plugged, charging or schedules."""

    at: float
    name: str
    value: Any


class Phase(NamedTuple):
    """How battery and tank continue from ``at`` until the next phase. Percent, kW, epoch seconds, km of the day."""

    at: float
    km: float
    soc: float
    fuel: float
    limit: float
    plugged: bool = False
    kw: float = 0.0
    charge_start: float = 0.0
    charge_end: float = 0.0
    begun: float = 0.0  # When the charging session began, maybe in an earlier phase.
    begun_soc: float = 0.0
    target: float = 100.0
    stopped: bool = False  # Charging was stopped by a command, or a window closed.
    schedules: tuple[Schedule, ...] = ()

    @property
    def fast(self) -> bool:
        return self.kw >= FAST_FROM

    @property
    def charges(self) -> bool:
        return self.charge_end > self.charge_start

    def charging_at(self, moment: float) -> bool:
        return self.charge_start <= moment < self.charge_end


def levels_in(phase: Phase, model: Model, *, moment: float, km: float) -> tuple[float, float]:
    """Return state of charge and fuel level at a moment of a phase, after ``km`` driven that day."""
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


class PhaseBuilder:
    """Turns the events of a day into phases, in order of time."""

    def __init__(self, day: DailyPlan, model: Model, levels: Levels) -> None:
        self._day, self._model = day, model
        first = Phase(
            at=day.start,
            km=0.0,
            soc=levels.soc,
            fuel=levels.fuel,
            limit=levels.limit,
            plugged=levels.plug > 0,
            kw=levels.plug,
            stopped=levels.stopped,
            schedules=levels.schedules,
        )
        self._phases = [first]

    def phases(self, events: Sequence[Event]) -> tuple[Phase, ...]:
        """Return the phases of the day: those of the plan, and those of changes from outside."""
        first = self._phases.pop()
        self._continue_charging(first, first)
        for event in sorted((*self._planned(), *events), key=lambda event: event.at):
            if event.at < self._day.end:
                self._advance_to(event.at)
                getattr(self, f"_on_{event.name}")(self._now(event.at), event.value)
        self._advance_to(self._day.end)
        return tuple(self._phases)

    def _leaves(self, moment: float) -> float:
        """Return when the vehicle next begins a trip, or the day's end if it doesn't today."""
        day = self._day
        trip_status = day.trip_status(moment)
        return day.trip_status(trip_status.until).until if trip_status.driving else trip_status.until

    def _planned(self) -> Iterator[Event]:
        """Yield what the plan itself does to the levels today."""
        day, weekly_schedule, daily_route = self._day, self._day.weekly_schedule, self._day.daily_route
        today = weekday(day.number)
        if daily_route is None:
            if weekly_schedule.charges[today]:
                yield Event(day.start + 1.0, "night", None)
            return
        for trip, kw in daily_route.charging:
            yield Event(day.depart + daily_route.arrives[trip] + 90.0, "break", min(kw, self._model.dc_kw))
        if daily_route.refuels is not None:
            always = today == max(number for number in range(7) if weekly_schedule.week[number])
            yield Event(day.depart + daily_route.arrives[daily_route.refuels] + 120.0, "refuel", always)
        if weekly_schedule.charges[today]:
            yield Event(day.depart + daily_route.length + 60.0, "night", None)

    def _now(self, at: float) -> Phase:
        """Return the last phase as of this moment, not charging."""
        last = self._phases[-1]
        km = self._day.km_at(at)
        soc, fuel = levels_in(last, self._model, moment=at, km=km)
        return last._replace(at=at, km=km, soc=soc, fuel=fuel, charge_start=0.0, charge_end=0.0)

    # Charging

    def _charge(self, phase: Phase, *, start: float, to: float, until: float | None = None) -> None:
        """Add a phase that charges from ``start`` to a state of charge, or until the window closes."""
        seconds = seconds_to_charge(phase.soc, to, kw=phase.kw, battery=self._model.battery, fast=phase.fast)
        end = start + seconds if until is None else min(start + seconds, until)
        begun, begun_soc = start, phase.soc
        last = self._phases[-1] if self._phases else phase
        if start == phase.at and last.charges and last.charge_start <= start < last.charge_end:
            begun, begun_soc = last.begun, last.begun_soc
        self._phases.append(
            phase._replace(
                target=to, charge_start=start, charge_end=max(end, start), begun=begun, begun_soc=begun_soc
            )
        )

    def _continue_charging(self, phase: Phase, last: Phase) -> None:
        """Continue to charge a plugged-in vehicle: at once, at the planned time, or when the schedule allows it."""
        if not phase.plugged or phase.stopped:
            self._phases.append(phase)
            return
        place = self._day.trip_status(phase.at).place
        window = next_window(phase.schedules, place=place, moment=phase.at)
        if window is not None:
            self._charge(phase, start=max(phase.at, window[0]), to=phase.limit, until=window[1])
            return
        planned = last.charge_start if last.charges and last.charge_start > phase.at else phase.at
        self._charge(phase, start=planned, to=phase.limit)

    def _advance_to(self, until: float) -> None:
        """Unplug a vehicle that leaves, and plug in a nearly empty electric vehicle at its stops."""
        while True:
            last = self._phases[-1]
            if last.plugged or last.stopped:
                leaves = self._leaves(last.at)
                if leaves > until or leaves >= self._day.end:
                    return
                self._phases.append(self._now(leaves)._replace(plugged=False, kw=0.0, stopped=False))
                continue
            trip = self._nearly_empty_after(until)
            if trip is None:
                return
            arrived = self._stop(trip)
            self._charge(
                self._now(arrived)._replace(plugged=True, kw=min(_RESCUE_KW, self._model.dc_kw)),
                start=arrived,
                to=last.limit,
            )

    def _stop(self, trip: int) -> float:
        """Return when the cable is plugged in after a trip."""
        assert self._day.daily_route is not None
        return self._day.depart + self._day.daily_route.arrives[trip] + 60.0

    def _nearly_empty_after(self, until: float) -> int | None:
        """Return the trip before ``until`` that nearly empties the battery. The last trip home doesn't count."""
        last, daily_route = self._phases[-1], self._day.daily_route
        if daily_route is None or self._model.combustion:
            return None
        km = last.km + max(0.0, last.soc - _RESCUE_BELOW) / self._model.percent_per_km
        trip = max(bisect_left(daily_route.km, km + 0.001) - 1, 0)
        while trip < len(daily_route.arrives) and self._stop(trip) <= last.at:
            trip += 1
        return trip if trip < len(daily_route.arrives) - 1 and self._stop(trip) < until else None

    # Events of the plan

    def _on_night(self, phase: Phase, _: None) -> None:
        """Plug in at the base, and finish before the day is over, rather late than early."""
        if phase.plugged:
            return
        weekly_schedule = self._day.weekly_schedule
        plugged = phase._replace(plugged=True, kw=weekly_schedule.base_kw)
        if next_window(phase.schedules, place=weekly_schedule.base, moment=phase.at):
            self._continue_charging(plugged, plugged)
            return
        need = seconds_to_charge(
            phase.soc, phase.limit, kw=weekly_schedule.base_kw, battery=self._model.battery, fast=False
        )
        free = max(0.0, self._day.end - phase.at - need - _READY_BEFORE)
        self._charge(plugged, start=phase.at + free * weekly_schedule.patience, to=phase.limit)

    def _on_break(self, phase: Phase, kw: float) -> None:
        if not phase.plugged and phase.soc < min(_BREAK_BELOW, phase.limit):
            self._charge(phase._replace(plugged=True, kw=kw), start=phase.at, to=phase.limit)

    def _on_refuel(self, phase: Phase, always: bool) -> None:
        if always or phase.fuel < REFUEL_BELOW:
            self._phases.append(phase._replace(fuel=100.0))

    # Events of commands and the control API

    def _on_soc(self, phase: Phase, value: float) -> None:
        self._continue_charging(phase._replace(soc=value), self._phases[-1])

    def _on_fuel(self, phase: Phase, value: float) -> None:
        self._continue_charging(phase._replace(fuel=value), self._phases[-1])

    def _on_limit(self, phase: Phase, value: tuple[float, float]) -> None:
        self._continue_charging(phase._replace(limit=value[1]), self._phases[-1])

    def _on_schedules(self, phase: Phase, value: tuple[tuple[Schedule, ...], tuple[Schedule, ...]]) -> None:
        self._continue_charging(phase._replace(schedules=value[1]), self._phases[-1])

    def _on_plugged(self, phase: Phase, value: bool) -> None:
        if not value:
            self._phases.append(phase._replace(plugged=False, kw=0.0, stopped=False))
        elif not phase.plugged:
            plugged = phase._replace(plugged=True, kw=min(self._model.ac_kw, _SOCKET_KW), stopped=False)
            self._continue_charging(plugged, plugged)

    def _on_charging(self, phase: Phase, value: bool) -> None:
        if not value:
            self._phases.append(phase._replace(stopped=True))
            return
        kw = phase.kw or min(self._model.ac_kw, _SOCKET_KW)
        to = phase.limit if phase.soc < phase.limit else 100.0
        self._charge(phase._replace(plugged=True, kw=kw, stopped=False), start=phase.at, to=to)

"""What a vehicle reported in the past: a thinned series of its reports, each with the signals that changed.

The reports follow from the vehicle's days, as its present state does, so the last of them leads up to the next report
without a jump. A real vehicle would have reported more often.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from simulator.vehicles.catalogue import CATALOGUE
from simulator.vehicles.daily_plan import DailyPlan
from simulator.vehicles.reporting import LOCK_AFTER, UNLOCK_BEFORE
from simulator.vehicles.signal_bodies import build_body
from simulator.vehicles.state_snapshot import observe

if TYPE_CHECKING:
    from simulator.vehicles.vehicle import Vehicle

_AFTER_EVENT: Final = 20.0  # seconds
_CHARGING_EVERY: Final = 50 * 60.0  # seconds
# Reported again with each report while it is true, as clients may not rely on an hour-old state.
_CHARGING: Final = "charge-ischarging"
# Their bodies repeat the whole past with each report.
_RECORDS: Final = frozenset({"charge-chargerecords", "service-records"})


class PastReport(NamedTuple):
    """One report: its clock time, and the bodies of the signals that differ from the report before, by code."""

    at: float
    bodies: dict[str, dict[str, Any]]


def past_reports(
    vehicle: Vehicle, *, start: float, end: float, spacing: float, codes: Collection[str] = ()
) -> Iterator[PastReport]:
    """Yield reports between two clock times, in order, the first with all signals.

    ``spacing`` is the shortest time between two reports in seconds, apart from the ends of a charge. ``codes`` selects
    signals (all). A vehicle has no reports from before it was built: while its odometer would be below zero.
    """
    clock, lifecycle = vehicle.lifecycle.plan_clock, vehicle.lifecycle
    entries = [
        entry
        for code, entry in CATALOGUE.items()
        if vehicle.supports(code) and code not in _RECORDS and (not codes or code in codes)
    ]
    first, last = clock.plan_time(start), clock.plan_time(end)
    schedule = lifecycle.weekly_schedule
    before: dict[str, dict[str, Any]] = {}
    for number in range(schedule.day_number(first), schedule.day_number(last) + 1):
        for moment in _moments(lifecycle.plan_for_day(number), spacing):
            if not first <= moment < last:
                continue
            state = observe(lifecycle, moment)
            if state.odometer < 0:
                continue
            bodies = {entry.code: build_body(vehicle, entry, state) for entry in entries}
            changed = {
                code: body
                for code, body in bodies.items()
                if before.get(code) != body or (code == _CHARGING and state.charging)
            }
            before = bodies
            yield PastReport(clock.clock_time(moment), changed)


def _moments(day: DailyPlan, spacing: float) -> Iterator[float]:
    """Yield the times of a day's reports: its start, on the way, after arrivals, and while charging."""
    events = sorted([*_trip_moments(day), *_charge_moments(day)])
    previous = day.start
    yield day.start
    for moment, always in events:
        if day.start < moment < day.end and (always or moment - previous >= spacing):
            previous = moment
            yield moment


def _trip_moments(day: DailyPlan) -> Iterator[tuple[float, bool]]:
    """Yield the unlocking before the first trip, and the middle and end of each.

    The end of the day's last trip counts always, since the vehicle stays there.
    """
    if day.daily_route is None:
        return
    route = day.daily_route
    yield day.depart - UNLOCK_BEFORE / 2, True
    for trip, (departs, arrives) in enumerate(zip(route.departs, route.arrives, strict=True)):
        yield day.depart + (departs + arrives) / 2, False
        yield day.depart + arrives + LOCK_AFTER + _AFTER_EVENT, trip == len(route.departs) - 1


def _charge_moments(day: DailyPlan) -> Iterator[tuple[float, bool]]:
    for phase in day.phases:
        if phase.charges:
            yield phase.charge_start + _AFTER_EVENT, True
            yield min(phase.charge_end, day.end) + _AFTER_EVENT, True
            for number in range(
                1, math.ceil((min(phase.charge_end, day.end) - phase.charge_start) / _CHARGING_EVERY)
            ):
                yield phase.charge_start + number * _CHARGING_EVERY, False

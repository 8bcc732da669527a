"""What a vehicle is doing according to its daily plan, and when that next changes."""

from dataclasses import dataclass

from simulator.vehicles.city_time import weekday
from simulator.vehicles.lifecycle import Lifecycle
from simulator.vehicles.reporting import routine_changes
from simulator.vehicles.state_snapshot import observe


@dataclass(frozen=True, slots=True)
class DayStatus:
    """A vehicle's phase of the day. Times are epoch seconds of the simulator's clock, None where nothing is planned.

    ``phase`` is ``driving``, ``charging`` or ``parked``. ``held`` means that the plan is paused; ``hold_pending``
    that it will be paused as soon as the trip is over.
    """

    phase: str
    asleep: bool
    place: str
    held: bool
    hold_pending: bool
    held_since: float | None
    next_departure: float | None
    next_arrival: float | None
    next_change: float | None


def day_status(lifecycle: Lifecycle, now: float) -> DayStatus:
    """Return the vehicle's phase of the day at a time of the simulator's clock."""
    clock = lifecycle.plan_clock
    moment, held = clock.plan_time(now), clock.is_still(now)
    pending = clock.held_at is not None and not held
    state, status = observe(lifecycle, moment), lifecycle.daily_plan(moment).trip_status(moment)
    departure = arrival = change = None
    if not held:
        departure = None if pending else next_departure(lifecycle, moment)
        arrival = status.until if status.driving else next_arrival(lifecycle, moment)
        changes = [each for each in routine_changes(lifecycle, moment) if each > moment]
        change = min(changes, default=departure)
    since = clock.held_since()

    def on_clock(at: float | None) -> float | None:
        return None if at is None else at + clock.offset

    return DayStatus(
        phase="driving" if state.driving else "charging" if state.charging else "parked",
        asleep=state.asleep,
        place=status.place.name,
        held=held,
        hold_pending=pending,
        held_since=since,
        next_departure=on_clock(departure),
        next_arrival=on_clock(arrival),
        next_change=on_clock(change),
    )


def next_departure(lifecycle: Lifecycle, moment: float) -> float | None:
    """Return the plan time of the next departure, after the current trip if the vehicle is driving."""
    day = lifecycle.daily_plan(moment)
    status = day.trip_status(moment)
    if status.driving:
        status = day.trip_status(status.until + 0.01)  # safely after the arrival, despite rounding
    if status.until < day.end:
        return status.until
    departures = (lifecycle.departs(day.number + days) for days in range(1, 8))
    return next((departure for departure in departures if departure is not None), None)


def next_arrival(lifecycle: Lifecycle, moment: float) -> float | None:
    """Return the plan time at which the trip that a parked vehicle makes next is over."""
    day = lifecycle.daily_plan(moment)
    status = day.trip_status(moment)
    if status.until < day.end:
        assert day.daily_route is not None
        return day.depart + day.daily_route.arrives[status.trip + 1]
    for number in range(day.number + 1, day.number + 8):
        route, departure = lifecycle.weekly_schedule.week[weekday(number)], lifecycle.departs(number)
        if route is not None and departure is not None:
            return departure + route.arrives[0]
    return None

"""When a vehicle reports, and when it sleeps. All times are plan time.

An awake vehicle reports at its make's interval and when something happens: it leaves, arrives, is locked or starts to
charge. Makes that are polled (every 30 to 60 minutes) report at the interval only. Hyundai and Kia vehicles built
before 2025 report only on events, five minutes after the ignition is off ("Brand Quirks"). A sleeping vehicle reports
nothing until it wakes, apart from once a day. Any change from outside is reported at once.
"""

import math
from collections.abc import Iterator
from typing import Final

from simulator.vehicles.city_time import DAY, weekday
from simulator.vehicles.daily_plan import DailyPlan, TripStatus
from simulator.vehicles.lifecycle import Lifecycle
from simulator.vehicles.makes import MAKES, Make
from simulator.vehicles.overrides import Override

LOCK_AFTER: Final = 25.0  # Seconds from the arrival to locking.
UNLOCK_BEFORE: Final = 20.0  # Seconds from unlocking to the departure.
_IGNITION_OFF: Final = 300.0


def get_rules(lifecycle: Lifecycle) -> Make:
    """Return the make's rules."""
    return MAKES[lifecycle.identity.model.make]


def sleeps_from(lifecycle: Lifecycle, moment: float) -> float:
    """Return when a parked vehicle falls asleep if nothing else happens. Infinity while driving."""
    day, after = lifecycle.daily_plan(moment), get_rules(lifecycle).sleeps_after
    trip_status, phase = day.trip_status(moment), day.phase_at(moment)
    if trip_status.driving:
        return math.inf
    since = trip_status.since + after if trip_status.trip >= 0 else day.start
    if phase.charges and moment >= phase.charge_start:
        since = max(since, min(phase.charge_end, day.end) + after)
    reported = lifecycle.overrides.reported if lifecycle.overrides else None
    if reported is not None and trip_status.since <= reported <= moment:
        since = max(since, reported + after)
    return since


def asleep(lifecycle: Lifecycle, moment: float) -> bool:
    """Return whether the vehicle sleeps."""
    override = lifecycle.override_value("asleep", moment)
    if override is not None:
        return bool(override)
    return not lifecycle.daily_plan(moment).phase_at(moment).charging_at(moment) and moment >= sleeps_from(
        lifecycle, moment
    )


def deep_from(lifecycle: Lifecycle, moment: float) -> float:
    """Return when the parked vehicle begins to sleep so deeply that it rejects commands."""
    override = lifecycle.overrides.values.get("asleep") if lifecycle.overrides else None
    if override is not None and override.at(moment):
        return override.since if override.value else math.inf
    after, day = get_rules(lifecycle).deep_sleep_after, lifecycle.daily_plan(moment)
    if after is None or day.trip_status(moment).trip >= 0:
        return math.inf
    reported = lifecycle.overrides.reported if lifecycle.overrides else None
    idle = next(
        (back for back in range(1, 8) if lifecycle.weekly_schedule.week[weekday(day.number - back)]), 7
    )
    return max(day.start - (idle - 1) * DAY, reported or 0.0) + after


def deeply_asleep(lifecycle: Lifecycle, moment: float) -> bool:
    """Return whether the vehicle rejects commands: put to sleep, or unused for longer than its make stays awake."""
    return moment >= deep_from(lifecycle, moment)


def _rhythm(lifecycle: Lifecycle) -> float | None:
    rules = get_rules(lifecycle)
    return None if lifecycle.identity.year < rules.events_only_before else rules.reports


def _without_reception(lifecycle: Lifecycle, now: float) -> Override | None:
    override = lifecycle.overrides.values.get("reachable") if lifecycle.overrides else None
    return override if override and override.at(now) and not override.value else None


def last_report(lifecycle: Lifecycle, now: float) -> float:
    """Return when the vehicle last reported, at the earliest at the start of its day or when its reception was lost."""
    not_found = _without_reception(lifecycle, now)
    if not_found is not None:
        return not_found.since
    if get_rules(lifecycle).polled:
        last = _last_poll(lifecycle, now)
    else:
        last = max(moment for moment in _moments(lifecycle, now) if moment <= now)
        rhythm = _rhythm(lifecycle)
        if rhythm is not None and not asleep(lifecycle, now):
            last += math.floor((now - last) / rhythm) * rhythm
    reported = lifecycle.overrides.reported if lifecycle.overrides else None
    return last if reported is None or reported > now else max(last, reported)


def _last_poll(lifecycle: Lifecycle, now: float) -> float:
    """Return when the manufacturer last polled an awake vehicle, or when the vehicle fell asleep.

    A vehicle that sends nothing while driving reported before it left.
    """
    day, rhythm = lifecycle.daily_plan(now), get_rules(lifecycle).reports
    poll = day.start + math.floor((now - day.start) / rhythm) * rhythm
    if asleep(lifecycle, poll):
        poll = min(poll, sleeps_from(lifecycle, poll))
    trip_status = day.trip_status(poll)
    if trip_status.driving and get_rules(lifecycle).silent_when_running:
        poll = trip_status.since - 1.0
    return max(poll, day.start, *_fell_asleep(lifecycle, after=poll, until=now))


def _fell_asleep(lifecycle: Lifecycle, *, after: float, until: float) -> Iterator[float]:
    """Yield when the vehicle fell asleep between two moments of a day."""
    day = lifecycle.daily_plan(until)
    moments = [phase.charge_start - 0.01 for phase in day.phases if after < phase.charge_start <= until]
    moment = until
    while moment > after:
        moments.append(moment)
        moment = day.trip_status(moment).since - 0.01
    for moment in moments:
        slept = sleeps_from(lifecycle, moment)
        if after <= slept <= moment:
            yield slept


def next_report(lifecycle: Lifecycle, now: float) -> float:
    """Return until when nothing new is reported without changes from outside, at most until the end of the day."""
    day = lifecycle.daily_plan(now)
    not_found = _without_reception(lifecycle, now)
    if not_found is not None:
        return not_found.until or day.end
    moments = (*_moments(lifecycle, now), deep_from(lifecycle, now))
    upcoming = min((moment for moment in moments if moment > now), default=day.end)
    rhythm = _rhythm(lifecycle)
    if rhythm is not None and not asleep(lifecycle, now):
        if get_rules(lifecycle).polled:
            upcoming = min(upcoming, day.start + (math.floor((now - day.start) / rhythm) + 1) * rhythm)
        else:
            upcoming = min(upcoming, last_report(lifecycle, now) + rhythm)
    return max(upcoming, now + 0.01)


def _moments(lifecycle: Lifecycle, now: float) -> Iterator[float]:
    """Yield the moments near ``now`` at which something is reported, and always the day's bounds."""
    day = lifecycle.daily_plan(now)
    yield day.start
    yield day.end
    if _rhythm(lifecycle) is None:
        yield from _ignitions_off(day)
        yield from _charging(day, every_tenth=True)
        return
    for moment in (
        *_trip_moments(lifecycle, day.trip_status(now)),
        *_charging(day),
        sleeps_from(lifecycle, now),
    ):
        if day.start <= moment <= day.end:
            yield moment


def _ignitions_off(day: DailyPlan) -> Iterator[float]:
    """Yield the moments five minutes after each arrival of the day at which the vehicle is still parked."""
    if day.daily_route is None:
        return
    leaves = (*day.daily_route.departs[1:], day.end - day.depart)
    for arrived, departed in zip(day.daily_route.arrives, leaves, strict=True):
        if arrived + _IGNITION_OFF < departed:
            yield day.depart + arrived + _IGNITION_OFF


def routine_changes(lifecycle: Lifecycle, moment: float) -> Iterator[float]:
    """Yield the plan times near a moment at which the daily plan changes something about the vehicle."""
    day = lifecycle.daily_plan(moment)
    moments = (
        *_trip_moments(lifecycle, day.trip_status(moment)),
        *_charging(day),
        *(phase.at for phase in day.phases),
    )
    yield from (each for each in moments if day.start < each < day.end)
    for each in (sleeps_from(lifecycle, moment), deep_from(lifecycle, moment)):
        if each < math.inf:
            yield each


def _trip_moments(lifecycle: Lifecycle, trip_status: TripStatus) -> Iterator[float]:
    yield trip_status.since
    yield trip_status.until
    if not trip_status.driving:
        yield trip_status.since + LOCK_AFTER
        yield trip_status.until - UNLOCK_BEFORE
        lapse = lifecycle.lapses(trip_status.since)
        if lapse.door == trip_status.trip and trip_status.trip >= 0:
            yield min(trip_status.since + lapse.door_closed, trip_status.until)


def _charging(day: DailyPlan, *, every_tenth: bool = False) -> Iterator[float]:
    for phase in day.phases:
        if phase.charges:
            yield phase.charge_start
            yield phase.charge_end
            if every_tenth:
                yield from day.tenths(phase)
        elif not every_tenth:
            yield phase.at

"""When a car reports, and when it sleeps.

An awake car reports in its make's rhythm and when something happens: it leaves, arrives, is locked, starts to charge.
Makes that are asked rather than tell (30 to 60 minutes) report in the rhythm only; Hyundais and Kias built before 2025
only on events, five minutes after the ignition is off ("Brand Quirks"). A car asleep reports nothing until it wakes,
apart from once a day. Whatever is done to a car, it reports at once.
"""

import math
from collections.abc import Iterator
from typing import Final

from simulator.cars.clocks import DAY, weekday
from simulator.cars.day import Day, Spot
from simulator.cars.deviation import Held
from simulator.cars.life import Life
from simulator.cars.makes import MAKES, Make

LOCK_AFTER: Final = 25.0  # seconds from arriving to locking
UNLOCK_BEFORE: Final = 20.0  # seconds from unlocking to leaving
_IGNITION_OFF: Final = 300.0


def rules_of(life: Life) -> Make:
    """The make's rules."""
    return MAKES[life.facts.model.make]


def sleeps_from(life: Life, moment: float) -> float:
    """When the car falls asleep where it stands if nothing more happens; infinity while it drives."""
    day, after = life.day(moment), rules_of(life).sleeps_after
    spot, phase = day.spot(moment), day.phase_at(moment)
    if spot.driving:
        return math.inf
    since = spot.since + after if spot.trip >= 0 else day.start
    if phase.charges and moment >= phase.charge_start:
        since = max(since, min(phase.charge_end, day.end) + after)
    reported = life.deviation.reported if life.deviation else None
    if reported is not None and spot.since <= reported <= moment:
        since = max(since, reported + after)
    return since


def asleep(life: Life, moment: float) -> bool:
    """Whether the car sleeps."""
    held = life.held("asleep", moment)
    if held is not None:
        return bool(held)
    return not life.day(moment).phase_at(moment).charging_at(moment) and moment >= sleeps_from(life, moment)


def deep_from(life: Life, moment: float) -> float:
    """When the car, standing where it does at the moment, begins to sleep so deeply that it takes no call."""
    held = life.deviation.held.get("asleep") if life.deviation else None
    if held is not None and held.at(moment):
        return held.since if held.value else math.inf
    after, day = rules_of(life).deep_sleep_after, life.day(moment)
    if after is None or day.spot(moment).trip >= 0:
        return math.inf
    reported = life.deviation.reported if life.deviation else None
    idle = next((back for back in range(1, 8) if life.routine.week[weekday(day.number - back)]), 7)
    return max(day.start - (idle - 1) * DAY, reported or 0.0) + after


def deeply_asleep(life: Life, moment: float) -> bool:
    """Whether it takes no call: sent to sleep, or unused for longer than its make stays awake."""
    return moment >= deep_from(life, moment)


def _rhythm(life: Life) -> float | None:
    rules = rules_of(life)
    return None if life.facts.year < rules.events_only_before else rules.reports


def _without_reception(life: Life, now: float) -> Held | None:
    held = life.deviation.held.get("reachable") if life.deviation else None
    return held if held and held.at(now) and not held.value else None


def last_report(life: Life, now: float) -> float:
    """When the car last reported, at the earliest at the start of its day or when its reception was lost."""
    lost = _without_reception(life, now)
    if lost is not None:
        return lost.since
    if rules_of(life).polled:
        last = _last_poll(life, now)
    else:
        last = max(moment for moment in _moments(life, now) if moment <= now)
        rhythm = _rhythm(life)
        if rhythm is not None and not asleep(life, now):
            last += math.floor((now - last) / rhythm) * rhythm
    reported = life.deviation.reported if life.deviation else None
    return last if reported is None or reported > now else max(last, reported)


def _last_poll(life: Life, now: float) -> float:
    """The last time that the maker asked an awake car, or that the car fell asleep.

    A car that is silent when running has told before it left.
    """
    day, rhythm = life.day(now), rules_of(life).reports
    poll = day.start + math.floor((now - day.start) / rhythm) * rhythm
    if asleep(life, poll):
        poll = min(poll, sleeps_from(life, poll))
    spot = day.spot(poll)
    if spot.driving and rules_of(life).silent_when_running:
        poll = spot.since - 1.0
    return max(poll, day.start, *_fell_asleep(life, after=poll, until=now))


def _fell_asleep(life: Life, *, after: float, until: float) -> Iterator[float]:
    """When the car fell asleep between two moments of a day."""
    day = life.day(until)
    moments = [phase.charge_start - 0.01 for phase in day.phases if after < phase.charge_start <= until]
    moment = until
    while moment > after:
        moments.append(moment)
        moment = day.spot(moment).since - 0.01
    for moment in moments:
        slept = sleeps_from(life, moment)
        if after <= slept <= moment:
            yield slept


def next_report(life: Life, now: float) -> float:
    """Until when surely nothing new is heard of it, if nothing is done to it; at most until the end of its day."""
    day = life.day(now)
    lost = _without_reception(life, now)
    if lost is not None:
        return lost.until or day.end
    moments = (*_moments(life, now), deep_from(life, now))
    upcoming = min((moment for moment in moments if moment > now), default=day.end)
    rhythm = _rhythm(life)
    if rhythm is not None and not asleep(life, now):
        if rules_of(life).polled:
            upcoming = min(upcoming, day.start + (math.floor((now - day.start) / rhythm) + 1) * rhythm)
        else:
            upcoming = min(upcoming, last_report(life, now) + rhythm)
    return max(upcoming, now + 0.01)


def _moments(life: Life, now: float) -> Iterator[float]:
    """Moments near now at which something happens that is reported, and always the day's bounds."""
    day = life.day(now)
    yield day.start
    yield day.end
    if _rhythm(life) is None:
        yield from _ignitions_off(day)
        yield from _charging(day, every_tenth=True)
        return
    for moment in (*_on_the_spot(life, day.spot(now)), *_charging(day), sleeps_from(life, now)):
        if day.start <= moment <= day.end:
            yield moment


def _ignitions_off(day: Day) -> Iterator[float]:
    """Five minutes after each arrival of the day, where the car still stands then."""
    if day.round is None:
        return
    leaves = (*day.round.departs[1:], day.end - day.depart)
    for arrived, left in zip(day.round.arrives, leaves, strict=True):
        if arrived + _IGNITION_OFF < left:
            yield day.depart + arrived + _IGNITION_OFF


def _on_the_spot(life: Life, spot: Spot) -> Iterator[float]:
    yield spot.since
    yield spot.until
    if not spot.driving:
        yield spot.since + LOCK_AFTER
        yield spot.until - UNLOCK_BEFORE
        lapse = life.lapses(spot.since)
        if lapse.door == spot.trip and spot.trip >= 0:
            yield min(spot.since + lapse.door_closed, spot.until)


def _charging(day: Day, *, every_tenth: bool = False) -> Iterator[float]:
    for phase in day.phases:
        if phase.charges:
            yield phase.charge_start
            yield phase.charge_end
            if every_tenth:
                yield from day.tenths(phase)
        elif not every_tenth:
            yield phase.at

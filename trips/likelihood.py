"""How probable what happened between two odometer readings is, for each way in which the vehicle can have moved.

Five patterns are compared, named by the state at the first reading, in between and at the second: parked throughout,
driving throughout, arriving, departing, stopping on the way, and a whole trip between two parked readings.

The distance that a driving vehicle covers in a time is gamma-distributed, because driving consists of many short
phases of moving and waiting: its relative spread falls with the time. Four kinds of traffic have a speed each, and a
vehicle usually stays in one. The duration of a stop is log-uniform between a minute and a half and fifteen hours, the
usual choice where not even the scale is known. The figures of traffic are round ones, looked at on real drives.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, NamedTuple

from trips.silence import UNKNOWN, SleepHabit


class Traffic(NamedTuple):
    """A kind of traffic: mean speed in km/h, how many minutes its phases take, and how much vehicles differ in it."""

    kmh: float
    phase: float
    spread: float
    ends: float  # minutes until a trip in such traffic ends


TRAFFIC: Final = (
    Traffic(16, 0.7, 0.30, 20),
    Traffic(29, 0.5, 0.22, 20),
    Traffic(50, 0.4, 0.22, 25),
    Traffic(95, 0.2, 0.15, 40),
)
KINDS: Final = range(len(TRAFFIC))
STATIONARY_KM: Final = 0.012
"""A vehicle that moved less than this stood still: coarse positions and rounding move it a little."""

_STOP_SCALE: Final = math.log(15 * 60 / 1.5)
_SHORTEST_STOP: Final = 2.0  # minutes
_NODES: Final = 14
_IMPOSSIBLE: Final = -1e9
_CONTRADICTED: Final = -12.0
_LOCKING: Final = 1.5  # minutes until most drivers have locked
_LEFT_UNLOCKED: Final = 0.25
_SHORT: Final = 2.5  # minutes in which no whole trip of a kilometer fits between two stops
_UNSEEN: Final = 2.0  # minutes to drive a kilometer that a coarse odometer doesn't show
_MOMENT: Final = 0.1  # minutes: how long something takes that happens at a reading


@dataclass(slots=True)
class Interval:
    """What is known of the time between two readings of the odometer. Times are epoch seconds.

    `parked` and `driving` are the times at which other signals showed that state. `stood` is for how many minutes the
    vehicle had stood still before. `asleep` is whether the second reading is the last before the vehicle fell asleep,
    None if nothing is known, as while it charges. `charging_since` is when it began to charge before that reading.
    `noise` is the precision of the distance in km, 0 for an exact odometer.
    """

    start: float
    end: float
    km: float
    noise: float = 0.0
    parked: Sequence[float] = ()
    driving: Sequence[float] = ()
    stood: float = 0.0
    asleep: bool | None = None
    unlocked: bool = False
    charging_since: float | None = None
    habit: SleepHabit = UNKNOWN

    @property
    def minutes(self) -> float:
        """How long it took."""
        return (self.end - self.start) / 60


@dataclass(slots=True)
class Likelihoods:
    """Natural logarithms of the probability of each pattern; per kind of traffic where the vehicle drives at an end."""

    parked: float
    whole_trip: float
    driving: list[float] = field(default_factory=list)
    arriving: list[float] = field(default_factory=list)
    departing: list[float] = field(default_factory=list)
    stopping: list[float] = field(default_factory=list)


class Weighted(NamedTuple):
    """A possible way: when driving began and ended (minutes after the interval's start), and its weight.

    For a stop on the way they are when the stop began and ended.
    """

    start: float
    end: float
    weight: float


def distance_density(km: float, minutes: float, traffic: Traffic, noise: float = 0.0) -> float:
    """Returns the logarithm of the probability density, per km, of driving so far in so many minutes."""
    mean = traffic.kmh * minutes / 60
    variance = mean * mean * (traffic.phase / minutes + traffic.spread**2) + noise * noise
    scale = variance / mean
    shape = mean / scale
    km = max(km, 0.001, noise * 0.5)
    return (shape - 1) * math.log(km / scale) - km / scale - math.lgamma(shape) - math.log(scale)


def stop_density(minutes: float) -> float:
    """Returns the probability density, per minute, of a stop's duration."""
    likely = 1 / (_STOP_SCALE * max(minutes, _SHORTEST_STOP))
    if minutes >= _SHORTEST_STOP:
        return likely
    return likely * max(0.002, (minutes / _SHORTEST_STOP) ** 4)


def stationary_probability(minutes: float) -> float:
    """Returns the probability of waiting in traffic for so long, at any moment of driving."""
    return 0.09 * math.exp(-min(minutes, 60.0) / 0.85)


def likelihoods(interval: Interval) -> Likelihoods:
    """Returns how probable each pattern is."""
    if interval.km <= STATIONARY_KM:
        return _stationary(interval)
    evident = interval.parked or interval.driving or interval.charging_since is not None
    if interval.minutes > _SHORT or evident:
        return _moved(interval)
    return _short(
        max(0.05, round(interval.minutes * 20) / 20),
        max(STATIONARY_KM, round(interval.km * 50) / 50),
        interval.noise,
        float(min(600, round(interval.stood))),
        interval.asleep,
        interval.unlocked,
        interval.habit,
    )


@lru_cache(maxsize=50_000)
def _short(
    minutes: float,
    km: float,
    noise: float,
    stood: float,
    asleep: bool | None,
    unlocked: bool,
    habit: SleepHabit,
) -> Likelihoods:
    """Returns the same for a short interval, rounded to 3 s and 20 m: most intervals of a year are alike."""
    return _moved(
        Interval(
            0.0, 60 * minutes, km, noise=noise, stood=stood, asleep=asleep, unlocked=unlocked, habit=habit
        )
    )


def _moved(interval: Interval) -> Likelihoods:
    result = Likelihoods(parked=-40.0, whole_trip=_IMPOSSIBLE)
    minutes = interval.minutes
    whole = []
    for kind in KINDS:
        traffic = TRAFFIC[kind]
        through = distance_density(interval.km, minutes, traffic, interval.noise) - minutes / traffic.ends
        result.driving.append(through + _CONTRADICTED * bool(interval.parked))
        ways = driven_ways(interval, kind)
        result.arriving.append(_total(arriving(interval, kind, ways)))
        result.departing.append(_total(departing(interval, kind, ways)))
        result.stopping.append(_total(stopping(interval, kind, ways)))
        whole.append(_total(whole_trip(interval, kind, ways)) if minutes > _SHORT else _IMPOSSIBLE)
    if minutes > _SHORT:
        result.whole_trip = max(whole) + math.log(sum(math.exp(w - max(whole)) for w in whole) / len(whole))
    return result


def _stationary(interval: Interval) -> Likelihoods:
    minutes = interval.minutes
    contradicted = _CONTRADICTED * bool(interval.parked)
    moving = _CONTRADICTED * bool(interval.driving)
    unseen = interval.noise * _UNSEEN
    stationary = math.log(stationary_probability(max(0.0, minutes - 2 * unseen))) + contradicted
    result = Likelihoods(parked=moving, whole_trip=_IMPOSSIBLE)
    for traffic in TRAFFIC:
        ends = math.log((_MOMENT + unseen) / traffic.ends)
        leaves = math.log((_MOMENT + unseen) * stop_density(interval.stood + minutes))
        result.driving.append(stationary)
        result.arriving.append(ends + moving)
        result.departing.append(leaves + moving)
        result.stopping.append(ends + leaves + moving)
    return result


class Way(NamedTuple):
    """How many minutes were driven, and with what probability (a density in km, integrated over the minutes)."""

    minutes: float
    probability: float


def driven_ways(interval: Interval, kind: int) -> list[Way]:
    """Returns possible durations of driving that explain the distance in one kind of traffic."""
    traffic, minutes = TRAFFIC[kind], interval.minutes
    least = min(interval.km / 160 * 60, 0.9 * minutes)
    most = min(minutes, (interval.km + interval.noise) / 6 * 60 + 3)
    if most <= least:
        return [
            Way(minutes, math.exp(distance_density(interval.km, minutes, traffic, interval.noise)) * 0.01)
        ]
    step = (most / least) ** (1 / _NODES)
    ways, low = [], least
    for _ in range(_NODES):
        high = low * step
        driven = math.sqrt(low * high)
        density = distance_density(interval.km, driven, traffic, interval.noise) - driven / traffic.ends
        ways.append(Way(driven, math.exp(density) * (high - low)))
        low = high
    return ways


def arriving(interval: Interval, kind: int, ways: Sequence[Way]) -> list[Weighted]:
    """Returns the ways in which a drive can have ended in the interval."""
    first, last = _limits(interval, 0.0, _first(interval.parked, interval), _last(interval.driving, interval))
    ends = 1 / TRAFFIC[kind].ends
    result = []
    for driven, probability in ways:
        if first <= driven <= last:
            weight = probability * ends * _tail(interval, interval.minutes - driven)
            result.append(Weighted(0.0, driven, weight))
    return result


def departing(interval: Interval, kind: int, ways: Sequence[Way]) -> list[Weighted]:
    """Returns the ways in which a drive can have begun in the interval."""
    minutes = interval.minutes
    first, last = _limits(interval, _last(interval.parked, interval), _first(interval.driving, interval), 0.0)
    result = []
    for driven, probability in ways:
        begins = minutes - driven
        if first <= begins <= last:
            weight = probability * stop_density(interval.stood + begins)
            result.append(Weighted(begins, minutes, weight))
    return result


def stopping(interval: Interval, kind: int, ways: Sequence[Way]) -> list[Weighted]:
    """Returns the ways in which the vehicle can have stopped between two drives. `start` and `end` are the stop's."""
    minutes = interval.minutes
    ends = 1 / TRAFFIC[kind].ends
    parked = _minutes(interval.parked, interval)
    result = []
    for driven, probability in ways:
        stop = minutes - driven
        weight = probability * ends * stop_density(stop)
        for part in _PARTS:
            begins = driven * part
            if all(begins <= moment <= begins + stop for moment in parked):
                result.append(Weighted(begins, begins + stop, weight / len(_PARTS)))
    return result


def whole_trip(interval: Interval, kind: int, ways: Sequence[Way]) -> list[Weighted]:
    """Returns the ways in which a whole trip can lie in the interval."""
    minutes = interval.minutes
    ends = 1 / TRAFFIC[kind].ends
    parked, driving = _minutes(interval.parked, interval), _minutes(interval.driving, interval)
    result = []
    for driven, probability in ways:
        free = minutes - driven
        span = free if interval.asleep is None else min(free, interval.habit.longest + 1)
        for part in _PARTS:
            tail = span * part
            begins = free - tail
            if any(begins < m < begins + driven for m in parked) or any(
                not begins <= m <= begins + driven for m in driving
            ):
                continue
            leaves = stop_density(interval.stood + begins)
            weight = probability * ends * leaves * _tail(interval, tail) * span / len(_PARTS)
            result.append(Weighted(begins, begins + driven, weight))
    return result


_PARTS: Final = tuple((part + 0.5) / 10 for part in range(10))


def _tail(interval: Interval, parked: float) -> float:
    """Returns how probable the second reading is for a vehicle that arrived so many minutes before it."""
    open_door = _LEFT_UNLOCKED if interval.unlocked and parked > _LOCKING else 1.0
    if interval.charging_since is not None:
        return charging_delay(parked - (interval.end - interval.charging_since) / 60)
    if interval.asleep is None:
        return open_door
    return open_door * (interval.habit.asleep(parked) if interval.asleep else interval.habit.awake(parked))


def charging_delay(minutes: float) -> float:
    """Returns the probability density, per minute, of beginning to charge so long after arriving.

    Most drivers plug in at once and the vehicle charges within minutes; timers begin some hours later.
    """
    if minutes < 0:
        return 0.0001
    return 0.8 / 7 if minutes <= 7 else 0.2 / 240


def _minutes(times: Sequence[float], interval: Interval) -> list[float]:
    return [(time - interval.start) / 60 for time in times]


def _first(times: Sequence[float], interval: Interval) -> float:
    return (min(times) - interval.start) / 60 if times else interval.minutes


def _last(times: Sequence[float], interval: Interval) -> float:
    return (max(times) - interval.start) / 60 if times else 0.0


def _limits(interval: Interval, *moments: float) -> tuple[float, float]:
    """Returns the time in which a change must lie: after the first or last of the moments, and before the second."""
    first, last = max(moments[0], moments[2]), moments[1]
    return (first, last) if first <= last else (0.0, interval.minutes)


def _total(ways: Sequence[Weighted]) -> float:
    total = sum(way.weight for way in ways)
    return math.log(total) if total > 0 else _IMPOSSIBLE

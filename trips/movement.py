"""The odometer line: what lies between two readings of the odometer, and what silence says about it."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from trips.cleaning import Place, Signals, asleep_spans, usual_interval
from trips.likelihood import STATIONARY_KM, Interval
from trips.odometer import Sample, unstick
from trips.silence import SleepHabit


class Explanation(NamedTuple):
    """A way to explain a gap between readings: how (im)probable it is that reports were lost, and the intervals."""

    penalty: float
    intervals: tuple[Interval, ...]


COARSE_KM = 0.12
"""From this imprecision on, an odometer that stands still doesn't show that the vehicle does."""
_ROAD = 1.25
"""How much longer ways by road are than the straight line between readings minutes apart."""
_SAME_PLACE_KM = 0.03
_PLACES_MOVE = 0.4
"""Places that move less than this share of the odometer's way don't follow the vehicle."""

LOST = -3.5
"""The logarithm of the probability that a report gets lost."""


def line(signals: Signals, habit: SleepHabit) -> tuple[float, list[list[Explanation]]]:
    """Returns the first kilometers, and for each gap between readings in order of time the ways to explain it."""
    spans = asleep_spans(signals.deliveries)
    samples, noise = distance_line(signals)
    nodes = _nodes(samples, spans, noise)
    if noise >= COARSE_KM:
        signals.parked = sorted({*signals.parked, *(moment for span in spans for moment in span)})
    begun = charging_begins(signals)
    asleep = {round(start): True for start, _ in spans}
    interval = usual_interval(signals.deliveries)
    silent = _is_silent(signals)
    gaps = []
    stood = 0.0
    for before, after in pairwise(nodes):
        whole = _interval(signals, before, after, stood, habit, asleep)
        whole.noise = noise if whole.km > STATIONARY_KM or noise >= COARSE_KM else 0.0
        whole.charging_since = _charging_since(begun, before.time, after.time)
        stood = stood + whole.minutes if whole.km <= STATIONARY_KM else 0.0
        gaps.append(_explanations(whole, interval, silent))
    return (nodes[0].km if nodes else 0.0), gaps


def distance_line(signals: Signals) -> tuple[list[Sample], float]:
    """Returns the best known distance at each time, and its precision in km.

    An exact odometer is taken as it is. Places fill in the kilometers between those of an odometer that shows whole
    ones, and all of them for a vehicle that reports only places.
    """
    samples = unstick(signals.odometer)
    whole = len(samples) > 2 and all(sample.km == int(sample.km) for sample in samples)
    if samples and not whole:
        return samples, 0.0
    if not signals.places:
        return samples, _coarseness(signals)
    by_places = _by_places(signals.places, samples)
    moved = sum(distance_km(one, other) for one, other in pairwise(signals.places))
    if samples and moved < _PLACES_MOVE * (samples[-1].km - samples[0].km):
        return samples, _coarseness(
            signals
        )  # the places are repeated ones, where the vehicle was last parked
    return by_places, 0.1


def _coarseness(signals: Signals) -> float:
    """Returns the precision of whole kilometers: each step is seen some time after it happened, at the next report."""
    return min(0.4, 0.1 + 0.06 * usual_interval(signals.deliveries) / 60)


def _by_places(places: Sequence[Place], samples: Sequence[Sample]) -> list[Sample]:
    times = [sample.time for sample in samples]
    result: list[Sample] = []
    anchor, km = places[0], samples[0].km + 0.5 if samples else 0.0
    for place in places:
        moved = distance_km(anchor, place)
        if moved > _SAME_PLACE_KM:
            index = bisect_right(times, place.time)
            least = samples[index - 1].km if index else 0.0
            most = (
                samples[index].km + 0.95
                if index < len(samples)
                else least + 0.95
                if samples
                else float("inf")
            )
            km = max(least, min(most, km + moved * _ROAD), km + 2 * STATIONARY_KM)
            anchor = place
        if not result or place.time > result[-1].time:
            result.append(Sample(place.time, km))
    return result


def distance_km(one: Place, other: Place) -> float:
    """Returns the distance in a straight line, right to 0.5 % for some hundred kilometers."""
    north = (other.latitude - one.latitude) * 111.2
    east = (
        (other.longitude - one.longitude)
        * 111.2
        * math.cos(math.radians((one.latitude + other.latitude) / 2))
    )
    return math.hypot(north, east)


def charging_begins(signals: Signals) -> list[tuple[float, float]]:
    """Returns (when it began, when it was seen) for each charge, from the energy at its first readings.

    The first energy divided by the greatest power of the session is how long it has charged at least.
    """
    result = []
    sessions: list[list[tuple[float, float]]] = []
    plugged = set(signals.plugged)
    for time, kwh in sorted(set(signals.energy)):
        if not _between(signals.plugged, time - 60, time + 60) and time not in plugged:
            continue
        if not sessions or kwh < sessions[-1][-1][1]:
            sessions.append([])
        sessions[-1].append((time, kwh))
    for session in sessions:
        slopes = [
            (after[1] - before[1]) / (after[0] - before[0])
            for before, after in pairwise(session)
            if after[0] - before[0] > 50
        ]
        power = max(slopes, default=0.0)
        if power > 0 and session[0][1] > 0:
            result.append((session[0][0] - session[0][1] / power, session[0][0]))
    return sorted(result)


def _charging_since(begun: Sequence[tuple[float, float]], start: float, end: float) -> float | None:
    first = bisect_left(begun, (start, 0.0))
    return next((since for since, seen in begun[first : first + 2] if end - 90 <= seen <= end + 90), None)


def _nodes(samples: Sequence[Sample], spans: Sequence[tuple[float, float]], noise: float) -> list[Sample]:
    """Returns the first and last sample of each time at a standstill, and when the vehicle was still asleep.

    Of a coarse odometer only the first reading of each value says something.
    """
    if noise >= COARSE_KM:
        coarse = [after for before, after in pairwise(samples) if after.km > before.km]
        return [*samples[:1], *coarse, *samples[-1:]]
    times = [sample.time for sample in samples]
    extra = []
    for start, until in spans:
        index = bisect_right(times, until) - 1
        if index >= 0 and until > start:
            extra.append(Sample(until, samples[index].km))
    merged = sorted({*samples, *extra})
    nodes: list[Sample] = []
    for sample in merged:
        if len(nodes) >= 2 and nodes[-1].km == nodes[-2].km == sample.km:
            nodes[-1] = sample
        else:
            nodes.append(sample)
    return nodes


def _interval(
    signals: Signals, before: Sample, after: Sample, stood: float, habit: SleepHabit, asleep: dict[int, bool]
) -> Interval:
    sleeping: bool | None = asleep.get(round(after.time), False)
    plugged = _between(signals.plugged, after.time - 60, after.time + 60)
    if plugged:
        sleeping = None
    index = bisect_right(signals.locked, (after.time + 10, True)) - 1
    unlocked = index >= 0 and not signals.locked[index][1] and signals.locked[index][0] > before.time
    return Interval(
        start=before.time,
        end=after.time,
        km=max(0.0, after.km - before.km),
        parked=_between(signals.parked, before.time, after.time),
        driving=_between(signals.driving, before.time, after.time),
        stood=stood,
        asleep=sleeping,
        unlocked=unlocked,
        habit=habit,
    )


def _between(times: Sequence[float], start: float, end: float) -> list[float]:
    inside = times[bisect_left(times, start) : bisect_right(times, end)]
    return [inside[0], inside[-1]] if len(inside) > 2 else list(inside)


def _explanations(whole: Interval, interval: float, silent: bool) -> list[Explanation]:
    missed = round((whole.end - whole.start) / interval) - 1
    if (
        whole.noise >= COARSE_KM and whole.km < 1.5
    ):  # a coarse odometer may stand still while the vehicle moves
        missed = 0
    if not silent or missed < 1 or whole.km <= STATIONARY_KM:
        return [Explanation(0.0, (whole,))]
    result = []
    for lost in range(min(missed, 3)):
        woke = whole.end - interval * (lost + 1.05)
        if woke <= whole.start + 0.2 * interval:
            continue
        result.append(Explanation(LOST * lost, (_quiet(whole, woke), _after(whole, woke))))
    result.append(Explanation(LOST * min(missed, 6), (whole,)))
    return result


def _quiet(whole: Interval, woke: float) -> Interval:
    return Interval(
        start=whole.start,
        end=woke,
        km=0.0,
        parked=[time for time in whole.parked if time <= woke],
        driving=[time for time in whole.driving if time <= woke],
        stood=whole.stood,
        noise=whole.noise,
        asleep=None,
        habit=whole.habit,
    )


def _after(whole: Interval, woke: float) -> Interval:
    return Interval(
        start=woke,
        end=whole.end,
        km=whole.km,
        parked=[time for time in whole.parked if time > woke],
        driving=[time for time in whole.driving if time > woke],
        stood=whole.stood + (woke - whole.start) / 60,
        noise=whole.noise,
        asleep=whole.asleep,
        unlocked=whole.unlocked,
        charging_since=whole.charging_since,
        habit=whole.habit,
    )


def _is_silent(signals: Signals) -> bool:
    """Returns whether deliveries stop while nothing changes: hardly any then repeats the one before."""
    repeated = sum(
        before.odometer == after.odometer and before.newest == after.newest
        for before, after in pairwise(signals.deliveries)
    )
    return repeated < 0.05 * len(signals.deliveries)

"""Finds the most probable sequence of driving and parking for a line of intervals (Viterbi's algorithm)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import Enum
from typing import Final, NamedTuple

from trips.likelihood import KINDS, Interval, Likelihoods, likelihoods
from trips.movement import Explanation


class Pattern(Enum):
    """What a vehicle did between two readings."""

    PARKED = "parked"
    DRIVING = "driving"
    ARRIVING = "arriving"
    DEPARTING = "departing"
    STOPPING = "stopping"
    WHOLE_TRIP = "whole_trip"


class Step(NamedTuple):
    """The pattern of an interval, and the kind of traffic in it; -1 where the vehicle is parked at both ends."""

    interval: Interval
    pattern: Pattern
    kind: int


_PARKED: Final = len(KINDS)  # the state; the others are kinds of traffic
_STAYS: Final = math.log(0.85)
_CHANGES: Final = math.log(0.15 / (len(KINDS) - 1))
_ANY_KIND: Final = -0.5 * math.log(len(KINDS))  # half, as the best kind stands for the sum of all


class _Path(NamedTuple):
    steps: tuple[Step, ...]
    before: _Path | None


_Scores = list[tuple[float, _Path | None]]


def decode(gaps: Sequence[Sequence[Explanation]]) -> list[Step]:
    """Returns a step for each interval, in order of time."""
    scores: _Scores = [*((-2.0, None) for _ in KINDS), (0.0, None)]
    for explanations in gaps:
        scores = _advance(scores, explanations)
        best = max(score for score, _ in scores)
        scores = [(score - best, path) for score, path in scores]
    _, path = max(scores, key=lambda scored: scored[0])
    steps: list[Step] = []
    while path is not None:
        steps += reversed(path.steps)
        path = path.before
    return steps[::-1]


def _advance(scores: _Scores, explanations: Sequence[Explanation]) -> _Scores:
    best: _Scores | None = None
    for penalty, intervals in explanations:
        reached = [(score + penalty, path) for score, path in scores]
        for interval in intervals:
            reached = _through(reached, interval, likelihoods(interval))
        best = (
            reached
            if best is None
            else [max(one, two, key=lambda s: s[0]) for one, two in zip(best, reached, strict=True)]
        )
    assert best is not None
    return best


def _through(scores: _Scores, interval: Interval, likely: Likelihoods) -> _Scores:
    """Returns the best score and path for each state at the end of an interval."""
    parked, parked_path = scores[_PARKED]
    entered = _entered(scores)
    result: _Scores = []
    ways = [(parked + likely.parked, parked_path, Pattern.PARKED, -1)]
    ways.append((parked + likely.whole_trip, parked_path, Pattern.WHOLE_TRIP, -1))
    for kind in KINDS:
        score, path = entered[kind]
        ways.append((score + likely.arriving[kind], path, Pattern.ARRIVING, kind))
        on_road = [
            (score + likely.driving[kind], path, Pattern.DRIVING, kind),
            (score + likely.stopping[kind], path, Pattern.STOPPING, kind),
            (parked + _ANY_KIND + likely.departing[kind], parked_path, Pattern.DEPARTING, kind),
        ]
        result.append(_best(on_road, interval))
    result.append(_best(ways, interval))
    return result


def _entered(scores: _Scores) -> _Scores:
    """Returns the scores after a possible change of traffic at a reading."""
    best, best_path = max(scores[:_PARKED], key=lambda scored: scored[0])
    result: _Scores = []
    for kind in KINDS:
        score, path = scores[kind]
        stays, changes = score + _STAYS, best + _CHANGES
        result.append((stays, path) if stays >= changes else (changes, best_path))
    return result


def _best(
    ways: Sequence[tuple[float, _Path | None, Pattern, int]], interval: Interval
) -> tuple[float, _Path]:
    score, path, pattern, kind = max(ways, key=lambda way: way[0])
    return score, _Path((Step(interval, pattern, kind),), path)

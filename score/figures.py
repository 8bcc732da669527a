"""Compares found trips with the true ones.

A found trip and a true one match if they overlap by at least half of the time that both together cover. Each matches
at most one. Trips under a kilometer count neither as found nor as missed. A true trip that was split at a listed
standstill counts as the pieces that were found: the split is reported apart, too, but isn't forgiven.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from score.weeks import TrueTrip

SHORTEST_KM: Final = 1.0
_STANDSTILL_SLACK: Final = 120.0  # seconds; a split is at a standstill when it isn't further from it


@dataclass(frozen=True, slots=True)
class Found:
    """A trip that was found. `start` and `end` are (earliest, estimate, latest); the peers claim no interval."""

    start: tuple[float, float, float]
    end: tuple[float, float, float]
    distance_km: float
    claims: bool = True

    @classmethod
    def at(cls, start: float, end: float, distance_km: float) -> Found:
        """A trip whose bounds are claimed to be exact, as the peers do."""
        return cls((start, start, start), (end, end, end), distance_km, claims=False)


@dataclass(slots=True)
class Tally:
    """Counts and errors of several weeks. Times are in seconds, distances in kilometers."""

    true: int = 0
    found: int = 0
    matched: int = 0
    standstill_splits: int = 0
    inside: int = 0
    claimed: int = 0
    start_errors: list[float] = field(default_factory=list)
    end_errors: list[float] = field(default_factory=list)
    distance_errors: list[float] = field(default_factory=list)
    day_errors: list[float] = field(default_factory=list)
    km: float = 0.0
    unplaced_km: float = 0.0

    def add(self, found: Sequence[Found], true: Sequence[TrueTrip], *, unplaced_km: float = 0.0) -> None:
        """Adds one week."""
        long_found = [trip for trip in found if trip.distance_km >= SHORTEST_KM]
        long_true = [trip for trip in true if trip.distance_km >= SHORTEST_KM]
        self.true += len(long_true)
        self.found += len(long_found)
        for one, other in matches(long_found, long_true):
            self._match(one, other)
        self.standstill_splits += sum(_splits(found, trip) for trip in long_true)
        self.day_errors += day_errors(found, true)
        self.km += sum(trip.distance_km for trip in true)
        self.unplaced_km += unplaced_km

    def _match(self, found: Found, true: TrueTrip) -> None:
        self.matched += 1
        self.start_errors.append(abs(found.start[1] - true.start))
        self.end_errors.append(abs(found.end[1] - true.end))
        self.distance_errors.append(abs(found.distance_km - true.distance_km))
        if found.claims:
            self.claimed += 2
            self.inside += found.start[0] <= true.start <= found.start[2]
            self.inside += found.end[0] <= true.end <= found.end[2]

    def summary(self) -> dict[str, float]:
        """Returns the figures: shares from 0 to 1, minutes and kilometers."""
        figures = {
            "precision": self.matched / self.found if self.found else 0.0,
            "recall": self.matched / self.true if self.true else 0.0,
            "f1": 2 * self.matched / (self.found + self.true) if self.found + self.true else 0.0,
            "trips": self.true,
            "standstill_splits": self.standstill_splits,
            "day_distance_error_p90": percentile(self.day_errors, 0.9),
        }
        if self.claimed:
            figures |= {
                "interval_coverage": self.inside / self.claimed,
                "unplaced_share": self.unplaced_km / self.km if self.km else 0.0,
            }
        for name, errors, unit in (
            ("start_error", self.start_errors, 60.0),
            ("end_error", self.end_errors, 60.0),
            ("distance_error", self.distance_errors, 1.0),
        ):
            suffix = "_min" if unit == 60.0 else ""
            figures[f"{name}_p50{suffix}"] = percentile(errors, 0.5) / unit
            figures[f"{name}_p90{suffix}"] = percentile(errors, 0.9) / unit
        return {name: round(value, 4) for name, value in figures.items()}


def matches(found: Sequence[Found], true: Sequence[TrueTrip]) -> list[tuple[Found, TrueTrip]]:
    """Returns the pairs that match. More than half of the union overlaps in one pair only; halves go to the first."""
    pairs = []
    taken: set[int] = set()
    for trip in true:
        for index, one in enumerate(found):
            if index not in taken and _overlap(one, trip) >= 0.5:
                taken.add(index)
                pairs.append((one, trip))
                break
    return pairs


def _overlap(found: Found, true: TrueTrip) -> float:
    start, end = found.start[1], found.end[1]
    both = min(end, true.end) - max(start, true.start)
    union = max(end, true.end) - min(start, true.start)
    return both / union if both > 0 and union > 0 else 0.0


def _splits(found: Sequence[Found], true: TrueTrip) -> int:
    """Counts the gaps between found trips that are at a standstill of the true trip."""
    pieces = sorted((one.start[1], one.end[1]) for one in found if _overlap(one, true) > 0)
    gaps = zip((end for _, end in pieces[:-1]), (start for start, _ in pieces[1:]), strict=True)
    return sum(
        any(
            first - _STANDSTILL_SLACK <= gap_end and gap_start <= last + _STANDSTILL_SLACK
            for first, last in true.standstills
        )
        for gap_start, gap_end in gaps
    )


def day_errors(found: Iterable[Found], true: Iterable[TrueTrip]) -> list[float]:
    """Returns by how many kilometers each day (UTC) with trips is off. A trip counts evenly over its time."""
    wanted, had = (
        _by_day((t.start, t.end, t.distance_km) for t in true),
        _by_day((f.start[1], f.end[1], f.distance_km) for f in found),
    )
    return [abs(wanted.get(day, 0.0) - had.get(day, 0.0)) for day in sorted(wanted.keys() | had.keys())]


def _by_day(trips: Iterable[tuple[float, float, float]]) -> dict[str, float]:
    days: dict[str, float] = {}
    for start, end, km in trips:
        moment = start
        while moment < end:
            until = min(end, (moment // 86_400 + 1) * 86_400)
            day = datetime.fromtimestamp(moment, UTC).date().isoformat()
            days[day] = days.get(day, 0.0) + km * (until - moment) / (end - start)
            moment = until
    return days


def percentile(values: Sequence[float], share: float) -> float:
    """Returns the value that this share of the values doesn't exceed; 0 without values."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0

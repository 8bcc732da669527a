"""Finds trips in the readings of a vehicle. A pure function: the same readings in any order give the same rows.

The odometer is the spine: trips and unplaced distances cover its line without hole or overlap, because a logbook must
explain each kilometer. Between two readings of it, `likelihood` says how probable each pattern of driving and parking
is, `decoding` finds the most probable sequence of them, and `bounds` when each change happened.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from typing import Final

from trips.bounds import Bound, step_bounds
from trips.cleaning import Place, Signals, clean
from trips.decoding import Pattern, Step, decode
from trips.movement import COARSE_KM, line
from trips.readings import Reading
from trips.rows import Detection, Evidence, Kind, Row, Unplaced
from trips.silence import UNKNOWN, SleepHabit

_UNPLACED_HOURS: Final = 3.0
"""A whole trip somewhere in a gap of more hours isn't shown as a trip: its times would be guesses."""
_CREEP_KM: Final = 0.05
_ON_THE_ROAD: Final = (Pattern.DRIVING, Pattern.ARRIVING, Pattern.STOPPING)


def detect(readings: Iterable[Reading], *, habit: SleepHabit = UNKNOWN) -> Detection:
    """Returns the rows from the first to the last reading that says where the vehicle or its odometer was."""
    signals = clean(readings)
    first_km, gaps = line(signals, habit)
    if not gaps:
        return Detection(notes=tuple(signals.notes))
    builder = _Builder(signals, first_km)
    for step in decode(gaps):
        builder.add(step)
    return builder.finish()


class _Builder:
    """Builds rows of steps in order of time."""

    def __init__(self, signals: Signals, km: float) -> None:
        self._signals = signals
        self._place_times = [place.time for place in signals.places]
        self._rows: list[Row] = []
        self._unplaced: list[Unplaced] = []
        self._km = km  # at the end of the last step
        self._row_km = km  # at the start of the row that is open
        self._open: Bound | None = None
        self._driving = False
        self._evidence: set[Evidence] = set()
        self._end = 0.0

    def add(self, step: Step) -> None:
        """Adds what happened in the next interval."""
        interval = step.interval
        if self._open is None:
            self._open = Bound.at(interval.start)
            self._driving = step.pattern in _ON_THE_ROAD
            self._evidence.add(Evidence.FIRST_READING)
        after = self._km + interval.km
        if _is_unplaced(step):
            self._leave_unplaced(step, after)
        elif step.pattern is Pattern.STOPPING:
            self._stop(step)
        elif step.pattern is Pattern.WHOLE_TRIP:
            first, last = step_bounds(step)
            self._turn(first, self._km, driving=True)
            self._evidence |= _evidence(step)
            self._turn(last, after, driving=False)
        elif step.pattern is Pattern.ARRIVING:
            self._evidence |= _evidence(step)
            self._turn(step_bounds(step)[0], after, driving=False)
        elif step.pattern is Pattern.DEPARTING:
            self._turn(step_bounds(step)[0], self._km, driving=True)
        self._evidence |= _evidence(step)
        self._km, self._end = after, interval.end

    def finish(self) -> Detection:
        """Returns all rows."""
        self._evidence.add(Evidence.LAST_READING)
        self._turn(Bound.at(self._end), self._km, driving=False)
        if self._row_km < self._km:
            self._unplaced.append(Unplaced(self._end, self._end, self._row_km, self._km))
        return Detection(tuple(self._rows), tuple(self._unplaced), tuple(self._signals.notes))

    def _stop(self, step: Step) -> None:
        interval = step.interval
        first, last = step_bounds(step)
        before, behind = first.estimate - interval.start, interval.end - last.estimate
        middle = self._km + interval.km * (before / (before + behind) if before + behind > 0 else 0.5)
        self._evidence |= _evidence(step)
        self._turn(first, middle, driving=False)
        self._turn(last, middle, driving=True)

    def _leave_unplaced(self, step: Step, after: float) -> None:
        """Adds a span without data, in which the vehicle moved."""
        interval = step.interval
        start, end = Bound.at(interval.start), Bound.at(interval.end)
        self._turn(start, self._km, driving=False)
        if self._row_km < after:
            self._unplaced.append(Unplaced(interval.start, interval.end, self._row_km, after))
        self._append(Row(Kind.NO_DATA, start, end, self._row_km, after))
        self._open, self._row_km = end, after

    def _turn(self, at: Bound, km: float, *, driving: bool) -> None:
        """Closes the row that is open at a bound, and opens the next one."""
        assert self._open is not None
        at = at.not_before(self._open)
        if self._driving:
            self._append(Row(Kind.TRIP, self._open, at, self._row_km, km, tuple(sorted(self._evidence))))
            self._row_km = km
        elif at.estimate > self._open.estimate or not self._rows:
            self._append(
                Row(Kind.PARKED, self._open, at, self._row_km, self._row_km, tuple(sorted(self._evidence)))
            )
        self._open, self._driving = at, driving
        self._evidence = set()

    def _append(self, row: Row) -> None:
        self._rows.append(
            Row(
                row.kind,
                row.start,
                row.end,
                row.odometer_start_km,
                row.odometer_end_km,
                row.evidence,
                self._place(row.start.estimate, before=True),
                self._place(row.end.estimate, before=False),
            )
        )

    def _place(self, time: float, *, before: bool) -> Place | None:
        """Returns where the vehicle was last seen before, or first seen after a time."""
        index = bisect_right(self._place_times, time) - 1 if before else bisect_left(self._place_times, time)
        return self._signals.places[index] if 0 <= index < len(self._place_times) else None


def _is_unplaced(step: Step) -> bool:
    interval = step.interval
    if step.pattern is Pattern.PARKED:
        return interval.km > _CREEP_KM and interval.noise < COARSE_KM
    return step.pattern is Pattern.WHOLE_TRIP and interval.minutes > 60 * _UNPLACED_HOURS


def _evidence(step: Step) -> set[Evidence]:
    interval = step.interval
    found = {Evidence.ODOMETER if interval.noise == 0 else Evidence.COARSE_ODOMETER}
    if interval.parked:
        found.add(Evidence.LOCK_OR_CABLE)
    if interval.driving:
        found.add(Evidence.SPEED)
    if interval.asleep:
        found.add(Evidence.SLEEP)
    if interval.charging_since is not None:
        found.add(Evidence.CHARGING)
    return found

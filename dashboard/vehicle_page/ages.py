"""The common age of a vehicle's values, so that it is shown once and only exceptions have an age of their own.

A vehicle reports most values together. "As of" is when a value was observed; "last update" is when data was received.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from vehicles.models import LatestSignal

# A report takes a moment, and makes date its values by the second.
_TOGETHER = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class CommonAge:
    """When most of the shown values were observed, and the codes of the signals for which this is true.

    `at` is None if not even two values share a time. `everything` is whether there are no exceptions.
    """

    at: datetime | None
    codes: frozenset[str]
    everything: bool


def common_age(rows: Iterable[LatestSignal]) -> CommonAge:
    """Returns the time that the most values share, the newest one if several do."""
    times = {row.code: row.observed_at for row in rows}
    best: frozenset[str] = frozenset()
    at = None
    for newest in sorted({time for time in times.values() if time is not None}, reverse=True):
        together = frozenset(
            code for code, time in times.items() if time is not None and newest - _TOGETHER <= time <= newest
        )
        if len(together) > len(best):
            best, at = together, newest
    if len(best) < 2:
        return CommonAge(None, frozenset(), everything=False)
    return CommonAge(at, best, everything=len(best) == len(times))

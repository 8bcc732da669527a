"""How long vehicles stay awake after they arrive, per make: dated, versioned parameters, with a prior for others.

A parked vehicle reports for some minutes after its last change, then sleeps and measures nothing, so its last report
lies after its arrival by what its make usually takes to fall asleep. Makes publish no figures. The prior covers what
is reported of telematics units that stay awake between one minute and half an hour.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final


@dataclass(frozen=True, slots=True)
class SleepHabit:
    """Between how many minutes after its last change a vehicle falls asleep, all of them equally likely.

    A changed habit gets a new version, so that stored trips can tell which one they were found with.
    """

    version: int
    since: date
    shortest: float
    longest: float

    def asleep(self, parked: float) -> float:
        """The density, per minute, of falling asleep after being parked for so many minutes."""
        edge = self.longest + _SETTLING
        if parked < self.shortest or parked > edge:
            return 0.0005
        return 1 / (edge - self.shortest)

    def awake(self, parked: float) -> float:
        """The probability of still being awake after being parked for so many minutes."""
        edge = self.longest + _SETTLING
        return min(1.0, max(0.02, (edge - parked) / (edge - self.shortest)))


_SETTLING: Final = 1.0
"""Minutes until a parked vehicle is locked, which is its last change."""

UNKNOWN: Final = SleepHabit(version=1, since=date(2026, 11, 30), shortest=1.0, longest=30.0)
"""The prior for makes that nothing is known about."""

_BY_MAKE: Final[dict[str, SleepHabit]] = {}


def habit_of(make: str) -> SleepHabit:
    """Returns how vehicles of a make fall asleep; the prior for an unknown make."""
    return _BY_MAKE.get(make.upper(), UNKNOWN)

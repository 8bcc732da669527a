"""The simulated clock. It starts at the real time or a given one, can run faster, and can be moved forward."""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime


@dataclass(slots=True)
class Clock:
    """The simulated time in epoch seconds. ``speed`` is the number of simulated seconds in a real second."""

    speed: float = 1.0
    _base: float = field(default_factory=time.time)
    _real: float = field(default_factory=time.monotonic)

    def now(self) -> float:
        """Return the simulated time in epoch seconds."""
        return self._base + (time.monotonic() - self._real) * self.speed

    def advance(self, seconds: float) -> None:
        """Move the clock forward by some seconds.

        Raises:
            ValueError: The number is negative. Vehicles can't reverse their trips.
        """
        if seconds < 0:
            raise ValueError("the clock only moves forward")
        self._base += seconds

    def run_at(self, speed: float) -> None:
        """Change the speed from now on.

        Raises:
            ValueError: The speed isn't above 0.
        """
        if speed <= 0:
            raise ValueError("speed must be above 0")
        self._base, self._real, self.speed = self.now(), time.monotonic(), speed

    def offset(self) -> float:
        """Return how many seconds the simulated clock is ahead of the real one. Negative if it is behind."""
        return self.now() - time.time()

    def restore(self, *, offset: float) -> None:
        """Continue ``offset`` seconds from the real time, as before a restart."""
        self._base, self._real = time.time() + offset, time.monotonic()


def iso(at: float) -> str:
    """Return epoch seconds as an ISO 8601 time with milliseconds and Z, as Smartcar writes times."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def millis(at: float) -> int:
    """Return epoch seconds as whole epoch milliseconds."""
    return round(at * 1000)

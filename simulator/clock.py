"""The simulated clock: it starts at the real time or a given one, can run faster, and can be moved forward."""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime


@dataclass(slots=True)
class Clock:
    """Simulated epoch seconds. ``speed`` is simulated seconds per real second."""

    speed: float = 1.0
    _base: float = field(default_factory=time.time)
    _real: float = field(default_factory=time.monotonic)

    def now(self) -> float:
        """The simulated time in epoch seconds."""
        return self._base + (time.monotonic() - self._real) * self.speed

    def advance(self, seconds: float) -> None:
        """Jump forward. Raises ValueError for a negative span: cars do not un-drive."""
        if seconds < 0:
            raise ValueError("the clock only moves forward")
        self._base += seconds

    def run_at(self, speed: float) -> None:
        """Change the speed from here on. Raises ValueError unless it is above 0."""
        if speed <= 0:
            raise ValueError("speed must be above 0")
        self._base, self._real, self.speed = self.now(), time.monotonic(), speed

    def offset(self) -> float:
        """Seconds the simulated clock is ahead of the real one, below 0 when behind."""
        return self.now() - time.time()

    def restore(self, *, offset: float) -> None:
        """Go on ``offset`` seconds from the real time, as before a restart."""
        self._base, self._real = time.time() + offset, time.monotonic()


def iso(at: float) -> str:
    """Epoch seconds as ISO-8601 with milliseconds and Z, the way Smartcar writes times."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def millis(at: float) -> int:
    """Epoch seconds as whole epoch milliseconds."""
    return round(at * 1000)

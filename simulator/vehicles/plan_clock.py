"""The position of one vehicle in its daily plan, and how that plan is held."""

import math
from bisect import bisect_right
from typing import Any, Final

_MOST_OFFSETS: Final = 50


class PlanClock:
    """Maps the simulator's clock to the time of one vehicle's daily plan, both in epoch seconds.

    Plan time runs a fixed offset behind the simulator's clock until the plan is held. From then on plan time is
    paused, and nothing changes unless a command or the control API changes it. After a release, the plan continues from
    the moment at which it was held, so the offset grows by the duration of the hold.

    Attributes:
        held_at: Plan time at which the plan is held, or None. The vehicle may still have to reach that time.
        reported_at: Clock time of the last report since the plan was paused, or None.
    """

    __slots__ = ("_offsets", "held_at", "reported_at")

    def __init__(self, offset: float = 0.0) -> None:
        self._offsets = [(-math.inf, offset)]  # (plan time from which an offset applies, seconds)
        self.held_at: float | None = None
        self.reported_at: float | None = None

    @property
    def offset(self) -> float:
        """Seconds by which the plan is behind the clock, negative if the plan is ahead."""
        return self._offsets[-1][1]

    def plan_time(self, now: float) -> float:
        """Return the plan time at a clock time."""
        moment = now - self.offset
        return moment if self.held_at is None else min(moment, self.held_at)

    def clock_time(self, moment: float) -> float:
        """Return the clock time at which the vehicle was, or will be, at this plan time if its plan isn't held.

        All of a part of the plan that was skipped was at the moment of the skip.
        """
        index = bisect_right(self._offsets, moment, key=lambda entry: entry[0]) - 1
        since, offset = self._offsets[index]
        at = moment + offset
        return at if index == 0 else max(at, since + self._offsets[index - 1][1])

    def earliest_plan_time(self, at: float) -> float:
        """Return a plan time that isn't later than any that the vehicle had at or after this clock time."""
        return at - max(offset for _, offset in self._offsets)

    def latest_plan_time(self, at: float) -> float:
        """Return a plan time that isn't earlier than any that the vehicle had at or before this clock time."""
        return at - min(offset for _, offset in self._offsets)

    def is_still(self, now: float) -> bool:
        """Return whether the plan is paused at this clock time."""
        return self.held_at is not None and now - self.offset >= self.held_at

    def held_since(self) -> float | None:
        """Return the clock time from which the plan is paused, or None if the plan isn't held."""
        return None if self.held_at is None else self.held_at + self.offset

    def hold(self, moment: float) -> None:
        """Hold the plan as soon as the vehicle reaches this plan time."""
        self.held_at = moment

    def skip_to(self, moment: float, *, now: float) -> None:
        """Continue at a later plan time at once, for example at the end of a trip."""
        self._add_offset(self.plan_time(now), now - moment)

    def release(self, now: float) -> None:
        """Continue the plan from the moment at which it was held."""
        if self.held_at is not None and self.is_still(now):
            self._add_offset(self.held_at, now - self.held_at)
        self.held_at = self.reported_at = None

    def _add_offset(self, moment: float, offset: float) -> None:
        # Earlier offsets stay, because the times of past charging sessions must not change.
        self._offsets.append((max(moment, self._offsets[-1][0]), offset))
        if len(self._offsets) > _MOST_OFFSETS:
            self._offsets = [(-math.inf, self._offsets[1][1]), *self._offsets[2:]]

    def dump(self) -> dict[str, Any]:
        """Return the state as JSON-compatible values."""
        (_, first), *others = self._offsets
        return {
            "offset": first,
            "offsets": [list(entry) for entry in others],
            "heldAt": self.held_at,
            "reportedAt": self.reported_at,
        }

    @classmethod
    def load(cls, data: dict[str, Any]) -> "PlanClock":
        """Return the clock that ``dump`` described."""
        clock = cls(data["offset"])
        clock._offsets += [(moment, offset) for moment, offset in data["offsets"]]
        clock.held_at, clock.reported_at = data["heldAt"], data["reportedAt"]
        return clock

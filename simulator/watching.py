"""Closer looks at subscribed cars: one that drives is read every 25 seconds, one that charges every minute.

"Smartcar automatically adjusts polling frequency based on vehicle status" ("Data Freshness Frequencies"). Makes that
are asked rarely, that are silent while driven, or whose cars report events only, keep to their own rhythm.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

from simulator.cars import Car, Change
from simulator.cars.changes import changed_codes
from simulator.cars.observing import State

if TYPE_CHECKING:
    from simulator.world import World

IDLE = 10.0


class Watch:
    """Looks at subscribed cars by turns. Times are simulated."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._due: list[tuple[float, str]] = []
        self._watched: set[str] = set()
        self._known: dict[str, State] = {}  # of cars on the move or charging, what was last told

    def add(self, vehicle_id: str) -> None:
        """Watch a car from now on, for as long as it is subscribed."""
        if vehicle_id not in self._watched:
            self._watched.add(vehicle_id)
            heapq.heappush(self._due, (self._world.now(), vehicle_id))

    def look(self) -> None:
        """Read the cars whose turn it is; what has changed is told."""
        now = self._world.now()
        while self._due and self._due[0][0] <= now:
            vehicle_id = heapq.heappop(self._due)[1]
            car = self._world.car(vehicle_id)
            if car is None or not any(self._world.webhooks.live(vehicle_id)):
                self._watched.discard(vehicle_id)
                self._known.pop(vehicle_id, None)
                continue
            heapq.heappush(self._due, (now + self._read(car, now), vehicle_id))

    def _read(self, car: Car, now: float) -> float:
        """Read a car if it drives or charges. Returns after how long to look again."""
        every = self._every(car, now)
        if every is None:
            self._known.pop(car.id, None)
            return IDLE
        known = self._known.get(car.id) or car.reported(now=now)
        car.life.change(now)
        self._known[car.id] = car.reported(now=now)
        codes = changed_codes(car, known, self._known[car.id])
        self._world.feed.notice([Change(car.id, codes, now)])
        return every

    def _every(self, car: Car, now: float) -> float | None:
        """How often the car is to be read just now; None when only its own rhythm counts."""
        settings, rules = self._world.settings, car.rules
        if rules.polled or car.year < rules.events_only_before:
            return None
        state = car.observe(now)
        if not state.reachable or state.asleep:
            return None
        if state.driving:
            return None if rules.silent_when_running else settings.driving_every or None
        return settings.charging_every or None if state.charging else None

    def clear(self) -> None:
        """Watch no car."""
        self._due.clear()
        self._watched.clear()
        self._known.clear()

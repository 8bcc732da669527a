"""More frequent reads of subscribed vehicles: every 25 seconds while driving, every minute while charging.

"Smartcar automatically adjusts polling frequency based on vehicle status" ("Data Freshness Frequencies"). Makes that
are rarely polled or send nothing while driving, and vehicles that report events only, stay at their own interval.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

from simulator.vehicles import Change, Vehicle
from simulator.vehicles.signal_changes import changed_codes
from simulator.vehicles.state_snapshot import StateSnapshot

if TYPE_CHECKING:
    from simulator.simulation import Simulation

IDLE = 10.0


class Poller:
    """Polls subscribed vehicles in turn. Times are simulated."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._due: list[tuple[float, str]] = []
        self._polled: set[str] = set()
        self._known: dict[
            str, StateSnapshot
        ] = {}  # The last published state of vehicles that drive or charge.

    def add(self, vehicle_id: str) -> None:
        """Poll a vehicle from now on, for as long as it is subscribed."""
        if vehicle_id not in self._polled:
            self._polled.add(vehicle_id)
            heapq.heappush(self._due, (self._simulation.now(), vehicle_id))

    def poll(self) -> None:
        """Read the vehicles that are due, and publish what changed."""
        now = self._simulation.now()
        while self._due and self._due[0][0] <= now:
            vehicle_id = heapq.heappop(self._due)[1]
            vehicle = self._simulation.vehicle(vehicle_id)
            if vehicle is None or not any(self._simulation.webhooks.live(vehicle_id)):
                self._polled.discard(vehicle_id)
                self._known.pop(vehicle_id, None)
                continue
            heapq.heappush(self._due, (now + self._read(vehicle, now), vehicle_id))

    def _read(self, vehicle: Vehicle, now: float) -> float:
        """Read a vehicle if it drives or charges. Return after how many seconds to read it again."""
        every = self._every(vehicle, now)
        if every is None:
            self._known.pop(vehicle.id, None)
            return IDLE
        known = self._known.get(vehicle.id) or vehicle.reported(now=now)
        vehicle.poll(now=now)
        self._known[vehicle.id] = vehicle.reported(now=now)
        codes = changed_codes(vehicle, known, self._known[vehicle.id])
        self._simulation.feed.record_changes([Change(vehicle.id, codes, now)])
        return every

    def _every(self, vehicle: Vehicle, now: float) -> float | None:
        """Return how often to read the vehicle now, or None if only its own interval counts."""
        settings, rules = self._simulation.settings, vehicle.rules
        if rules.polled or vehicle.year < rules.events_only_before:
            return None
        state = vehicle.observe(now)
        if not state.reachable or state.asleep:
            return None
        if state.driving:
            return None if rules.silent_when_running else settings.driving_every or None
        return settings.charging_every or None if state.charging else None

    def clear(self) -> None:
        """Poll no vehicle."""
        self._due.clear()
        self._polled.clear()
        self._known.clear()

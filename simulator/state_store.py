"""Saving the simulator's state in a file, so that a restarted demo continues.

The file is replaced as a whole, soon after a change and at the end. A crash loses the last second or two.
"""

import asyncio
import os
import time
from pathlib import Path
from typing import Any

import orjson

from simulator.simulation import Simulation

VERSION = 1
SAVE_INTERVAL = 0.5
FLEET_SAVE_INTERVAL = 10.0
PAUSE_FACTOR = 5.0


class StateStore:
    """Saves a simulation to one file, readable by its owner only, and restores it."""

    def __init__(self, simulation: Simulation, path: Path) -> None:
        self._simulation = simulation
        self._path = path
        self._saved_at = 0.0

    def restore(self) -> bool:
        """Restore the saved state. Return whether there was any.

        Raises:
            ValueError: The file isn't a state file of this version, or belongs to another fleet.
        """
        if not self._path.exists():
            return False
        try:
            saved = orjson.loads(self._path.read_bytes())
        except orjson.JSONDecodeError as error:
            raise ValueError(f"{self._path} is not a state file of the simulator") from error
        if not isinstance(saved, dict) or saved.get("version") != VERSION:
            raise ValueError(f"{self._path} is not a state file of this version of the simulator")
        settings = self._simulation.settings
        munich = saved.get("munich", 0)
        if (saved["seed"], saved["vehicles"], munich) != (settings.seed, settings.vehicles, settings.munich):
            raise ValueError(
                f"{self._path} belongs to --seed {saved['seed']} --vehicles {saved['vehicles']} "
                f"--munich {munich}; use these options, or remove the file"
            )
        self._rebuild(saved)
        self._simulation.restore(saved["world"])
        fleet = self._simulation.fleet
        fleet.restore(saved["garage"])
        if settings.hold_all:
            free = [each.id for each in fleet.vehicles.values() if each.lifecycle.plan_clock.held_at is None]
            fleet.hold(free, now=self._simulation.now(), parked=True)
        return True

    def _rebuild(self, saved: dict[str, Any]) -> None:
        """Plan the same fleet from the same start, so that the vehicles continue where they were."""
        simulation = self._simulation
        simulation.fleet = type(simulation.fleet)(
            seed=saved["seed"],
            vehicles=saved["vehicles"],
            start=saved["start"],
            plan_start=saved.get("planStart"),
            munich=saved.get("munich", 0),
        )

    def save(self) -> None:
        """Write the file now."""
        simulation = self._simulation
        simulation.changed = False
        content = orjson.dumps(
            {
                "version": VERSION,
                "seed": simulation.settings.seed,
                "vehicles": simulation.settings.vehicles,
                "start": simulation.fleet.start,
                "planStart": simulation.fleet.plan_start,
                "munich": simulation.fleet.munich,
                "world": simulation.snapshot(),
                "garage": simulation.fleet.snapshot(),
            },
            default=list,
        )
        self._path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._path.with_name(self._path.name + ".new")
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._path)
        self._saved_at = time.monotonic()

    async def run(self) -> None:
        """Save soon after each change, and regularly for the clock and the vehicles, until canceled."""
        while True:
            started = time.monotonic()
            if self._simulation.changed or started - self._saved_at > FLEET_SAVE_INTERVAL:
                self.save()
            await asyncio.sleep(max(SAVE_INTERVAL, PAUSE_FACTOR * (time.monotonic() - started)))

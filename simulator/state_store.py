"""Keeping the simulator's memory in a file, so that a restarted demo goes on.

The file is replaced as a whole, soon after a change and at the end; a crash loses the last second or two.
"""

import asyncio
import os
import time
from pathlib import Path
from typing import Any

import orjson

from simulator.simulation import Simulation

VERSION = 1
EVERY = 0.5
GARAGE_EVERY = 10.0
REST = 5.0


class StateStore:
    """Saves a world to one file, readable by its owner only, and restores it."""

    def __init__(self, simulation: Simulation, path: Path) -> None:
        self._simulation = simulation
        self._path = path
        self._saved_at = 0.0

    def restore(self) -> bool:
        """Take back what was saved. Returns whether there was anything. Raises ValueError for a strange file."""
        if not self._path.exists():
            return False
        try:
            saved = orjson.loads(self._path.read_bytes())
        except orjson.JSONDecodeError as wrong:
            raise ValueError(f"{self._path} is not a state file of the simulator") from wrong
        if not isinstance(saved, dict) or saved.get("version") != VERSION:
            raise ValueError(f"{self._path} is not a state file of this version of the simulator")
        settings = self._simulation.settings
        if (saved["seed"], saved["vehicles"]) != (settings.seed, settings.vehicles):
            raise ValueError(
                f"{self._path} holds a world of --seed {saved['seed']} --vehicles {saved['vehicles']}; "
                "start with these, or remove the file"
            )
        self._rebuild(saved)
        self._simulation.restore(saved["world"])
        self._simulation.fleet.restore(saved["garage"])
        return True

    def _rebuild(self, saved: dict[str, Any]) -> None:
        """Plan the same world from the same start, so that the cars go on where they were."""
        simulation = self._simulation
        simulation.fleet = type(simulation.fleet)(
            seed=saved["seed"], vehicles=saved["vehicles"], start=saved["start"]
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
                "world": simulation.snapshot(),
                "garage": simulation.fleet.snapshot(),
            },
            default=list,
        )
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_name(self._path.name + ".new")
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)
        self._saved_at = time.monotonic()

    async def run(self) -> None:
        """Save soon after each change, and now and then for the clock and the cars, until cancelled."""
        while True:
            started = time.monotonic()
            if self._simulation.changed or started - self._saved_at > GARAGE_EVERY:
                self.save()
            await asyncio.sleep(max(EVERY, REST * (time.monotonic() - started)))

"""The engine of a running simulator: it advances the vehicles, sends webhook events and saves the state."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from simulator.applications import Applications
from simulator.load.planning import make_plan
from simulator.simulation import Simulation
from simulator.state_store import StateStore

_log = logging.getLogger("simulator")

TICK = 0.25
SHORT_PAUSE = 0.02
VEHICLES_EVERY = 0.5
PAUSE_FACTOR = 4.0


class Engine:
    """Runs the simulation's background jobs until stopped."""

    def __init__(self, simulation: Simulation, state_store: StateStore | None = None) -> None:
        self._simulation = simulation
        self._state_store = state_store
        self.applications = Applications(simulation)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run the background jobs while the block runs, and save the state at its end."""
        jobs = [self._vehicles, self._feed, self._senders]
        if self._simulation.settings.load:
            jobs.append(self._start_load)
        if self._state_store is not None:
            jobs.append(self._state_store.run)
        tasks = [asyncio.create_task(_run_forever(job)) for job in jobs]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            for task in tasks:
                with suppress(asyncio.CancelledError):
                    await task
            await self._simulation.load.stop()
            if self._state_store is not None:
                self._state_store.save()

    async def _vehicles(self) -> None:
        """Advance the vehicles. A large fleet gets longer pauses, so this job takes at most a fifth of the time."""
        simulation = self._simulation
        while True:
            started = time.monotonic()
            changes = simulation.fleet.advance(now=simulation.now())
            for each in self.applications.simulations:
                each.feed.record_changes(changes)
                each.poller.poll()
            await asyncio.sleep(max(VEHICLES_EVERY, PAUSE_FACTOR * (time.monotonic() - started)))

    async def _start_load(self) -> None:
        """Start the command line's load as soon as a vehicle is subscribed to a verified webhook."""
        simulation = self._simulation
        while not simulation.load.running:
            await asyncio.sleep(0.5)
            subscribed = {each.webhook_id for each in simulation.webhooks.subscriptions.values()}
            for webhook in simulation.webhooks.by_id.values():
                if webhook.verified and webhook.id in subscribed:
                    plan = make_plan(
                        simulation,
                        webhook,
                        rate=simulation.settings.load,
                        seconds=0,
                        connections=64,
                        everything=False,
                    )
                    await simulation.load.start(plan)
                    return

    async def _feed(self) -> None:
        while True:
            published = [each.feed.publish_due() for each in self.applications.simulations]
            await asyncio.sleep(TICK if all(published) else SHORT_PAUSE)

    async def _senders(self) -> None:
        """Run a webhook sender for each application while the application exists."""
        running: dict[int, tuple[Simulation, asyncio.Task[None]]] = {}
        try:
            while True:
                simulations = {id(each): each for each in self.applications.simulations}
                for key in [key for key in running if key not in simulations]:
                    await _stop_sender(*running.pop(key))
                for key, simulation in simulations.items():
                    if key not in running:
                        running[key] = (simulation, asyncio.create_task(_run_forever(simulation.sender.run)))
                await asyncio.sleep(TICK)
        finally:
            for simulation, task in running.values():
                await _stop_sender(simulation, task)


async def _stop_sender(simulation: Simulation, task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    await simulation.sender.close()


async def _run_forever(job: Callable[[], Awaitable[None]]) -> None:
    """Run a job until canceled. An exception is logged, and the job starts again after a second."""
    while True:
        try:
            await job()
            return
        except Exception:  # noqa: BLE001 - no failure may stop the other jobs
            _log.exception("%s failed and starts again", job.__qualname__)
            await asyncio.sleep(1)

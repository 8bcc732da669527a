"""The heart of a running simulator: cars move on, webhooks are told, memory is saved."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from simulator.applications import Applications
from simulator.load.planning import make_plan
from simulator.state import Keeper
from simulator.world import World

_log = logging.getLogger("simulator")

BEAT = 0.25
BREATH = 0.02
CARS_EVERY = 0.5
REST = 4.0


class Heart:
    """Runs the world's clockwork until it is stopped."""

    def __init__(self, world: World, keeper: Keeper | None = None) -> None:
        self._world = world
        self._keeper = keeper
        self.applications = Applications(world)

    @asynccontextmanager
    async def beating(self) -> AsyncIterator[None]:
        """Beat while the block runs; save once more at its end."""
        jobs = [self._cars, self._feed, self._couriers]
        if self._world.settings.load:
            jobs.append(self._start_load)
        if self._keeper is not None:
            jobs.append(self._keeper.run)
        tasks = [asyncio.create_task(_kept_going(job)) for job in jobs]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            for task in tasks:
                with suppress(asyncio.CancelledError):
                    await task
            await self._world.load.stop()
            if self._keeper is not None:
                self._keeper.save()

    async def _cars(self) -> None:
        """Move the cars; a large world gets longer rests, so that it never takes more than a fifth of the time."""
        world = self._world
        while True:
            started = time.monotonic()
            changes = world.garage.advance(now=world.now())
            for each in self.applications.worlds:
                each.feed.notice(changes)
                each.watch.look()
            await asyncio.sleep(max(CARS_EVERY, REST * (time.monotonic() - started)))

    async def _start_load(self) -> None:
        """Start the load of the command line as soon as a car is subscribed to a verified webhook."""
        world = self._world
        while not world.load.running:
            await asyncio.sleep(0.5)
            subscribed = {each.webhook_id for each in world.webhooks.subscriptions.values()}
            for webhook in world.webhooks.by_id.values():
                if webhook.verified and webhook.id in subscribed:
                    plan = make_plan(
                        world, webhook, rate=world.settings.load, seconds=0, connections=64, everything=False
                    )
                    await world.load.start(plan)
                    return

    async def _feed(self) -> None:
        while True:
            told = [each.feed.beat() for each in self.applications.worlds]
            await asyncio.sleep(BEAT if all(told) else BREATH)

    async def _couriers(self) -> None:
        """Has a courier run for each application, as long as there is the application."""
        running: dict[int, tuple[World, asyncio.Task[None]]] = {}
        try:
            while True:
                worlds = {id(each): each for each in self.applications.worlds}
                for key in [key for key in running if key not in worlds]:
                    await _ended(*running.pop(key))
                for key, world in worlds.items():
                    if key not in running:
                        running[key] = (world, asyncio.create_task(_kept_going(world.courier.run)))
                await asyncio.sleep(BEAT)
        finally:
            for world, task in running.values():
                await _ended(world, task)


async def _ended(world: World, task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    await world.courier.close()


async def _kept_going(job: Callable[[], Awaitable[None]]) -> None:
    """Run a job until cancelled. A fault is logged, and does not stop the others or the job for good."""
    while True:
        try:
            await job()
            return
        except Exception:  # noqa: BLE001 - whatever it is, the cars must go on and the log must tell
            _log.exception("the simulator's %s stumbled and goes on", job.__qualname__)
            await asyncio.sleep(1)

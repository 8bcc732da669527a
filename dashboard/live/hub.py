"""Distributes changes to this process's open pages, with one reader per fleet, however many pages are open."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from time import monotonic
from typing import TypeVar
from weakref import WeakKeyDictionary

import orjson
from django.db import DatabaseError, connections
from django.utils import timezone
from redis.exceptions import RedisError

from core import pubsub
from core.pubsub import EventBatch, Subscriber
from dashboard.live.patches import Patch, RenderVariant, build_patch

Result = TypeVar("Result")
logger = logging.getLogger(__name__)

# Changes in quick succession are combined: users see no difference, and fewer patches are built.
COALESCE_SECONDS = 0.3
# The pause after a patch, relative to its duration: building patches uses at most a fifth of a core.
_COOLDOWN = 4
_MAX_COOLDOWN = 1.5
_WAIT_SECONDS = 10.0
# Pages receive an event at least this often, so that they detect a connection that broke silently.
HEARTBEAT_SECONDS = 15.0
# A client with this many unread events gets a resync instead.
_QUEUE_SIZE = 64
_HELLO = b"retry: 5000\nevent: heartbeat\ndata: {}\n\n"
_HEARTBEAT = b"event: heartbeat\ndata: {}\n\n"
_RESYNC = b"event: resync\ndata: {}\n\n"


@dataclass(eq=False)
class ClientStream:
    """An open page: a fleet page with its render variant and the IDs of its table rows, or one vehicle's page.

    `since` is the stream offset at which the page was rendered.
    """

    fleet_id: int
    since: str
    variant: RenderVariant | None = None
    rows: frozenset[int] = frozenset()
    vehicle_id: int | None = None
    events: asyncio.Queue[bytes | None] = field(default_factory=lambda: asyncio.Queue(_QUEUE_SIZE))

    def send(self, event: bytes | None) -> None:
        """Queues the event; None ends the stream. If the queue is full, a resync replaces its events."""
        if event is None or self.events.full():
            while not self.events.empty():
                self.events.get_nowait()
            event = event if event is None else _RESYNC
        self.events.put_nowait(event)


class Hub:
    """The open pages of one event loop."""

    def __init__(self) -> None:
        self._subscriber = Subscriber()
        self._pages: dict[int, set[ClientStream]] = {}
        self._readers: dict[int, asyncio.Task[None]] = {}
        self._threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="live")

    async def stream(self, page: ClientStream, *, seconds: float) -> AsyncIterator[bytes]:
        """Yields the page's events for this many seconds, or until changes can no longer be received."""
        deadline = monotonic() + seconds
        self._pages.setdefault(page.fleet_id, set()).add(page)
        try:
            await self._catch_up(page)
            yield _HELLO
            self._start_reading(page)
            while (remaining := deadline - monotonic()) > 0:
                event = await self._next(page, seconds=min(remaining, HEARTBEAT_SECONDS))
                if event is None:
                    return
                yield event
        except (RedisError, OSError, DatabaseError) as error:
            logger.warning("A live page polls for now (%s).", type(error).__name__)
        finally:
            self._leave(page)

    async def _next(self, page: ClientStream, *, seconds: float) -> bytes | None:
        try:
            async with asyncio.timeout(seconds):
                return await page.events.get()
        except TimeoutError:
            return _HEARTBEAT

    def _start_reading(self, page: ClientStream) -> None:
        if page.fleet_id not in self._readers:
            reader = asyncio.get_running_loop().create_task(self._read(page.fleet_id, page.since))
            self._readers[page.fleet_id] = reader

    def _leave(self, page: ClientStream) -> None:
        pages = self._pages.get(page.fleet_id, set())
        pages.discard(page)
        if not pages:
            self._pages.pop(page.fleet_id, None)
            reader = self._readers.pop(page.fleet_id, None)
            if reader is not None:
                reader.cancel()

    async def _catch_up(self, page: ClientStream) -> None:
        """Sends the page what changed since it was rendered, or since its connection broke."""
        batch = await self._subscriber.read(fleet_id=page.fleet_id, since=page.since)
        page.since = batch.offset
        if not batch.complete:
            page.send(_RESYNC)
        else:
            await self._notify(page.fleet_id, batch, {page})

    async def _read(self, fleet_id: int, since: str) -> None:
        """Reads a fleet's changes while at least one page is open."""
        try:
            while True:
                batch = await self._subscriber.read(fleet_id=fleet_id, since=since, wait=_WAIT_SECONDS)
                if batch.events:
                    await asyncio.sleep(COALESCE_SECONDS)
                    batch = await self._subscriber.read(fleet_id=fleet_id, since=since)
                since = batch.offset
                pages = set(self._pages.get(fleet_id, ()))
                if not batch.complete:
                    self._broadcast(pages, _RESYNC)
                    since = await self._run_in_thread(partial(pubsub.current_offset, fleet_id=fleet_id))
                started = monotonic()
                await self._notify(fleet_id, batch, pages)
                await asyncio.sleep(min(_MAX_COOLDOWN, _COOLDOWN * (monotonic() - started)))
        except (RedisError, OSError, DatabaseError) as error:
            logger.warning("Live pages poll for now (%s).", type(error).__name__)
            self._broadcast(self._pages.get(fleet_id, set()), None)
        finally:
            if self._readers.get(fleet_id) is asyncio.current_task():
                del self._readers[fleet_id]

    def _broadcast(self, pages: set[ClientStream], event: bytes | None) -> None:
        for page in set(pages):
            page.send(event)

    async def _notify(self, fleet_id: int, batch: EventBatch, pages: set[ClientStream]) -> None:
        ids = frozenset().union(*(event.vehicle_ids for event in batch.events))
        if not ids or not pages:
            return
        self._broadcast(
            {page for page in pages if page.vehicle_id in ids}, _event("vehicle", {}, offset=batch.offset)
        )
        fleet_pages = {page for page in pages if page.variant is not None}
        if not fleet_pages:
            return
        shown: dict[RenderVariant, set[int]] = {}
        for page in fleet_pages:
            if page.variant is not None and page.rows & ids:
                shown.setdefault(page.variant, set()).update(page.rows & ids)
        work = partial(build_patch, fleet_id=fleet_id, vehicle_ids=ids, shown=shown, now=timezone.now())
        patch = await self._run_in_thread(work)
        if patch is not None:
            _distribute(patch, fleet_pages, ids, offset=batch.offset)

    async def _run_in_thread(self, work: Callable[[], Result]) -> Result:
        """Runs blocking work in a thread, and returns its database connection to the pool."""

        def run() -> Result:
            try:
                return work()
            finally:
                connections.close_all()

        return await asyncio.get_running_loop().run_in_executor(self._threads, run)


def _distribute(patch: Patch, pages: set[ClientStream], ids: frozenset[int], *, offset: str) -> None:
    for_all = _event(
        "fleet", {"vehicles": patch.vehicles, "gone": patch.gone, "counts": patch.counts}, offset=offset
    )
    for page in pages:
        rows = {
            str(vehicle_id): patch.rows[(page.variant, vehicle_id)]
            for vehicle_id in page.rows & ids
            if page.variant is not None and (page.variant, vehicle_id) in patch.rows
        }
        page.send((_event("rows", rows, offset=offset) if rows else b"") + for_all)


def _event(name: str, data: object, *, offset: str) -> bytes:
    """Returns one event; `offset` is where a page resumes after its connection broke."""
    return b"id: %b\nevent: %b\ndata: %b\n\n" % (offset.encode(), name.encode(), orjson.dumps(data))


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


def hub() -> Hub:
    """Returns the hub of the running event loop."""
    loop = asyncio.get_running_loop()
    with suppress(KeyError):
        return _hubs[loop]
    created = _hubs[loop] = Hub()
    return created

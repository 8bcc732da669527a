"""Inserts deliveries in groups: all that arrive while the previous group is written to disk.

A commit takes milliseconds, most of it waiting for the disk, and hardly longer for a hundred rows than for one. So
groups grow with the load, and a single delivery is inserted immediately.
"""

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Callable, Sequence

import psycopg
from django.db import connections
from psycopg import sql

from webhooks.models import InboxEntry
from webhooks.receiver import VerifiedDelivery

logger = logging.getLogger(__name__)

# Concurrent inserts: one is prepared while another waits for the disk.
INSERT_WORKERS = 2
# Limits of one insert. Further deliveries wait for the next one.
GROUP_ENTRIES = 500
GROUP_BYTES = 4 * 1024 * 1024
# The limit for all waiting deliveries. Above it, Smartcar is asked to send again.
WAITING_BYTES = 64 * 1024 * 1024
# And for those of one application, so that one sender can't keep out the others.
APPLICATION_BYTES = WAITING_BYTES // 2
# Smartcar gives up after 15 s.
CONNECT_SECONDS = 4
INSERT_SECONDS = 5.0


_Waiting = tuple[VerifiedDelivery, asyncio.Future[None]]


class StorageUnavailableError(Exception):
    """The delivery may not be stored, so Smartcar should send it again."""


class InsertWorker:
    """One database connection, with one insert at a time."""

    def __init__(self) -> None:
        self._connection: psycopg.AsyncConnection | None = None
        self._statement = _statement()

    async def insert(self, deliveries: Sequence[VerifiedDelivery]) -> None:
        """Inserts the deliveries. Retries once on a new connection if the existing one failed, as after a restart.

        If the first attempt was committed nevertheless, the rows exist twice, and processing detects the duplicates.
        Raises psycopg.Error, OSError, TimeoutError.
        """
        if self._connection is not None:
            try:
                return await self._execute(deliveries)
            except (psycopg.OperationalError, psycopg.InterfaceError):
                await self.disconnect()
        await self._execute(deliveries)
        return None

    async def disconnect(self) -> None:
        """Closes the connection. The next insert opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def _execute(self, deliveries: Sequence[VerifiedDelivery]) -> None:
        try:
            if self._connection is None:
                self._connection = await _connect()
            async with asyncio.timeout(INSERT_SECONDS):
                await self._connection.execute(
                    self._statement,
                    (
                        [delivery.received_at for delivery in deliveries],
                        [delivery.body for delivery in deliveries],
                        [delivery.application_id for delivery in deliveries],
                        [delivery.key_fingerprint for delivery in deliveries],
                    ),
                    prepare=False,
                )
        except BaseException:
            await self.disconnect()
            raise


class Writer:
    """Stores deliveries for one event loop. `stored` is called after each group."""

    def __init__(self, stored: Callable[[], None]) -> None:
        self._stored = stored
        self._waiting: deque[_Waiting] = deque()
        self._waiting_bytes: Counter[int | None] = Counter()
        self._idle = [InsertWorker() for _ in range(INSERT_WORKERS)]
        self._writing: set[asyncio.Task[None]] = set()

    async def store(self, delivery: VerifiedDelivery) -> None:
        """Stores the delivery, and returns once it is on disk. Raises `StorageUnavailableError`."""
        size, waiting = len(delivery.body), self._waiting_bytes
        if waiting.total() + size > WAITING_BYTES:
            raise StorageUnavailableError
        if waiting[delivery.application_id] + size > APPLICATION_BYTES:
            raise StorageUnavailableError
        loop = asyncio.get_running_loop()
        done = loop.create_future()
        self._waiting.append((delivery, done))
        waiting[delivery.application_id] += size
        if self._idle:
            task = loop.create_task(self._write(self._idle.pop()))
            self._writing.add(task)
            task.add_done_callback(self._writing.discard)
        await done

    async def close(self) -> None:
        """Waits for running inserts and closes the connections."""
        await asyncio.gather(*self._writing)
        for worker in self._idle:
            await worker.disconnect()

    async def _write(self, worker: InsertWorker) -> None:
        """Inserts groups until no delivery is waiting."""
        try:
            await asyncio.sleep(0)  # lets other ready requests join the group
            while group := self._next_group():
                await self._write_group(worker, group)
        finally:
            self._idle.append(worker)

    def _next_group(self) -> list[_Waiting]:
        group: list[_Waiting] = []
        size = 0
        while self._waiting and len(group) < GROUP_ENTRIES and size < GROUP_BYTES:
            delivery, done = self._waiting.popleft()
            size += len(delivery.body)
            self._waiting_bytes[delivery.application_id] -= len(delivery.body)
            group.append((delivery, done))
        return group

    async def _write_group(self, worker: InsertWorker, group: Sequence[_Waiting]) -> None:
        try:
            await worker.insert([delivery for delivery, _ in group])
        except Exception as error:  # noqa: BLE001  every request of the group needs a response
            logger.error("%s deliveries could not be stored: %s", len(group), type(error).__name__)
            for _, done in group:
                if not done.done():
                    done.set_exception(StorageUnavailableError())
            return
        for _, done in group:
            if not done.done():  # the client may have disconnected
                done.set_result(None)
        self._stored()


def _statement() -> sql.Composed:
    """Returns the INSERT for parallel arrays. Columns that a delivery doesn't provide get the model's defaults."""
    provided = ("received_at", "body", "application_id", "key_fingerprint")
    defaults = InboxEntry()
    others = [
        field
        for field in InboxEntry._meta.concrete_fields
        if field.attname not in provided and not field.primary_key and not field.has_db_default()
    ]
    columns = [sql.Identifier(name) for name in (*provided, *(field.attname for field in others))]
    values = [field.get_prep_value(getattr(defaults, field.attname)) for field in others]
    return sql.SQL(
        "INSERT INTO {table} ({columns}) SELECT {rows} "
        "FROM unnest(%b::timestamptz[], %b::bytea[], %b::bigint[], %b::text[]) AS come"
    ).format(
        table=sql.Identifier(InboxEntry._meta.db_table),
        columns=sql.SQL(", ").join(columns),
        rows=sql.SQL(", ").join([sql.SQL("come.*"), *(sql.Literal(value) for value in values)]),
    )


async def _connect() -> psycopg.AsyncConnection:
    """Connects to Django's database, with synchronous commit even if that isn't the server's default."""
    parameters = connections["default"].get_connection_params()
    for name in ("cursor_factory", "context", "prepare_threshold"):  # only for Django's own connections
        parameters.pop(name, None)
    connection = await psycopg.AsyncConnection.connect(
        **parameters, autocommit=True, connect_timeout=CONNECT_SECONDS
    )
    await connection.execute(
        "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
    )
    return connection

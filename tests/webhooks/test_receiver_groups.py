"""Storing in groups: one insert for many deliveries, and failures of the database."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.utils import timezone

from webhooks import writer
from webhooks.models import InboxEntry
from webhooks.receiver import VerifiedDelivery
from webhooks.writer import InsertWorker, StorageUnavailableError, Writer

pytestmark = pytest.mark.django_db(transaction=True)


def verified_delivery(body: bytes = b"{}") -> VerifiedDelivery:
    return VerifiedDelivery(body=body, application_id=None, key_fingerprint="key", received_at=timezone.now())


def with_writer(work: Callable[[Writer], Awaitable[Any]]) -> tuple[Any, int]:
    """Returns the result of `work`, and the number of stored groups."""
    groups: list[None] = []

    async def run() -> Any:
        inbox_writer = Writer(stored=lambda: groups.append(None))
        try:
            return await work(inbox_writer)
        finally:
            await inbox_writer.close()

    return asyncio.run(run()), len(groups)


def test_simultaneous_deliveries_are_stored_unchanged_by_one_insert() -> None:
    bodies = [bytes([number]) * number * 50 for number in range(100)]

    async def work(inbox_writer: Writer) -> None:
        await asyncio.gather(*(inbox_writer.store(verified_delivery(body)) for body in bodies))

    _, groups = with_writer(work)
    assert groups == 1
    assert [bytes(entry.body) for entry in InboxEntry.objects.order_by("id")] == bodies


def test_group_size_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "GROUP_ENTRIES", 10)

    async def work(inbox_writer: Writer) -> None:
        await asyncio.gather(*(inbox_writer.store(verified_delivery()) for _ in range(25)))

    _, groups = with_writer(work)
    assert (groups, InboxEntry.objects.count()) == (3, 25)


@pytest.mark.parametrize(("workers", "expected"), [(1, 2), (2, 3)])
def test_deliveries_during_an_insert_form_the_next_group(
    monkeypatch: pytest.MonkeyPatch, workers: int, expected: int
) -> None:
    """With two workers, the second takes the next delivery, and later ones wait for either."""
    monkeypatch.setattr(writer, "INSERT_WORKERS", workers)

    async def work(inbox_writer: Writer) -> None:
        pending = []
        for _ in range(workers):
            pending.append(asyncio.ensure_future(inbox_writer.store(verified_delivery(b"first"))))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        await asyncio.gather(*pending, *(inbox_writer.store(verified_delivery()) for _ in range(5)))

    _, groups = with_writer(work)
    assert (groups, InboxEntry.objects.count()) == (expected, workers + 5)


def test_insert_has_full_durability_even_if_the_server_has_not() -> None:
    async def setting() -> str:
        worker = InsertWorker()
        await worker.insert([verified_delivery()])
        assert worker._connection is not None
        row = await (await worker._connection.execute("SHOW synchronous_commit")).fetchone()
        await worker.disconnect()
        return str(row and row[0])

    with connection.cursor() as cursor:
        cursor.execute("SHOW synchronous_commit")
        assert cursor.fetchone() == ("off",), "the tests' server is set to lose its last moments"
    assert asyncio.run(setting()) == "on"


def test_broken_connection_is_replaced() -> None:
    async def work() -> None:
        worker = InsertWorker()
        await worker.insert([verified_delivery(b"before")])
        assert worker._connection is not None
        await asyncio.to_thread(_terminate, worker._connection.info.backend_pid)
        await worker.insert([verified_delivery(b"after")])
        await worker.disconnect()

    asyncio.run(work())
    assert InboxEntry.objects.count() == 2


def _terminate(pid: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    connection.close()


def test_failed_insert_is_reported_to_the_whole_group_and_the_next_group_succeeds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connect = writer._connect

    async def refused() -> psycopg.AsyncConnection:
        raise psycopg.OperationalError

    async def work(inbox_writer: Writer) -> list[BaseException | None]:
        monkeypatch.setattr(writer, "_connect", refused)
        answers = await asyncio.gather(
            *(inbox_writer.store(verified_delivery()) for _ in range(3)), return_exceptions=True
        )
        monkeypatch.setattr(writer, "_connect", connect)
        await inbox_writer.store(verified_delivery())
        return answers

    answers, groups = with_writer(work)
    assert [type(answer) for answer in answers] == [StorageUnavailableError] * 3
    assert (groups, InboxEntry.objects.count()) == (1, 1)


def test_hanging_database_is_abandoned_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "INSERT_SECONDS", 0.2)

    async def work(inbox_writer: Writer) -> None:
        await inbox_writer.store(verified_delivery())
        with locked_inbox(), pytest.raises(StorageUnavailableError):
            await inbox_writer.store(verified_delivery())
        await inbox_writer.store(verified_delivery())

    with_writer(work)
    assert InboxEntry.objects.count() == 2


class locked_inbox:
    """Locks the inbox against other writers for the duration of the block."""

    def __enter__(self) -> None:
        parameters = connection.get_connection_params()
        for name in ("cursor_factory", "context"):
            parameters.pop(name, None)
        self._holder = psycopg.connect(**parameters)
        self._holder.execute("LOCK TABLE webhooks_inboxentry")

    def __exit__(self, *_: object) -> None:
        self._holder.close()


def test_waiting_deliveries_are_limited_by_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "WAITING_BYTES", 100)

    async def work(inbox_writer: Writer) -> list[BaseException | None]:
        return await asyncio.gather(
            *(inbox_writer.store(verified_delivery(b"x" * 40)) for _ in range(3)), return_exceptions=True
        )

    answers, _ = with_writer(work)
    assert [type(answer) for answer in answers] == [type(None), type(None), StorageUnavailableError]
    assert InboxEntry.objects.count() == 2


def test_canceled_delivery_does_not_affect_the_others_of_its_group() -> None:
    async def work(inbox_writer: Writer) -> None:
        canceled = asyncio.ensure_future(inbox_writer.store(verified_delivery(b"of somebody gone")))
        waiting = asyncio.ensure_future(inbox_writer.store(verified_delivery(b"of somebody waiting")))
        await asyncio.sleep(0)
        canceled.cancel()
        await waiting

    _, groups = with_writer(work)
    assert (groups, InboxEntry.objects.count()) == (1, 2)

"""Storing by groups: one insert for many deliveries, and what happens when the database does not play along."""

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


def arrival(body: bytes = b"{}") -> VerifiedDelivery:
    return VerifiedDelivery(body=body, application_id=None, key_fingerprint="key", received_at=timezone.now())


def with_writer(work: Callable[[Writer], Awaitable[Any]]) -> tuple[Any, int]:
    """What `work` returns, and how many groups were stored."""
    groups: list[None] = []

    async def run() -> Any:
        used = Writer(stored=lambda: groups.append(None))
        try:
            return await work(used)
        finally:
            await used.close()

    return asyncio.run(run()), len(groups)


def test_deliveries_that_arrive_together_are_stored_by_one_insert_each_as_it_came() -> None:
    bodies = [bytes([number]) * number * 50 for number in range(100)]

    async def work(used: Writer) -> None:
        await asyncio.gather(*(used.store(arrival(body)) for body in bodies))

    _, groups = with_writer(work)
    assert groups == 1
    assert [bytes(entry.body) for entry in InboxEntry.objects.order_by("id")] == bodies


def test_a_group_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "GROUP_ENTRIES", 10)

    async def work(used: Writer) -> None:
        await asyncio.gather(*(used.store(arrival()) for _ in range(25)))

    _, groups = with_writer(work)
    assert (groups, InboxEntry.objects.count()) == (3, 25)


@pytest.mark.parametrize(("lanes", "expected"), [(1, 2), (2, 3)])
def test_what_arrives_during_an_insert_makes_the_next_group(
    monkeypatch: pytest.MonkeyPatch, lanes: int, expected: int
) -> None:
    """With two lanes the second takes the next one along, and what comes then waits for either."""
    monkeypatch.setattr(writer, "INSERT_WORKERS", lanes)

    async def work(used: Writer) -> None:
        begun = []
        for _ in range(lanes):
            begun.append(asyncio.ensure_future(used.store(arrival(b"first"))))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        await asyncio.gather(*begun, *(used.store(arrival()) for _ in range(5)))

    _, groups = with_writer(work)
    assert (groups, InboxEntry.objects.count()) == (expected, lanes + 5)


def test_the_insert_is_at_full_durability_even_where_the_server_is_not() -> None:
    async def setting() -> str:
        lane = InsertWorker()
        await lane.insert([arrival()])
        assert lane._connection is not None
        row = await (await lane._connection.execute("SHOW synchronous_commit")).fetchone()
        await lane.disconnect()
        return str(row and row[0])

    with connection.cursor() as cursor:
        cursor.execute("SHOW synchronous_commit")
        assert cursor.fetchone() == ("off",), "the tests' server is set to lose its last moments"
    assert asyncio.run(setting()) == "on"


def test_a_connection_that_broke_meanwhile_is_made_anew_unnoticed() -> None:
    async def work() -> None:
        lane = InsertWorker()
        await lane.insert([arrival(b"before")])
        assert lane._connection is not None
        await asyncio.to_thread(_terminate, lane._connection.info.backend_pid)
        await lane.insert([arrival(b"after")])
        await lane.disconnect()

    asyncio.run(work())
    assert InboxEntry.objects.count() == 2


def _terminate(pid: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    connection.close()


def test_all_of_a_group_are_told_when_it_could_not_be_stored_and_the_next_one_is_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connect = writer._connect

    async def refused() -> psycopg.AsyncConnection:
        raise psycopg.OperationalError

    async def work(used: Writer) -> list[BaseException | None]:
        monkeypatch.setattr(writer, "_connect", refused)
        answers = await asyncio.gather(*(used.store(arrival()) for _ in range(3)), return_exceptions=True)
        monkeypatch.setattr(writer, "_connect", connect)
        await used.store(arrival())
        return answers

    answers, groups = with_writer(work)
    assert [type(answer) for answer in answers] == [StorageUnavailableError] * 3
    assert (groups, InboxEntry.objects.count()) == (1, 1)


def test_a_database_that_hangs_is_given_up_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "INSERT_SECONDS", 0.2)

    async def work(used: Writer) -> None:
        await used.store(arrival())
        with connection_holding_the_table(), pytest.raises(StorageUnavailableError):
            await used.store(arrival())
        await used.store(arrival())

    with_writer(work)
    assert InboxEntry.objects.count() == 2


class connection_holding_the_table:
    """Nobody else can write to the inbox while the block runs."""

    def __enter__(self) -> None:
        parameters = connection.get_connection_params()
        for name in ("cursor_factory", "context"):
            parameters.pop(name, None)
        self._holder = psycopg.connect(**parameters)
        self._holder.execute("LOCK TABLE webhooks_inboxentry")

    def __exit__(self, *_: object) -> None:
        self._holder.close()


def test_no_more_waits_for_the_disk_than_memory_has_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "WAITING_BYTES", 100)

    async def work(used: Writer) -> list[BaseException | None]:
        return await asyncio.gather(
            *(used.store(arrival(b"x" * 40)) for _ in range(3)), return_exceptions=True
        )

    answers, _ = with_writer(work)
    assert [type(answer) for answer in answers] == [type(None), type(None), StorageUnavailableError]
    assert InboxEntry.objects.count() == 2


def test_a_sender_that_goes_while_its_delivery_is_written_disturbs_nobody() -> None:
    async def work(used: Writer) -> None:
        gone = asyncio.ensure_future(used.store(arrival(b"of somebody gone")))
        stays = asyncio.ensure_future(used.store(arrival(b"of somebody waiting")))
        await asyncio.sleep(0)
        gone.cancel()
        await stays

    _, groups = with_writer(work)
    assert (groups, InboxEntry.objects.count()) == (1, 2)

"""Reading request bodies: size, time, and effort."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from core.request_body import ClientDisconnectedError, declared_length, read_body


class Sender:
    """A client that sends these chunks, and then waits forever."""

    def __init__(self, *chunks: bytes, ends: bool = True) -> None:
        self.messages: list[Mapping[str, Any]] = [
            {"type": "http.request", "body": chunk, "more_body": not ends or index < len(chunks) - 1}
            for index, chunk in enumerate(chunks)
        ]
        self.received = 0

    async def receive(self) -> Mapping[str, Any]:
        if self.received == len(self.messages):
            await asyncio.Event().wait()
        self.received += 1
        return self.messages[self.received - 1]


def read(sender: Sender, *, limit: int = 100, seconds: float = 5) -> bytes:
    return asyncio.run(read_body(sender.receive, limit=limit, seconds=seconds))


def test_chunks_are_joined() -> None:
    assert read(Sender(b"one ", b"", b"two")) == b"one two"


def test_reading_stops_after_the_limit() -> None:
    sender = Sender(*[b"x" * 60] * 10)
    assert len(read(sender)) > 100
    assert sender.received == 2


def test_a_body_that_does_not_arrive_ends_in_a_timeout() -> None:
    with pytest.raises(TimeoutError):
        read(Sender(b"x", ends=False), seconds=0.05)


def test_a_client_that_disconnects_is_reported() -> None:
    sender = Sender()
    sender.messages = [{"type": "http.disconnect"}]
    with pytest.raises(ClientDisconnectedError):
        read(sender)


def test_a_megabyte_in_single_bytes_is_read_in_linear_time() -> None:
    # Copying the body for each chunk would move 500 GB.
    size = 2**20
    message = {"type": "http.request", "body": b"x", "more_body": True}
    left = size

    async def receive() -> Mapping[str, Any]:
        nonlocal left
        left -= 1
        return message if left else message | {"more_body": False}

    assert len(asyncio.run(read_body(receive, limit=size, seconds=300))) == size


@pytest.mark.parametrize(
    ("header", "length"),
    [
        (b"", 0),
        (b"12", 12),
        (b"0" * 5000 + b"12", 12),
        (b"-1", 0),
        (b"+1", 0),
        (b"1_0", 0),
        (b"x", 0),
        ("²".encode(), 0),
        (b"9" * 4300, 10**18),
        (b"9" * 10_000, 10**18),
    ],
)
def test_declared_length(header: bytes, length: int) -> None:
    assert declared_length(header) == length

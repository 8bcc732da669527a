"""Reads the body of an ASGI request with a limit on its size and on the time that the client may take."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

Receive = Callable[[], Awaitable[Mapping[str, Any]]]
# A length with more digits exceeds every limit. Python refuses to convert texts with thousands of them.
_MAX_DIGITS = 18


class ClientDisconnectedError(Exception):
    """The client disconnected before the body was complete, so there is no one to respond to."""


def declared_length(header: bytes) -> int:
    """Returns the length that Content-Length declares, capped at 10^18; 0 if the header is absent or malformed."""
    if not header.isdigit():
        return 0
    digits = header.lstrip(b"0")
    return int(digits or b"0") if len(digits) <= _MAX_DIGITS else 10**_MAX_DIGITS


async def read_body(receive: Receive, *, limit: int, seconds: float) -> bytes:
    """Returns the body, truncated once it exceeds `limit` bytes; the time is linear in its size.

    Raises TimeoutError if the body isn't complete after `seconds`, and ClientDisconnectedError.
    """
    body = bytearray()
    async with asyncio.timeout(seconds):
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnectedError
            body += message.get("body", b"")
            if not message.get("more_body") or len(body) > limit:
                return bytes(body)

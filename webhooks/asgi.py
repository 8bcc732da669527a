"""Serves the callback URL with a small ASGI application in front of Django.

Deliveries don't need Django's middleware, which would be most of the work at thousands of requests per second.
`webhooks.receiver` decides how to respond, as it does for the Django view.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from http import HTTPStatus
from typing import Any, TypeVar

import orjson
from django.db import DatabaseError, connections

from core.task_queue import enqueue
from webhooks import keys, receiver
from webhooks.keys import SigningKey
from webhooks.receiver import WebhookResponse
from webhooks.rejections import FLUSH_SECONDS
from webhooks.writer import StorageUnavailableError, Writer

Result = TypeVar("Result")
Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Application = Callable[[Any, Any, Any], Awaitable[None]]

# Smartcar waits 15 s for a response. A slower sender is not Smartcar, or has given up.
READ_SECONDS = 15.0
KEYS_SECONDS = 5.0
# The task is enqueued at once, and then at most this often, since one task processes everything in the inbox.
ENQUEUE_SECONDS = 0.05

_SLOW = WebhookResponse(HTTPStatus.REQUEST_TIMEOUT, {"error": "The body did not arrive in time."})
_WRONG_METHOD = WebhookResponse(HTTPStatus.METHOD_NOT_ALLOWED, {"error": "Deliveries are posted here."})
_JSON = (b"content-type", b"application/json")
_ALLOW = (b"allow", b"POST")


class _ClientDisconnectedError(Exception):
    """The client disconnected before the body was complete, so there is nothing to store and no one to respond to."""


class WebhookMiddleware:
    """Handles requests to `path`, with or without a trailing slash, and passes everything else to `app`."""

    def __init__(self, *, path: str, otherwise: Application) -> None:
        # The slash is easily left out in Smartcar's dashboard. Django would redirect, and Smartcar wouldn't follow.
        self._paths = (path, path.rstrip("/"))
        self._otherwise = otherwise
        self._desk: DeliveryHandler | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI entry point. Lifespan events are optional."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http" and scope["path"] in self._paths:
            if self._desk is None:
                self._desk = DeliveryHandler()
            await _respond(send, await self._desk.take(scope, receive))
        else:
            await self._otherwise(scope, receive, send)

    async def close(self) -> None:
        """Finishes pending work. A later request creates a new handler."""
        desk, self._desk = self._desk, None
        if desk is not None:
            await desk.close()

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.shutdown":
                await self.close()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return


class DeliveryHandler:
    """Receives deliveries in one event loop."""

    def __init__(self) -> None:
        self._writer = Writer(stored=self._ring)
        self._keys: tuple[SigningKey, ...] | None = None
        self._keys_until = 0.0
        self._aside: set[asyncio.Task[None]] = set()
        self._ringing = self._ring_again = self._counting = False

    async def take(self, scope: Scope, receive: Receive) -> WebhookResponse | None:
        """Returns the response to one request, or None if the client has disconnected."""
        if scope["method"] != "POST":
            return _WRONG_METHOD
        length, signed = _headers(scope)
        if length > receiver.BODY_LIMIT:
            return self._counted(receiver.too_large())
        try:
            async with asyncio.timeout(READ_SECONDS):
                body = await _body(receive)
        except TimeoutError:
            return _SLOW
        except _ClientDisconnectedError:
            return None
        try:
            judged = receiver.verify_request(raw=body, signed=signed, known=await self._known())
            if isinstance(judged, WebhookResponse):
                return self._counted(judged)
            await self._writer.store(judged)
        except (StorageUnavailableError, DatabaseError):
            return receiver.UNAVAILABLE
        return receiver.RECEIVED

    async def close(self) -> None:
        """Finishes pending inserts, enqueues their processing and flushes the counters."""
        await self._writer.close()
        await _run_in_thread(receiver.flush_counters)
        while self._ringing:
            await asyncio.sleep(ENQUEUE_SECONDS)

    async def _known(self) -> tuple[SigningKey, ...]:
        """Returns the signing keys, a few seconds old at most under load.

        Loading them may query the database. After the first time that happens in the background, so that no request
        waits for it.
        """
        now = asyncio.get_running_loop().time()
        if self._keys is None:
            await self._learn_keys()
        elif now > self._keys_until:
            self._keys_until = now + KEYS_SECONDS
            self._start(self._relearn_keys())
        return self._keys or ()

    async def _learn_keys(self) -> None:
        self._keys = await _run_in_thread(keys.current)
        self._keys_until = asyncio.get_running_loop().time() + KEYS_SECONDS

    async def _relearn_keys(self) -> None:
        with contextlib.suppress(DatabaseError):  # the cached keys remain in use
            await self._learn_keys()

    def _ring(self) -> None:
        self._ring_again = True
        if not self._ringing:
            self._ringing = True
            self._start(self._ring_while_asked())

    async def _ring_while_asked(self) -> None:
        try:
            while self._ring_again:
                self._ring_again = False
                await _run_in_thread(lambda: enqueue(receiver.PROCESSING_TASK))
                await asyncio.sleep(ENQUEUE_SECONDS)
        finally:
            self._ringing = False

    def _counted(self, receipt: WebhookResponse) -> WebhookResponse:
        """Schedules a flush of the counters for a second later, and returns the response."""
        if not self._counting:
            self._counting = True
            self._start(self._write_counts())
        return receipt

    async def _write_counts(self) -> None:
        try:
            await asyncio.sleep(FLUSH_SECONDS)
        finally:
            self._counting = False
        await _run_in_thread(receiver.flush_counters)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        """Runs a coroutine in the background. The event loop keeps only weak references to its tasks."""
        task = asyncio.get_running_loop().create_task(work)
        self._aside.add(task)
        task.add_done_callback(self._aside.discard)


async def _run_in_thread(work: Callable[[], Result]) -> Result:
    """Runs blocking work in a thread, and closes the thread's database connections afterwards."""

    def run() -> Result:
        try:
            return work()
        finally:
            connections.close_all()

    return await asyncio.get_running_loop().run_in_executor(None, run)


def _headers(scope: Scope) -> tuple[int, str]:
    """Returns Content-Length (0 if absent; the body is measured as it arrives) and SC-Signature."""
    length, signed = b"", b""
    for name, value in scope["headers"]:
        if name == b"sc-signature":
            signed = value
        elif name == b"content-length":
            length = value
    return int(length) if length.isdigit() else 0, signed.decode("latin-1")


async def _body(receive: Receive) -> bytes:
    """Returns the body, truncated once it exceeds the limit. Raises `_ClientDisconnectedError`."""
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _ClientDisconnectedError
        chunk: bytes = message.get("body", b"")
        body = body + chunk if body else chunk
        if not message.get("more_body") or len(body) > receiver.BODY_LIMIT:
            return body


async def _respond(send: Send, receipt: WebhookResponse | None) -> None:
    if receipt is None:
        return
    body = orjson.dumps(receipt.body)
    headers = [_JSON, (b"content-length", b"%d" % len(body))]
    if receipt is _WRONG_METHOD:
        headers.append(_ALLOW)
    await send({"type": "http.response.start", "status": int(receipt.status), "headers": headers})
    await send({"type": "http.response.body", "body": body})

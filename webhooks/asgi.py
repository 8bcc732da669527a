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

from core import request_body
from core.request_body import ClientDisconnectedError, Receive
from core.task_queue import enqueue
from webhooks import keys, receiver
from webhooks.keys import SigningKey
from webhooks.receiver import WebhookResponse
from webhooks.rejections import FLUSH_SECONDS
from webhooks.writer import StorageUnavailableError, Writer

Result = TypeVar("Result")
Scope = Mapping[str, Any]
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


class WebhookMiddleware:
    """Handles requests to `path`, with or without a trailing slash, and passes everything else to `app`.

    `on_startup` runs in a thread when the server starts.
    """

    def __init__(self, *, path: str, app: Application, on_startup: Callable[[], None]) -> None:
        # The slash is easily left out in Smartcar's dashboard. Django would redirect, and Smartcar wouldn't follow.
        self._paths = (path, path.rstrip("/"))
        self._app = app
        self._on_startup = on_startup
        self._handler: DeliveryHandler | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI entry point. Lifespan events are optional."""
        if scope["type"] == "lifespan":
            await self._handle_lifespan(receive, send)
        elif scope["type"] == "http" and scope["path"] in self._paths:
            if self._handler is None:
                self._handler = DeliveryHandler()
            await _respond(send, await self._handler.handle(scope, receive))
        else:
            await self._app(scope, receive, send)

    async def close(self) -> None:
        """Finishes pending work. A later request creates a new handler."""
        handler, self._handler = self._handler, None
        if handler is not None:
            await handler.close()

    async def _handle_lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await _run_in_thread(self._on_startup)
            else:
                await self.close()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return


class DeliveryHandler:
    """Receives deliveries in one event loop."""

    def __init__(self) -> None:
        self._writer = Writer(stored=self._request_processing)
        self._keys: tuple[SigningKey, ...] | None = None
        self._keys_until = 0.0
        self._background_tasks: set[asyncio.Task[None]] = set()
        self._enqueueing = self._enqueue_again = self._flush_scheduled = False

    async def handle(self, scope: Scope, receive: Receive) -> WebhookResponse | None:
        """Returns the response to one request, or None if the client has disconnected."""
        if scope["method"] != "POST":
            return _WRONG_METHOD
        length, signed = _headers(scope)
        if length > receiver.BODY_LIMIT:
            return self._with_flush(receiver.too_large())
        try:
            body = await request_body.read_body(receive, limit=receiver.BODY_LIMIT, seconds=READ_SECONDS)
        except TimeoutError:
            return _SLOW
        except ClientDisconnectedError:
            return None
        try:
            result = receiver.verify_request(raw=body, signed=signed, known=await self._signing_keys())
            if isinstance(result, WebhookResponse):
                return self._with_flush(result)
            await self._writer.store(result)
        except (StorageUnavailableError, DatabaseError):
            return receiver.UNAVAILABLE
        return receiver.RECEIVED

    async def close(self) -> None:
        """Finishes pending inserts, enqueues their processing and flushes the counters."""
        await self._writer.close()
        await _run_in_thread(receiver.flush_counters)
        while self._enqueueing:
            await asyncio.sleep(ENQUEUE_SECONDS)

    async def _signing_keys(self) -> tuple[SigningKey, ...]:
        """Returns the signing keys, a few seconds old at most under load.

        Loading them may query the database. After the first time that happens in the background, so that no request
        waits for it.
        """
        now = asyncio.get_running_loop().time()
        if self._keys is None:
            await self._load_keys()
        elif now > self._keys_until:
            self._keys_until = now + KEYS_SECONDS
            self._run_in_background(self._reload_keys())
        return self._keys or ()

    async def _load_keys(self) -> None:
        self._keys = await _run_in_thread(keys.current)
        self._keys_until = asyncio.get_running_loop().time() + KEYS_SECONDS

    async def _reload_keys(self) -> None:
        with contextlib.suppress(DatabaseError):  # the cached keys remain in use
            await self._load_keys()

    def _request_processing(self) -> None:
        self._enqueue_again = True
        if not self._enqueueing:
            self._enqueueing = True
            self._run_in_background(self._enqueue_repeatedly())

    async def _enqueue_repeatedly(self) -> None:
        try:
            while self._enqueue_again:
                self._enqueue_again = False
                await _run_in_thread(lambda: enqueue(receiver.PROCESSING_TASK))
                await asyncio.sleep(ENQUEUE_SECONDS)
        finally:
            self._enqueueing = False

    def _with_flush(self, response: WebhookResponse) -> WebhookResponse:
        """Schedules a flush of the counters for a second later, and returns the response."""
        if not self._flush_scheduled:
            self._flush_scheduled = True
            self._run_in_background(self._flush_later())
        return response

    async def _flush_later(self) -> None:
        try:
            await asyncio.sleep(FLUSH_SECONDS)
        finally:
            self._flush_scheduled = False
        await _run_in_thread(receiver.flush_counters)

    def _run_in_background(self, work: Coroutine[Any, Any, None]) -> None:
        """Runs a coroutine in the background. The event loop keeps only weak references to its tasks."""
        task = asyncio.get_running_loop().create_task(work)
        self._background_tasks.add(task)
        task.add_done_callback(self._background_tasks.discard)


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
    return request_body.declared_length(length), signed.decode("latin-1")


async def _respond(send: Send, response: WebhookResponse | None) -> None:
    if response is None:
        return
    body = orjson.dumps(response.body)
    headers = [_JSON, (b"content-length", b"%d" % len(body))]
    if response is _WRONG_METHOD:
        headers.append(_ALLOW)
    await send({"type": "http.response.start", "status": int(response.status), "headers": headers})
    await send({"type": "http.response.body", "body": body})

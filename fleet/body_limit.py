"""Limits the bodies of requests to pages and the API, before Django stores them in memory or a temporary file.

The site has no uploads, so one limit applies to all paths but the callback URL, which has its own (webhooks.asgi).
"""

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any

import orjson
from django.conf import settings

from core.api.exceptions import CONTENT_TYPE, problem
from core.request_body import ClientDisconnectedError, Receive, declared_length, read_body

# A body at the limit takes this long at 35 KB a second, slower than any current mobile network.
READ_SECONDS = 30.0

Send = Callable[[dict[str, Any]], Awaitable[None]]
Application = Callable[[Any, Any, Any], Awaitable[None]]


class BodyLimitMiddleware:
    """Reads the body of each request, and passes the request to `app` unless the body is too large or too slow."""

    def __init__(self, *, app: Application) -> None:
        self._app = app

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        try:
            body = b""
            too_large = _length(scope) > limit
            if not too_large:
                body = await read_body(receive, limit=limit, seconds=READ_SECONDS)
                too_large = len(body) > limit
        except TimeoutError:
            await _refuse(
                scope, send, HTTPStatus.REQUEST_TIMEOUT, "The request did not arrive in time. Try again."
            )
            return
        except ClientDisconnectedError:
            return
        if too_large:
            text = f"The request is larger than {limit // 2**20} MB. Send less at once."
            await _refuse(scope, send, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, text)
            return
        await self._app(scope, _replay(body, receive), send)


def _replay(body: bytes, receive: Receive) -> Receive:
    """Returns a `receive` whose first message is the whole body; the others are the server's."""
    first: list[Mapping[str, Any]] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Mapping[str, Any]:
        return first.pop() if first else await receive()

    return replayed


def _length(scope: Mapping[str, Any]) -> int:
    return next((declared_length(value) for name, value in scope["headers"] if name == b"content-length"), 0)


async def _refuse(scope: Mapping[str, Any], send: Send, status: HTTPStatus, text: str) -> None:
    if scope["path"].startswith("/api/"):
        code = status.phrase.lower().replace(" ", "_")
        content_type, body = CONTENT_TYPE, orjson.dumps(problem(status, text, code=code))
    else:
        content_type, body = "text/plain; charset=utf-8", f"{text}\n".encode()
    # The rest of the body isn't read, so the connection can't be used for another request.
    headers = [
        (b"content-type", content_type.encode()),
        (b"content-length", b"%d" % len(body)),
        (b"cache-control", b"no-store"),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": int(status), "headers": headers})
    await send({"type": "http.response.body", "body": body})

"""Request IDs: one in the `X-Request-Id` header of each response and in the log lines about its request."""

import logging
import re
import uuid
from collections.abc import Callable
from contextvars import ContextVar

from django.http import HttpRequest
from django.http.response import HttpResponseBase

HEADER = "X-Request-Id"
PATTERN = r"[A-Za-z0-9._-]{8,64}"

_current: ContextVar[str] = ContextVar("request_id", default="")


class RequestIdMiddleware:
    """Gives each request an ID: the one that a proxy or client sent if it has a valid form, otherwise a new one."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        sent = request.headers.get(HEADER, "")
        request_id = sent if re.fullmatch(PATTERN, sent) else str(uuid.uuid4())
        request.request_id = request_id  # type: ignore[attr-defined]
        token = _current.set(request_id)
        try:
            response = self._get_response(request)
        finally:
            _current.reset(token)
        response.headers[HEADER] = request_id
        return response


def for_record(record: logging.LogRecord) -> str:
    """Returns the ID of the request that a log record is about, or ""."""
    # Django logs errors with their request, after the middleware is done.
    about = getattr(record, "request", None)
    return getattr(about, "request_id", "") or _current.get()

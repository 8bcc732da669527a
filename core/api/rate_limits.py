"""Response headers that report how much of the caller's rate limit is left."""

import math
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

LIMIT, REMAINING, RESET = "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"


@dataclass(frozen=True, slots=True)
class RateLimit:
    """A caller's limit per window, the calls left of it, and the seconds until the oldest call counts no more."""

    limit: int
    remaining: int
    reset: int

    @classmethod
    def of_calls(cls, calls: list[float], *, limit: int, window: float, now: float) -> "RateLimit":
        """Returns the limit after `calls`, the times of the counted calls, newest first."""
        reset = math.ceil(max(0.0, calls[-1] + window - now)) if calls else 0
        return cls(limit, max(0, limit - len(calls)), reset)


@runtime_checkable
class ReportsRateLimit(Protocol):
    """A throttle that can tell the caller's limit without counting a call."""

    def current(self, request: Request, view: Any) -> RateLimit | None: ...


def report(request: Request, rate_limit: RateLimit) -> None:
    """Has the response to `request` report this limit, unless one with fewer calls left was reported."""
    django_request = request._request
    reported: RateLimit | None = getattr(django_request, "rate_limit", None)
    if reported is None or rate_limit.remaining < reported.remaining:
        django_request.rate_limit = rate_limit  # type: ignore[attr-defined]


def report_uncounted(request: Request, throttles: Iterable[Any], view: Any) -> None:
    """Reports the limit of a call that was rejected before it was counted. Callers that aren't known have none."""
    if getattr(request._request, "rate_limit", None) is not None:
        return
    with suppress(AuthenticationFailed):
        if not request.user.is_authenticated:
            return
        for throttle in throttles:
            current = throttle.current(request, view) if isinstance(throttle, ReportsRateLimit) else None
            if current is not None:
                report(request, current)


class RateLimitHeadersMiddleware:
    """Adds the headers to responses of the API."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self._get_response(request)
        rate_limit: RateLimit | None = getattr(request, "rate_limit", None)
        if rate_limit is not None:
            response.headers[LIMIT] = str(rate_limit.limit)
            response.headers[REMAINING] = str(rate_limit.remaining)
            response.headers[RESET] = str(rate_limit.reset)
        return response

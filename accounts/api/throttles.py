"""API rate limits per user. The counts are stored in the cache (core/cache.py)."""

from typing import TYPE_CHECKING

from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.throttling import UserRateThrottle

from core.api.rate_limits import RateLimit, report

if TYPE_CHECKING:  # DRF's views import this module
    from rest_framework.views import APIView


class ReadThrottle(UserRateThrottle):
    """Limits one user's calls, by session and tokens together (`API_RATE_LIMIT`)."""

    scope = "reads"
    # Set by the base class from the rate, and missing in its stubs.
    num_requests: int
    duration: int

    def allow_request(self, request: Request, view: "APIView") -> bool:
        allowed = super().allow_request(request, view)
        report(request, self._rate_limit(self.history, now=self.now))
        return allowed

    def current(self, request: Request, view: "APIView") -> RateLimit | None:
        """Returns the caller's limit without counting a call."""
        now = self.timer()
        calls = self.cache.get(self.get_cache_key(request, view), [])
        return self._rate_limit([at for at in calls if at > now - self.duration], now=now)

    def _rate_limit(self, calls: list[float], *, now: float) -> RateLimit:
        return RateLimit.of_calls(calls, limit=self.num_requests, window=self.duration, now=now)


class CommandThrottle(ReadThrottle):
    """Limits the commands that one user sends or cancels (`API_COMMAND_RATE_LIMIT`). Reads don't count."""

    scope = "commands"

    def allow_request(self, request: Request, view: "APIView") -> bool:
        return request.method in SAFE_METHODS or super().allow_request(request, view)

    def current(self, request: Request, view: "APIView") -> RateLimit | None:
        return None if request.method in SAFE_METHODS else super().current(request, view)

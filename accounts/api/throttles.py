"""API rate limits per user. The counts are stored in the cache (core/cache.py)."""

from typing import TYPE_CHECKING

from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.throttling import UserRateThrottle

if TYPE_CHECKING:  # DRF's views import this module
    from rest_framework.views import APIView


class ReadThrottle(UserRateThrottle):
    """Limits one user's calls, by session and tokens together (`API_RATE_LIMIT`)."""

    scope = "reads"


class CommandThrottle(ReadThrottle):
    """Limits the commands that one user sends or cancels (`API_COMMAND_RATE_LIMIT`). Reads don't count."""

    scope = "commands"

    def allow_request(self, request: Request, view: "APIView") -> bool:
        return request.method in SAFE_METHODS or super().allow_request(request, view)

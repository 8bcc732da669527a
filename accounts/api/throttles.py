"""How often one person may call the API. The count is kept in the cache (core/cache.py)."""

from typing import TYPE_CHECKING

from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.throttling import UserRateThrottle

if TYPE_CHECKING:  # the framework's views import this module
    from rest_framework.views import APIView


class ReadThrottle(UserRateThrottle):
    """Calls of one person, by session and tokens together (`API_READS_PER_MINUTE`)."""

    scope = "reads"


class CommandThrottle(ReadThrottle):
    """What one person asks of cars or takes back (`API_COMMANDS_PER_MINUTE`); reading does not count here."""

    scope = "commands"

    def allow_request(self, request: Request, view: "APIView") -> bool:
        return request.method in SAFE_METHODS or super().allow_request(request, view)

"""The request log: method, path, status, driver and vehicle of each request. Secrets and queries are never logged."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from simulator.clock import iso

LOG_SIZE = 5000


@dataclass(slots=True, kw_only=True)
class LoggedRequest:
    """One request. ``at`` is in simulated epoch seconds."""

    method: str
    path: str
    at: float
    api_version: str | None
    status: int | None = None
    user_id: str | None = None
    vehicle_id: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the request as the control API shows it."""
        return {
            "method": self.method,
            "path": self.path,
            "status": self.status,
            "time": iso(self.at),
            "generation": self.api_version,
            "userId": self.user_id,
            "vehicleId": self.vehicle_id,
        }


@dataclass(slots=True)
class RequestLog:
    """The last few thousand requests."""

    entries: deque[LoggedRequest] = field(default_factory=lambda: deque(maxlen=LOG_SIZE))

    def add(self, entry: LoggedRequest) -> None:
        """Add a request."""
        self.entries.append(entry)

    def select(self, *, path: str = "", since: float = 0.0) -> Iterator[LoggedRequest]:
        """Return requests whose path contains ``path`` and that aren't older than ``since``."""
        return (each for each in self.entries if path in each.path and each.at >= since)

    def clear(self) -> None:
        """Remove all requests."""
        self.entries.clear()


def get_api_version(path: str) -> str | None:
    """Return the API version of a path: v2, v3, or None if both share the path."""
    if path.startswith(("/api/", "/auth/", "/management/")):
        return "v2"
    if path.startswith(("/vehicle/", "/iam/", "/management-v3/", "/compatibility/")):
        return "v3"
    return None

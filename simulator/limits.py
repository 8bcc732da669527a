"""Smartcar's request limits: the application's bucket, each vehicle's bucket, and the monthly limit.

"Smartcar Usage Limits": the application has 120 requests, refilled by 2 a minute. A response to a request
beyond a vehicle's own limit has Retry-After. A vehicle's monthly limit comes from the plan.
"""

import math
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from simulator.clock import Clock
from simulator.errors import ApiError
from simulator.settings import Settings

CHANGEABLE = {
    "requestBucket": "request_bucket",
    "requestRefill": "request_refill",
    "vehicleBucket": "vehicle_bucket",
    "vehicleRefill": "vehicle_refill",
    "monthlyLimit": "monthly_limit",
}


@dataclass(slots=True)
class Bucket:
    """A token bucket in simulated time. A size of 0 means no limit."""

    size: int
    per_minute: float
    level: float
    at: float

    def take(self, now: float) -> float:
        """Take one token. Return 0 on success, otherwise the seconds until a token is available."""
        if self.size <= 0:
            return 0.0
        self.level = min(self.size, self.level + (now - self.at) * self.per_minute / 60)
        self.at = now
        if self.level >= 1:
            self.level -= 1
            return 0.0
        return (1 - self.level) * 60 / self.per_minute if self.per_minute else math.inf


@dataclass(slots=True)
class Limits:
    """Counts requests and applies the limits."""

    settings: Settings
    clock: Clock
    application: Bucket = field(init=False)
    vehicles: dict[str, Bucket] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    month: str = ""
    started_with: Settings = field(init=False)

    def __post_init__(self) -> None:
        self.started_with = self.settings
        self.application = self._bucket(self.settings.request_bucket, self.settings.request_refill)

    def _bucket(self, size: int, refill: float) -> Bucket:
        return Bucket(size=size, per_minute=refill, level=size, at=self.clock.now())

    def request(self) -> None:
        """Count a request against the application's limit.

        Raises:
            ApiError: RATE_LIMIT:SMARTCAR_API.
        """
        wait = self.application.take(self.clock.now())
        if wait:
            raise ApiError("RATE_LIMIT", "SMARTCAR_API", retry_after=math.ceil(min(wait, 3600)))

    def vehicle_request(self, vehicle_id: str, *, requests: int = 1) -> None:
        """Count requests that reach a vehicle.

        Raises:
            ApiError: RATE_LIMIT:VEHICLE or BILLING:VEHICLE_REQUEST_LIMIT.
        """
        self.billed(vehicle_id, requests=requests)
        settings = self.settings
        bucket = self.vehicles.setdefault(
            vehicle_id, self._bucket(settings.vehicle_bucket, settings.vehicle_refill)
        )
        wait = bucket.take(self.clock.now())
        if wait:
            raise ApiError("RATE_LIMIT", "VEHICLE", retry_after=math.ceil(min(wait, 3600)))

    def billed(self, vehicle_id: str, *, requests: int = 1) -> None:
        """Count requests against a vehicle's monthly limit.

        Raises:
            ApiError: BILLING:VEHICLE_REQUEST_LIMIT.
        """
        month = datetime.fromtimestamp(self.clock.now(), UTC).strftime("%Y-%m")
        if month != self.month:
            self.month = month
            self.counts.clear()
        count = self.counts.get(vehicle_id, 0) + requests
        if self.settings.monthly_limit and count > self.settings.monthly_limit:
            raise ApiError("BILLING", "VEHICLE_REQUEST_LIMIT")
        self.counts[vehicle_id] = count

    def change(self, values: dict[str, float]) -> None:
        """Use other limits from now on, by their names in the settings. Buckets start full and counts at 0."""
        changed: dict[str, Any] = {
            name: value if name.endswith("refill") else int(value) for name, value in values.items()
        }
        self.settings = replace(self.settings, **changed)
        self._start()

    def clear(self) -> None:
        """Return to the original limits, with full buckets and counts at 0."""
        self.settings = self.started_with
        self._start()

    def _start(self) -> None:
        self.vehicles.clear()
        self.counts.clear()
        self.application = self._bucket(self.settings.request_bucket, self.settings.request_refill)

    def snapshot(self) -> dict[str, Any]:
        """Return the month's counts and the application's level as JSON-compatible values."""
        return {"month": self.month, "counts": self.counts, "level": self.application.level}

    def restore(self, saved: dict[str, Any]) -> None:
        """Restore what ``snapshot`` returned."""
        self.month = saved["month"]
        self.counts = dict(saved["counts"])
        self.application.level = min(saved["level"], self.settings.request_bucket)

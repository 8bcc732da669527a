"""Sending signed webhook events: four attempts at 0, 25, 75 and 175 seconds, then the event is dropped.

Times are simulated ("Delivery Behavior", retry policy). Only the 15 seconds that an endpoint has to respond are real.
"""

import asyncio
import heapq
import itertools
import math
import time
import uuid
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson

from simulator.clock import Clock, iso
from simulator.fault_injection import Faults
from simulator.json_numbers import dumps
from simulator.payloads import address
from simulator.settings import Credentials, Settings
from simulator.signing import signature

ATTEMPTS_AT = (0.0, 25.0, 75.0, 175.0)
DISORDER_DELAY = 10.0
LOG_SIZE = 2000
MAX_PARALLEL = 32
OVERLOAD_SIZE = 5000
USER_AGENT = "Smartcar/1.0"


@dataclass(slots=True, kw_only=True)
class Attempt:
    """One attempt: the HTTP status, or the reason why there was none."""

    delivery_id: str
    at: float
    status: int | None
    error: str | None
    seconds: float


@dataclass(slots=True, kw_only=True)
class Delivery:
    """One event on its way to one callback.

    ``state`` is waiting, delivered or dropped. A delivered event's payload is discarded.
    """

    event_id: str
    event_type: str
    uri: str
    event: bytes
    webhook_id: str
    vehicle_id: str | None
    user_id: str | None
    triggers: tuple[str, ...]
    created_at: float
    due: float
    attempts: list[Attempt] = field(default_factory=list)
    state: str = "waiting"
    again: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return the delivery as the control API shows it, without the payload."""
        attempts = [
            {
                "deliveryId": each.delivery_id,
                "at": iso(each.at),
                "status": each.status,
                "error": each.error,
                "seconds": round(each.seconds, 3),
            }
            for each in self.attempts
        ]
        return {
            "eventId": self.event_id,
            "eventType": self.event_type,
            "webhookId": self.webhook_id,
            "vehicleId": self.vehicle_id,
            "userId": self.user_id,
            "triggers": list(self.triggers),
            "createdAt": iso(self.created_at),
            "state": self.state,
            "attempts": attempts,
        }


class WebhookSender:
    """Holds the events that are due and posts them, a few dozen at a time."""

    def __init__(
        self,
        *,
        settings: Settings,
        clock: Clock,
        faults: Faults,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.transport = transport
        self._settings = settings
        self._credentials: Credentials = settings.credentials
        self._clock = clock
        self._faults = faults
        self._heap: list[tuple[float, int, Delivery]] = []
        self._order = itertools.count()
        self._posting: set[asyncio.Task[None]] = set()
        self._client: httpx.AsyncClient | None = None
        self.log: deque[Delivery] = deque(maxlen=LOG_SIZE)

    @property
    def client(self) -> httpx.AsyncClient:
        """The HTTP client, created on first use."""
        if self._client is None:
            limits = httpx.Limits(max_connections=MAX_PARALLEL, max_keepalive_connections=MAX_PARALLEL)
            self._client = httpx.AsyncClient(
                limits=limits,
                timeout=self._settings.delivery_timeout,
                trust_env=False,
                transport=self.transport,
            )
        return self._client

    @property
    def overloaded(self) -> bool:
        """Whether too many events are due to create new ones. Events that wait for a retry don't count."""
        return len(self._heap) > OVERLOAD_SIZE and self._heap[0][0] <= self._clock.now()

    def send(
        self,
        event: dict[str, Any],
        *,
        uri: str,
        webhook_id: str,
        vehicle_id: str | None,
        user_id: str | None,
        event_type: str,
        triggers: Iterable[str] = (),
    ) -> Delivery:
        """Queue an event. Injected faults may delay it."""
        now = self._clock.now()
        delivery = Delivery(
            event_id=event.get("eventId") or str(uuid.uuid4()),
            event_type=event_type,
            uri=uri,
            event=dumps(event),
            webhook_id=webhook_id,
            vehicle_id=vehicle_id,
            user_id=user_id,
            triggers=tuple(triggers),
            created_at=now,
            due=self._due(now),
        )
        self.log.append(delivery)
        self._push(delivery)
        return delivery

    def _due(self, now: float) -> float:
        faults = self._faults
        due = now + faults.delay
        if faults.occurs(faults.disorder):
            due += DISORDER_DELAY
        if faults.burst:
            due = math.ceil(due / faults.burst) * faults.burst
        return due

    def _push(self, delivery: Delivery) -> None:
        heapq.heappush(self._heap, (delivery.due, next(self._order), delivery))

    async def run(self) -> None:
        """Post what is due until canceled."""
        while True:
            self.start_due()
            await asyncio.sleep(0.05)

    def start_due(self) -> None:
        """Start to post everything that is due now, up to the number of parallel requests."""
        now = self._clock.now()
        while self._heap and self._heap[0][0] <= now and len(self._posting) < MAX_PARALLEL:
            delivery = heapq.heappop(self._heap)[2]
            task = asyncio.create_task(self._attempt(delivery))
            self._posting.add(task)
            task.add_done_callback(self._posting.discard)

    async def settle(self) -> None:
        """Post everything that is due and wait for the responses."""
        self.start_due()
        while self._posting:
            await asyncio.gather(*self._posting, return_exceptions=True)
            self.start_due()

    async def _attempt(self, delivery: Delivery) -> None:
        now = self._clock.now()
        attempt = Attempt(delivery_id=str(uuid.uuid4()), at=now, status=None, error=None, seconds=0.0)
        delivery.attempts.append(attempt)
        event = orjson.loads(delivery.event)
        body = orjson.dumps(address(event, delivery_id=attempt.delivery_id, now=now))
        started = time.monotonic()
        try:
            response = await self.client.post(delivery.uri, content=body, headers=self._headers(body))
            attempt.status = response.status_code
        except (httpx.HTTPError, httpx.InvalidURL) as failure:
            attempt.error = type(failure).__name__
        attempt.seconds = time.monotonic() - started
        self._conclude(delivery, accepted=attempt.status is not None and 200 <= attempt.status < 300)

    def _headers(self, body: bytes) -> dict[str, str]:
        key = self._credentials.management_tokens[0]
        if self._faults.occurs(self._faults.bad_signatures):
            key += " (wrong)"
        return {
            "Content-Type": "application/json",
            "SC-Signature": signature(key, body),
            "User-Agent": USER_AGENT,
        }

    def _conclude(self, delivery: Delivery, *, accepted: bool) -> None:
        if accepted:
            delivery.state = "delivered"
            if not delivery.again and self._faults.occurs(self._faults.duplicates):
                delivery.again = True
                delivery.due = self._clock.now()
                self._push(delivery)
                return
            delivery.event = b""
        elif delivery.state == "delivered" or len(delivery.attempts) >= len(ATTEMPTS_AT):
            delivery.state = delivery.state if delivery.state == "delivered" else "dropped"
            delivery.event = b""
        else:
            first = delivery.attempts[0].at
            delivery.due = max(first + ATTEMPTS_AT[len(delivery.attempts)], self._clock.now())
            self._push(delivery)

    def clear(self) -> None:
        """Drop everything that is queued or logged."""
        self._heap.clear()
        self.log.clear()

    async def close(self) -> None:
        """Stop posting and close the connections."""
        for task in list(self._posting):
            task.cancel()
        await asyncio.gather(*self._posting, return_exceptions=True)
        if self._client is not None:
            await self._client.aclose()

"""``python -m simulator.load``: read a plan from standard input, send, and report a JSON line every second."""

import asyncio
import contextlib
import os
import signal
import sys
import time
from urllib.parse import urlsplit

import orjson

from simulator.load.events import Events
from simulator.load.plan import Plan

TICK = 0.002
MAX_LATENCIES = 20_000
TIMEOUT = 15.0


class Counters:
    """The outcome of the events so far. Latencies are in seconds, for the last second reported."""

    def __init__(self) -> None:
        self.sent = self.taken = self.refused = self.broken = self.late = 0
        self.latencies: list[float] = []
        self._started = time.monotonic()

    def count_response(self, status: int, seconds: float) -> None:
        """Count a response."""
        if 200 <= status < 300:
            self.taken += 1
        else:
            self.refused += 1
        if len(self.latencies) < MAX_LATENCIES:
            self.latencies.append(seconds)

    def line(self) -> bytes:
        """Return the figures as a JSON line, and start new latencies."""
        ordered = sorted(self.latencies)
        self.latencies = []

        def at(share: float) -> float | None:
            return (
                round(ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000, 2)
                if ordered
                else None
            )

        figures = {
            "seconds": round(time.monotonic() - self._started, 2),
            "sent": self.sent,
            "taken": self.taken,
            "refused": self.refused,
            "broken": self.broken,
            "late": self.late,
            "p50ms": at(0.5),
            "p99ms": at(0.99),
        }
        return orjson.dumps(figures, option=orjson.OPT_APPEND_NEWLINE)


class HttpConnection(asyncio.Protocol):
    """One kept-alive connection with one request at a time."""

    def __init__(self, sender: "Sender") -> None:
        self._sender = sender
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._since = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Mark the connection as ready."""
        if isinstance(transport, asyncio.Transport):
            self._transport = transport
        self._sender.idle.append(self)

    def post(self, request: bytes) -> None:
        """Send one request."""
        self._since = time.monotonic()
        if self._transport is not None:
            self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Read a response until it is complete. Content-Length is enough for webhook responses."""
        self._buffer += data
        head, separator, rest = self._buffer.partition(b"\r\n\r\n")
        if not separator or len(rest) < _length(head):
            return
        self._buffer = b""
        self._sender.tally.count_response(int(head[9:12]), time.monotonic() - self._since)
        self._since = 0.0
        if b"connection: close" in head.lower() and self._transport is not None:
            self._transport.close()
        else:
            self._sender.idle.append(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Count an incomplete response. The sender opens another connection."""
        if self._since:
            self._sender.tally.broken += 1
        if self in self._sender.idle:
            self._sender.idle.remove(self)
        self._sender.lines.discard(self)

    def timed_out(self, now: float) -> bool:
        """Return whether the response is overdue."""
        return bool(self._since) and now - self._since > TIMEOUT

    def drop(self) -> None:
        """Close the connection."""
        if self._transport is not None:
            self._transport.abort()


def _length(head: bytes) -> int:
    for field in head.split(b"\r\n")[1:]:
        name, _, value = field.partition(b":")
        if name.strip().lower() == b"content-length":
            return int(value)
    return 0


class Sender:
    """Sustains the rate over a set of connections. Events that can't be sent in time are sent late and counted."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._events = Events(plan)
        parts = urlsplit(plan.uri)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._head = (
            f"POST {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nUser-Agent: Smartcar/1.0\r\n"
            "Content-Type: application/json\r\nSC-Signature: "
        )
        self.tally = Counters()
        self.idle: list[HttpConnection] = []
        self.lines: set[HttpConnection] = set()

    async def run(self) -> None:
        """Send until the plan's time is over or the task is canceled."""
        started, due = time.monotonic(), 0.0
        while not self._plan.seconds or time.monotonic() - started < self._plan.seconds:
            await self._keep_lines()
            due = (time.monotonic() - started) * self._plan.rate
            self._send_until(due)
            await asyncio.sleep(TICK)

    async def _keep_lines(self) -> None:
        now = time.monotonic()
        for line in [each for each in self.lines if each.timed_out(now)]:
            line.drop()
        while len(self.lines) < self._plan.connections:
            try:
                _, line = await asyncio.get_running_loop().create_connection(
                    lambda: HttpConnection(self), self._host, self._port
                )
            except OSError:
                await asyncio.sleep(0.2)
                return
            self.lines.add(line)

    def _send_until(self, due: float) -> None:
        while self.tally.sent < due:
            if not self.idle:
                self.tally.late += 1
                return
            body, signed = self._events.next(time.time())
            head = f"{self._head}{signed}\r\nContent-Length: {len(body)}\r\n\r\n"
            self.idle.pop(0).post(head.encode() + body)
            self.tally.sent += 1

    async def settle(self) -> None:
        """Wait briefly for the last responses."""
        for _ in range(100):
            if len(self.idle) >= len(self.lines):
                return
            await asyncio.sleep(0.02)


async def _report(tally: Counters) -> None:
    while True:
        await asyncio.sleep(1)
        sys.stdout.buffer.write(tally.line())
        sys.stdout.buffer.flush()


def _exit_with_parent(sending: "asyncio.Future[None]") -> None:
    """Stop when standard input ends, because the parent process is gone."""

    def ended() -> None:
        if not os.read(sys.stdin.fileno(), 1):
            asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
            sending.cancel()

    with contextlib.suppress(PermissionError):  # A file can't be watched, and has no parent process.
        asyncio.get_running_loop().add_reader(sys.stdin.fileno(), ended)


async def main() -> None:
    """Run the load process."""
    plan = Plan.load(sys.stdin.buffer.readline())
    sender = Sender(plan)
    sending = asyncio.ensure_future(sender.run())
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, sending.cancel)
    _exit_with_parent(sending)
    reporting = asyncio.ensure_future(_report(sender.tally))
    with contextlib.suppress(asyncio.CancelledError):
        await sending
    await sender.settle()
    reporting.cancel()
    sys.stdout.buffer.write(sender.tally.line())
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    asyncio.run(main())

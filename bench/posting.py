"""Closed-loop load in its own process: connections that post again as soon as they get a response.

One thread with epoll, and bodies and signatures created in advance, so that the load takes little of the servers'
cores, and equally much for both. A plan is read from standard input; a JSON object with every latency is written to
standard output.
"""

from __future__ import annotations

import json
import select
import socket
import subprocess
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass
from itertools import cycle
from urllib.parse import urlsplit

import orjson


@dataclass(frozen=True, slots=True)
class Plan:
    """Posts `bodies` in turn, each with its signature, over `connections` for this many seconds."""

    url: str
    connections: int
    seconds: float
    bodies: tuple[str, ...]
    signatures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Responses by status, the duration, and the latency of each response in milliseconds."""

    statuses: dict[str, int]
    seconds: float
    milliseconds: list[float]

    @property
    def rate(self) -> float:
        """Responses with status 200 per second."""
        return self.statuses.get("200", 0) / self.seconds


def post(plan: Plan) -> Outcome:
    """Runs a plan in a new process. Raises `CalledProcessError`, for example if a connection breaks."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.posting"],
        input=orjson.dumps(asdict(plan)),
        stdout=subprocess.PIPE,
        check=True,
    )
    return Outcome(**orjson.loads(done.stdout))


class _Line:
    """One persistent connection with one request at a time."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.socket = socket.create_connection(address)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._since = 0.0
        self._response = b""

    def send(self, request: bytes) -> None:
        self._response = b""
        self._since = time.perf_counter()
        self.socket.sendall(request)

    def read(self) -> tuple[str, float] | None:
        """Returns status and milliseconds once the response is complete. Raises `ConnectionError`."""
        received = self.socket.recv(65536)
        if not received:
            raise ConnectionError("closed in the middle of an answer")
        self._response += received
        head, end, body = self._response.partition(b"\r\n\r\n")
        if not end or len(body) < _length(head):
            return None
        return head[9:12].decode(), (time.perf_counter() - self._since) * 1000


def _length(head: bytes) -> int:
    _, _, after = head.lower().partition(b"content-length:")
    return int(after.partition(b"\r\n")[0])


def _requests(plan: Plan) -> list[bytes]:
    parts = urlsplit(plan.url)
    return [
        (
            f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nUser-Agent: Smartcar/1.0\r\n"
            f"Content-Type: application/json\r\nSC-Signature: {signature}\r\n"
            f"Content-Length: {len(body.encode())}\r\n\r\n{body}"
        ).encode()
        for body, signature in zip(plan.bodies, plan.signatures, strict=True)
    ]


def _run(plan: Plan) -> Outcome:
    parts = urlsplit(plan.url)
    requests = cycle(_requests(plan))
    lines = {}
    poll = select.epoll()
    for _ in range(plan.connections):
        line = _Line((parts.hostname or "", parts.port or 80))
        lines[line.socket.fileno()] = line
        poll.register(line.socket, select.EPOLLIN)
    statuses: Counter[str] = Counter()
    milliseconds = []
    started = time.perf_counter()
    deadline = started + plan.seconds
    for line in lines.values():
        line.send(next(requests))
    open_requests = len(lines)
    while open_requests:
        for number, _ in poll.poll(30):
            response = lines[number].read()
            if response is None:
                continue
            statuses[response[0]] += 1
            milliseconds.append(round(response[1], 3))
            if time.perf_counter() < deadline:
                lines[number].send(next(requests))
            else:
                open_requests -= 1
    return Outcome(dict(statuses), time.perf_counter() - started, milliseconds)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asdict(_run(Plan(**orjson.loads(sys.stdin.buffer.read()))))))

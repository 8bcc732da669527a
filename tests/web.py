"""The real web server for tests, on the tests' database."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.servers import free_port
from tests.worker import tests_database


@contextmanager
def running_web(log: Path, *, workers: int = 1, port: int = 0) -> Iterator[str]:
    """Runs the project in granian during the block and yields its URL; without a port, a free one is used.

    Fails with the end of the log if the server isn't up within 30 s.
    """
    url = f"http://127.0.0.1:{port or free_port()}"
    command = [*(sys.executable, "-m", "granian", "--interface", "asgi", "fleet.asgi:application"), "--no-ws"]
    command += ["--host", "127.0.0.1", "--port", url.rpartition(":")[2], "--workers", str(workers)]
    command += ["--workers-kill-timeout", "5"]  # open streams would delay the shutdown
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, env={**os.environ, "DATABASE_URL": tests_database()}, stdout=output, stderr=output
        )
    try:
        _wait_for(process, url, log)
        yield url
    finally:
        process.terminate()
        process.wait(20)


def _wait_for(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + 30
    while not _healthy(url):
        if process.poll() is not None or time.monotonic() > deadline:
            pytest.fail(f"The web server did not come up:\n{log.read_text()[-2000:]}")
        time.sleep(0.05)


def _healthy(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz", timeout=2, trust_env=False).status_code == 200
    except httpx.TransportError:
        return False

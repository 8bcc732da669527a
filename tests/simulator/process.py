"""The simulator as users start it: a separate process on a free port, with its own credentials."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.servers import free_port

PROJECT = Path(__file__).resolve().parents[2]
ENVIRONMENT = {
    "SMARTCAR_APPLICATION_ID": "22222222-3333-4444-8555-666666666666",
    "SMARTCAR_APPLICATION_SECRET": "the application's secret",
    "SMARTCAR_CLIENT_ID": "client_process",
    "SMARTCAR_CLIENT_SECRET": "the client's secret",
    "SMARTCAR_MANAGEMENT_TOKENS": "the management token, the older one",
}
NO_LIMITS = ("--request-bucket=0", "--vehicle-bucket=0", "--monthly-limit=0")
NIGHT = "2026-11-04T11:00:00+00:00"


@dataclass
class RunningSimulator:
    """A running simulator process."""

    process: subprocess.Popen[str]
    origin: str
    seconds: float

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.origin, headers={"User-Agent": "test"}, trust_env=False)


@contextmanager
def simulator(*flags: str, port: int | None = None) -> Iterator[RunningSimulator]:
    """Start the simulator, wait until it is healthy, and stop it at the end."""
    port = port or free_port()
    command = [sys.executable, "-m", "simulator", "--port", str(port), *flags]
    others = {name: value for name, value in os.environ.items() if not name.startswith("SMARTCAR_")}
    started = time.monotonic()
    process = subprocess.Popen(
        command,
        cwd=PROJECT,
        env=others | ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        origin = f"http://127.0.0.1:{port}"
        _wait(process, origin)
        yield RunningSimulator(process, origin, time.monotonic() - started)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _wait(process: subprocess.Popen[str], origin: str) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"{origin}/control/health", timeout=1, trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    output = process.communicate()[0] if process.poll() is not None else "no answer"
    raise AssertionError(f"the simulator did not come up: {output}")

"""The environment of most benchmarks: empty durable servers, settings, and the product's processes on loopback."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from secrets import token_hex, token_urlsafe

import httpx
from cryptography.fernet import Fernet

import embedded
from embedded import processes

HOST = "127.0.0.1"
_PROJECT = Path(__file__).resolve().parent.parent
_UP_SECONDS = 60.0


class Stack:
    """Running servers, and processes started with them. `management_token` signs deliveries.

    `site` is the URL that `web` serves; `simulator` is where the settings expect a simulator, if the benchmark starts
    one.
    """

    def __init__(self, folder: Path, servers: embedded.Servers, until_end: ExitStack) -> None:
        self.folder = folder
        self.servers = servers
        self.management_token = str(uuid.uuid4())
        self.site = f"http://{HOST}:{free_port()}"
        self.simulator = f"http://{HOST}:{free_port()}"
        self.environment = dict(os.environ) | self._settings()
        self._until_end = until_end

    def _settings(self) -> dict[str, str]:
        simulator = self.simulator
        return {
            "ENV_FILE": os.devnull,
            "DJANGO_SETTINGS_MODULE": "fleet.settings",
            "DATABASE_URL": self.servers.database_url,
            "REDIS_URL": self.servers.redis_url,
            "DJANGO_SECRET_KEY": token_urlsafe(50),
            "FIELD_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
            "SITE_URL": self.site,
            "STATIC_HASHED": "false",
            "LOG_LEVEL": "WARNING",
            "NO_PROXY": HOST,
            "no_proxy": HOST,
            "SMARTCAR_APPLICATION_ID": str(uuid.uuid4()),
            "SMARTCAR_APPLICATION_SECRET": token_hex(16),
            "SMARTCAR_CLIENT_ID": f"client_{token_hex(8)}",
            "SMARTCAR_CLIENT_SECRET": token_hex(16),
            "SMARTCAR_MANAGEMENT_TOKENS": self.management_token,
            "SMARTCAR_WEBHOOK_ID": str(uuid.uuid4()),
            "SMARTCAR_MODE": "simulated",
            "SMARTCAR_CONNECT_ORIGIN": f"{simulator}/connect",
            "SMARTCAR_AUTH_ORIGIN": f"{simulator}/auth/oauth/token",
            "SMARTCAR_API_ORIGIN": f"{simulator}/api",
            "SMARTCAR_MANAGEMENT_API_ORIGIN": f"{simulator}/management",
            "SMARTCAR_VEHICLE_API_V3_ORIGIN": f"{simulator}/vehicle",
            "SMARTCAR_IAM_ORIGIN": f"{simulator}/iam",
            "SMARTCAR_MANAGEMENT_API_V3_ORIGIN": f"{simulator}/management-v3",
            "SMARTCAR_COMPATIBILITY_ORIGIN": f"{simulator}/compatibility",
        }

    def start(self, name: str, command: Sequence[str | Path]) -> subprocess.Popen[bytes]:
        """Starts a process that ends with the stack. Its output goes to `<name>.log` in the stack's folder."""
        child = processes.start(command, log=self.folder / f"{name}.log", cwd=_PROJECT, env=self.environment)
        self._until_end.callback(stop, child)
        return child

    def run(self, *command: str | Path) -> str:
        """Runs a command to completion and returns its output. Raises `CalledProcessError`."""
        return subprocess.run(
            command, check=True, cwd=_PROJECT, env=self.environment, stdout=subprocess.PIPE, text=True
        ).stdout

    def web(self) -> subprocess.Popen[bytes]:
        """Starts the web process as the demo does, and returns when it is ready."""
        return self.serve("web", "fleet.asgi:application", url=self.site)

    def serve(self, name: str, application: str, *, url: str) -> subprocess.Popen[bytes]:
        """Starts an ASGI application that has the product's pages in the same server, and returns when it is ready."""
        command = [*(sys.executable, "-m", "granian", "--interface", "asgi", application, "--host", HOST)]
        command += ["--port", url.rpartition(":")[2], "--workers", "1", "--no-ws", "--log-level", "warning"]
        child = self.start(name, command)
        try:
            wait_until(lambda: answers(f"{url}/readyz"), what=name, child=child)
        except RuntimeError as error:
            error.add_note("\n".join(processes.last_lines(self.folder / f"{name}.log", 20)))
            raise
        return child

    def worker(self, queue: str = "default", *, threads: int = 4, name: str = "") -> subprocess.Popen[bytes]:
        """Starts a Celery worker for a queue as the demo does. It may take a second to be ready."""
        name = name or f"worker-{queue}"
        command = [*(sys.executable, "-m", "celery", "--app", "fleet", "worker", "--queues", queue)]
        command += ["--hostname", f"{name}@bench", "--pool", "threads", "--concurrency", str(threads)]
        command += ["--without-gossip", "--without-mingle", "--loglevel", "WARNING"]
        return self.start(name, command)


@contextmanager
def stack(*, durable: bool = True) -> Iterator[Stack]:
    """Starts empty servers with the product's tables, in a temporary folder, and adds the settings to `os.environ`.

    Inside the block, the benchmark itself can import and set up Django. Everything ends with the block.
    """
    with tempfile.TemporaryDirectory(prefix="smartcar-fleet-bench-") as folder, ExitStack() as until_end:
        logs = Path(folder)
        servers = until_end.enter_context(embedded.servers(logs / "servers", logs=logs, durable=durable))
        running = Stack(logs, servers, until_end)
        os.environ |= running.environment
        running.run(sys.executable, "manage.py", "migrate", "--no-input", "--verbosity", "0")
        yield running


def stop(child: subprocess.Popen[bytes]) -> None:
    """Ends a process; kills it if it doesn't end within ten seconds."""
    if child.poll() is not None:
        return
    child.send_signal(signal.SIGTERM)
    try:
        child.wait(10)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def wait_until(ready: Callable[[], bool], *, what: str, child: subprocess.Popen[bytes] | None = None) -> None:
    """Polls for up to a minute. Raises `RuntimeError` on a timeout, or if `child` has ended."""
    deadline = time.monotonic() + _UP_SECONDS
    while not ready():
        if time.monotonic() > deadline or (child is not None and child.poll() is not None):
            raise RuntimeError(f"{what} did not come up")
        time.sleep(0.05)


def answers(url: str) -> bool:
    """Whether the URL returns 200."""
    try:
        return httpx.get(url, timeout=5, trust_env=False).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def answers_at_all(url: str) -> bool:
    """Whether an HTTP server responds there."""
    try:
        httpx.get(url, timeout=5, trust_env=False)
    except httpx.TransportError:
        return False
    return True


def free_port() -> int:
    """Returns a free port below the kernel's range for outgoing connections."""
    while True:
        port = random.randint(20_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return port

"""What most benches stand on: empty durable servers, made-up settings, and the product's own processes on loopback."""

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
    """Running servers, and processes started beside them. `management_token` signs deliveries.

    `site` is the address `web` serves; `simulator` is where the settings expect one, should the bench start it.
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
        """Start a process that ends with the stack; it writes to `<name>.log` in the stack's folder."""
        child = processes.start(command, log=self.folder / f"{name}.log", cwd=_PROJECT, env=self.environment)
        self._until_end.callback(stop, child)
        return child

    def run(self, *command: str | Path) -> str:
        """Run a command to its end and return its output. Raises `CalledProcessError`."""
        return subprocess.run(
            command, check=True, cwd=_PROJECT, env=self.environment, stdout=subprocess.PIPE, text=True
        ).stdout

    def web(self) -> subprocess.Popen[bytes]:
        """The web process as the demo runs it, and returns when it is ready."""
        port = self.site.rpartition(":")[2]
        command = [*(sys.executable, "-m", "granian", "--interface", "asgi", "fleet.asgi:application")]
        command += ["--host", HOST, "--port", port, "--workers", "1", "--no-ws", "--log-level", "warning"]
        child = self.start("web", command)
        try:
            wait_until(lambda: answers(f"{self.site}/readyz"), what="web", child=child)
        except RuntimeError as error:
            error.add_note("\n".join(processes.last_lines(self.folder / "web.log", 20)))
            raise
        return child

    def worker(self, queue: str = "default", *, threads: int = 4, name: str = "") -> subprocess.Popen[bytes]:
        """A Celery worker for a queue as the demo runs it. It may take a second until it works."""
        name = name or f"worker-{queue}"
        command = [*(sys.executable, "-m", "celery", "--app", "fleet", "worker", "--queues", queue)]
        command += ["--hostname", f"{name}@bench", "--pool", "threads", "--concurrency", str(threads)]
        command += ["--without-gossip", "--without-mingle", "--loglevel", "WARNING"]
        return self.start(name, command)


@contextmanager
def stack(*, durable: bool = True) -> Iterator[Stack]:
    """Empty servers with the product's tables, in a temporary folder. `os.environ` gets the settings.

    So Django may be imported and set up in the bench itself, once inside. Everything ends with the block.
    """
    with tempfile.TemporaryDirectory(prefix="smartcar-fleet-bench-") as folder, ExitStack() as until_end:
        logs = Path(folder)
        servers = until_end.enter_context(embedded.servers(logs / "servers", logs=logs, durable=durable))
        running = Stack(logs, servers, until_end)
        os.environ |= running.environment
        running.run(sys.executable, "manage.py", "migrate", "--no-input", "--verbosity", "0")
        yield running


def stop(child: subprocess.Popen[bytes]) -> None:
    """End a process and its children, at once if it won't otherwise."""
    if child.poll() is not None:
        return
    child.send_signal(signal.SIGTERM)
    try:
        child.wait(10)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def wait_until(ready: Callable[[], bool], *, what: str, child: subprocess.Popen[bytes] | None = None) -> None:
    """Poll for up to a minute. Raises `RuntimeError` when the time is over or `child` has ended."""
    deadline = time.monotonic() + _UP_SECONDS
    while not ready():
        if time.monotonic() > deadline or (child is not None and child.poll() is not None):
            raise RuntimeError(f"{what} did not come up")
        time.sleep(0.05)


def answers(url: str) -> bool:
    """Whether the address answers 200."""
    try:
        return httpx.get(url, timeout=5, trust_env=False).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def answers_at_all(url: str) -> bool:
    """Whether somebody there speaks HTTP."""
    try:
        httpx.get(url, timeout=5, trust_env=False)
    except httpx.TransportError:
        return False
    return True


def free_port() -> int:
    """A port nobody listens on, from below the range the kernel gives to outgoing connections."""
    while True:
        port = random.randint(20_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return port

"""A complete site with its own durable servers. Each part can be killed and restarted."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

import httpx
import psutil

from embedded import postgres, processes, redis
from tests.servers import free_port

PROJECT = Path(__file__).resolve().parents[3]


class Site:
    """To be used from the main thread. `close` stops everything."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = f"http://127.0.0.1:{free_port()}"
        self.database_url = self.redis_url = ""
        self.restarts = 0
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._contexts: dict[str, ExitStack] = {}
        self._starts = 0
        self._start: dict[str, Callable[[], subprocess.Popen[bytes]]] = {
            "postgres": self._postgres,
            "redis": self._redis,
            "web": self._web,
            "worker": self._worker,
            "beat": self._beat,
        }

    def start(self, *names: str) -> None:
        """Starts parts, each when the previous one is running."""
        for name in names:
            self._children[name] = self._start[name]()

    def kill(self, *names: str) -> None:
        """Sends SIGKILL to all processes of the parts at once, so that none of them can finish its work."""
        family = []
        for name in names:
            process = psutil.Process(self._children[name].pid)
            family += [process, *process.children(recursive=True)]
        for process in family:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(family, timeout=10)
        for name in names:
            self._children.pop(name).wait()
            if name in self._contexts:
                self._contexts.pop(name).close()

    def restart_exited(self) -> None:
        """Restarts parts that exited by themselves, as systemd or Docker do, such as after the loss of the broker."""
        for name, child in list(self._children.items()):
            if child.poll() is not None:
                self.restarts += 1
                self.start(name)

    def run(self, *arguments: str) -> None:
        """Runs Python with the site's settings until it exits."""
        subprocess.run([sys.executable, *arguments], check=True, cwd=PROJECT, env=self.environment())

    def environment(self) -> dict[str, str]:
        """Returns the test settings for this site's servers."""
        return os.environ | {
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.redis_url,
            "SITE_URL": self.url,
            "LOG_LEVEL": "WARNING",
        }

    def close(self) -> None:
        """Stops all running parts."""
        order = [name for name in ("beat", "worker", "web", "redis", "postgres") if name in self._children]
        for name in order:
            self.kill(name)

    def _postgres(self) -> subprocess.Popen[bytes]:
        data = self.folder / "postgres"
        postgres.stop(data)
        log = self.folder / "postgres.log"
        self.database_url, child = self._enter("postgres", postgres.running(data, log=log, durable=True))
        return child

    def _redis(self) -> subprocess.Popen[bytes]:
        data, log = self.folder / "redis", self.folder / "redis.log"
        self.redis_url, child = self._enter("redis", redis.running(data, log=log, durable=True))
        return child

    def _enter(self, name: str, context: object) -> postgres.Running:
        self._contexts[name] = ExitStack()
        running: postgres.Running = self._contexts[name].enter_context(context)  # type: ignore[arg-type]
        return running

    def _web(self) -> subprocess.Popen[bytes]:
        command = [*("granian", "--interface", "asgi", "fleet.asgi:application"), "--no-ws"]
        child = self._module(
            "web", [*command, *("--host", "127.0.0.1", "--port", self.url.rpartition(":")[2])]
        )
        deadline = time.monotonic() + 30
        while not self._is_up() and child.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        return child

    def _worker(self) -> subprocess.Popen[bytes]:
        command = [*("celery", "--app", "fleet", "worker", "--queues", "default,commands")]
        command += ["--pool", "threads", "--concurrency", "4", "--without-gossip", "--without-mingle"]
        return self._module("worker", command)

    def _beat(self) -> subprocess.Popen[bytes]:
        return self._module(
            "beat", ["celery", "--app", "fleet", "beat", "--schedule", str(self.folder / "beat")]
        )

    def _module(self, name: str, arguments: Sequence[str]) -> subprocess.Popen[bytes]:
        self._starts += 1
        return processes.start(
            [sys.executable, "-m", *arguments],
            log=self.folder / f"{self._starts:02}-{name}.log",
            cwd=PROJECT,
            env=self.environment(),
            parent_death_signal=signal.SIGKILL,
        )

    def _is_up(self) -> bool:
        try:
            return httpx.get(f"{self.url}/healthz", timeout=2, trust_env=False).status_code == 200
        except httpx.TransportError:
            return False

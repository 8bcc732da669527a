"""Runs the demo's processes: starts them, detects when one ends, and stops all of them together."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

import psutil

from demo.errors import DemoError
from embedded import processes

_STOP_SECONDS = 4.0
_LOG_LINES = 15


class Stopped(Exception):  # noqa: N818 - not an error
    """The user requested a stop."""


class Supervisor:
    """The processes of one demo. Must be used from the main thread.

    Each process writes to `<name>.log` in `logs`. `environment` is the complete environment of the processes.
    """

    def __init__(self, *, root: Path, logs: Path, environment: Mapping[str, str]) -> None:
        self._root = root
        self._logs = logs
        self._environment = dict(environment)
        self._watched: dict[str, subprocess.Popen[bytes]] = {}
        self._started: list[subprocess.Popen[bytes]] = []
        self._stop = threading.Event()

    def update_environment(self, values: Mapping[str, str]) -> None:
        """Adds `values` to the environment of processes started from now on."""
        self._environment |= values

    def request_stop(self, number: int = 0, frame: FrameType | None = None) -> None:
        """Makes `pause`, and with it every wait, raise `Stopped`. A signal handler."""
        self._stop.set()

    def start(self, name: str, command: Sequence[str | Path]) -> None:
        """Starts a process that must run as long as the demo."""
        self.watch(name, self._launch(name, command))

    def watch(self, name: str, process: subprocess.Popen[bytes]) -> None:
        """Watches a process that was started elsewhere. If it ends, the demo ends."""
        self._watched[name] = process

    def run(self, name: str, command: Sequence[str | Path], *, seconds: float = 300) -> str:
        """Runs a command to its end and returns its output. Raises `DemoError` if it fails, or `Stopped`."""
        process = self._launch(name, command)
        self.wait(lambda: process.poll() is not None, what=name, seconds=seconds)
        if process.returncode != 0:
            raise self._failure(f"{name} failed", name)
        return self.log(name).read_text(errors="replace")

    def wait(self, ready: Callable[[], bool], *, what: str, seconds: float) -> None:
        """Waits until `ready()`. Raises `DemoError` after `seconds` or if a process ends meanwhile, or `Stopped`."""
        deadline = time.monotonic() + seconds
        while not ready():
            self.pause(0.05)
            if time.monotonic() > deadline:
                raise self._failure(f"{what} did not come up within {seconds:.0f} s", what)

    def pause(self, seconds: float) -> None:
        """Waits. Raises `Stopped` if a stop was requested, `DemoError` if a process has ended."""
        if self._stop.wait(seconds):
            raise Stopped
        for name, process in self._watched.items():
            if process.poll() is not None:
                raise self._failure(f"{name} ended ({_exit_reason(process.returncode)})", name)

    def log(self, name: str) -> Path:
        return self._logs / f"{name}.log"

    def stop_all(self) -> None:
        """Stops the started processes and their children: with SIGTERM, and after 4 s with SIGKILL."""
        found = []
        for process in self._started:
            if process.poll() is None:
                with suppress(psutil.NoSuchProcess):
                    found.append(psutil.Process(process.pid))
        processes.stop(found, first_signal=signal.SIGTERM, timeout=_STOP_SECONDS)
        for process in self._started:
            process.wait()

    def _launch(self, name: str, command: Sequence[str | Path]) -> subprocess.Popen[bytes]:
        process = processes.start(command, log=self.log(name), cwd=self._root, env=self._environment)
        self._started.append(process)
        return process

    def _failure(self, what: str, name: str) -> DemoError:
        log = self.log(name)
        shown = log.relative_to(self._root) if log.is_relative_to(self._root) else log
        message = f"{what}. Its log is {shown}; it ends with:"
        return DemoError(message, details=processes.last_lines(log, _LOG_LINES))


@contextmanager
def listening(supervisor: Supervisor) -> Iterator[None]:
    """Makes SIGINT, SIGTERM and SIGHUP only request a stop of `supervisor` during the block."""
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    previous = {number: signal.signal(number, supervisor.request_stop) for number in signals}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _exit_reason(returncode: int) -> str:
    if returncode < 0:
        return f"killed by {signal.Signals(-returncode).name}"
    return f"exit code {returncode}"

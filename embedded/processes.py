"""Starts child processes that end with their parent, and finds and stops leftover ones."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import psutil

_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


def start(
    command: Sequence[str | Path],
    *,
    log: Path,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    user: int | None = None,
    group: int | None = None,
    parent_death_signal: signal.Signals = signal.SIGTERM,
) -> subprocess.Popen[bytes]:
    """Starts `command` in a new session, with its output in `log`, which is emptied first.

    In a new session, Ctrl-C in the terminal reaches only the parent, which then stops its children in order. If the
    parent dies before that, the kernel sends `parent_death_signal` on Linux (prctl(2), PR_SET_PDEATHSIG); on other
    systems the next start finds and stops the child. Must be called from the main thread, because the signal is sent
    when the forking thread ends.
    """
    with log.open("wb") as output:
        return subprocess.Popen(  # noqa: S603 - our own commands, no shell
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=cwd,
            env=env,
            user=user,
            group=group,
            extra_groups=None if user is None else [],
            start_new_session=True,
            preexec_fn=_request_death_signal(parent_death_signal),
        )


def _request_death_signal(parent_death_signal: signal.Signals) -> Callable[[], None] | None:
    """Returns a function for the child to run before exec, which requests the signal. None on systems but Linux."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(
        None
    ).prctl  # looked up before the fork, because the child should do as little as possible
    parent = os.getpid()

    def request_death_signal() -> None:
        prctl(_PR_SET_PDEATHSIG, int(parent_death_signal))
        if os.getppid() != parent:  # the parent died between the fork and the call above
            os._exit(1)

    return request_death_signal


def working_in(directory: Path, *, name: str) -> list[psutil.Process]:
    """Returns every process called `name` whose working folder is `directory`.

    Servers use their data folder as working folder, so this identifies a server on this data without a pid file, whose
    pid may meanwhile belong to another process.
    """
    expected = str(directory)
    found = []
    for process in psutil.process_iter(["name"]):
        if process.info["name"] != name:
            continue
        with contextlib.suppress(psutil.Error):
            if process.cwd() == expected:
                found.append(process)
    return found


def marked(name: str, value: str) -> list[psutil.Process]:
    """Returns every other process that was started with the environment variable `name` set to `value`."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.pid != os.getpid() and process.environ().get(name) == value:
                found.append(process)
    return found


def stop(processes: Iterable[psutil.Process], *, first_signal: signal.Signals, timeout: float) -> None:
    """Sends `first_signal`, waits up to `timeout` seconds, then kills the remaining processes and children."""
    processes = list(processes)
    family = set(processes)
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            family.update(process.children(recursive=True))
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(first_signal)
    _, alive = psutil.wait_procs(family, timeout=timeout)
    for process in alive:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(alive, timeout=timeout)


def last_lines(log: Path, count: int = 1) -> list[str]:
    """Returns the last `count` non-blank lines of `log`, or fewer if there are fewer."""
    try:
        text = log.read_text(errors="replace")
    except OSError:
        return []
    return [line.rstrip() for line in text.splitlines() if line.strip()][-count:]

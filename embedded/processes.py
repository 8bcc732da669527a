"""Child processes that never outlive their parent, and finding those that did."""

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
    parting_signal: signal.Signals = signal.SIGTERM,
) -> subprocess.Popen[bytes]:
    """Start `command` in a session of its own, its output in `log` (emptied first).

    A session of its own: Ctrl-C at the terminal reaches only the parent, which then stops its children in
    order. On Linux the kernel sends `parting_signal` when the parent dies without doing so (prctl(2),
    PR_SET_PDEATHSIG); elsewhere such a child is found and stopped by the next start. Call it from the main
    thread: the kernel watches the thread that forked.
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
            preexec_fn=_tether(parting_signal),
        )


def _tether(parting_signal: signal.Signals) -> Callable[[], None] | None:
    """What a fresh child runs before its program, to be told when the parent dies. None where Linux isn't."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl  # looked up before the fork: the child should do as little as it can
    parent = os.getpid()

    def tether() -> None:
        prctl(_PR_SET_PDEATHSIG, int(parting_signal))
        if os.getppid() != parent:  # it died between the fork and the line above
            os._exit(1)

    return tether


def working_in(directory: Path, *, name: str) -> list[psutil.Process]:
    """Every process called `name` whose working folder is `directory`.

    Servers work in their data folder, so this tells a server on this data from any other process, whatever a
    pid file says, and even if the pid in it was given to someone else since.
    """
    wanted = str(directory)
    found = []
    for process in psutil.process_iter(["name"]):
        if process.info["name"] != name:
            continue
        with contextlib.suppress(psutil.Error):
            if process.cwd() == wanted:
                found.append(process)
    return found


def marked(name: str, value: str) -> list[psutil.Process]:
    """Every other process that was started with the environment variable `name` set to `value`."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.pid != os.getpid() and process.environ().get(name) == value:
                found.append(process)
    return found


def stop(processes: Iterable[psutil.Process], *, gently: signal.Signals, patience: float) -> None:
    """Send `gently`, wait up to `patience` seconds, then kill what is left of them and of their children."""
    processes = list(processes)
    family = set(processes)
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            family.update(process.children(recursive=True))
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(gently)
    _, alive = psutil.wait_procs(family, timeout=patience)
    for process in alive:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(alive, timeout=patience)


def last_lines(log: Path, count: int = 1) -> list[str]:
    """The last `count` lines of `log` that are not blank; fewer if there are fewer."""
    try:
        text = log.read_text(errors="replace")
    except OSError:
        return []
    return [line.rstrip() for line in text.splitlines() if line.strip()][-count:]

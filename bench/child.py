"""`python -m bench.child NAME OUTPUT [--quick]`: runs one benchmark in this process and writes the run to OUTPUT."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

import psutil

from bench.results import Run


def main(name: str, output: Path, *, quick: bool) -> None:
    """Runs the benchmark and writes its results."""
    began = time.monotonic()
    result = import_module(f"bench.{name}").run(quick=quick)
    run = Run(
        result=result,
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        seconds=round(time.monotonic() - began, 1),
        quick=quick,
        commit=_commit(),
        machine=_machine(),
    )
    output.write_bytes(run.dump())


def _commit() -> str:
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False
    )
    return done.stdout.strip()


def _machine() -> str:
    memory = psutil.virtual_memory().total / 2**30
    return (
        f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}"
    )


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), quick="--quick" in sys.argv[3:])

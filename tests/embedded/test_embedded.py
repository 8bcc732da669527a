"""The embedded PostgreSQL and Redis: real starts, stops and failures, each in a separate folder."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import environ
import psutil
import psycopg
import pytest
from redis import Redis

import embedded
from embedded import postgres, processes, sockets

# Each test starts servers of its own.
pytestmark = pytest.mark.slow

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short path, as sockets need, outside pytest's folder, which other users can't open."""
    with tempfile.TemporaryDirectory(prefix="smartcar-fleet-", ignore_cleanup_errors=True) as name:
        yield Path(name)


def wait_for(condition: Callable[[], bool], *, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def is_running(process: psutil.Process) -> bool:
    """Whether the process is still running. A zombie doesn't count: its parent may not have waited for it yet."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def servers_on(folder: Path) -> list[psutil.Process]:
    return [
        *processes.working_in(folder / "postgres", name="postgres"),
        *processes.working_in(folder / "redis", name="redis-server"),
    ]


def test_data_survives_a_restart(folder: Path) -> None:
    with embedded.servers(folder, logs=folder) as first:
        with psycopg.connect(first.database_url) as connection:
            connection.execute("create table note (body text)")
            connection.execute("insert into note values ('kept')")
        Redis.from_url(first.redis_url).set("note", "kept")
    with embedded.servers(folder, logs=folder) as second:
        assert (second.database_url, second.redis_url) == (first.database_url, first.redis_url)
        with psycopg.connect(second.database_url) as connection:
            assert connection.execute("select body from note").fetchall() == [("kept",)]
        assert Redis.from_url(second.redis_url).get("note") == b"kept"
    assert servers_on(folder) == []


def test_servers_use_only_unix_sockets_for_their_owner(folder: Path) -> None:
    with embedded.servers(folder, logs=folder, durable=False) as servers:
        for process in servers.processes.values():
            assert psutil.Process(process.pid).net_connections("inet") == []
        settings = environ.Env.db_url_config(servers.database_url)
        assert settings["NAME"] == "fleet"
        for socket_folder in (
            Path(settings["OPTIONS"]["host"]),
            Path(urlsplit(servers.redis_url).path).parent,
        ):
            assert stat.S_IMODE(socket_folder.stat().st_mode) == 0o700


@pytest.mark.parametrize("name", ["a path with spaces, and a comma", "x" * 100], ids=["special", "long"])
def test_a_path_unsuitable_for_sockets_gets_a_socket_elsewhere(folder: Path, name: str) -> None:
    with embedded.servers(folder / name, logs=folder, durable=False) as servers:
        socket_folder = Path(environ.Env.db_url_config(servers.database_url)["OPTIONS"]["host"])
        assert folder not in socket_folder.parents
        with psycopg.connect(servers.database_url) as connection:
            assert connection.execute("select 1").fetchone() == (1,)
        assert Redis.from_url(servers.redis_url).ping()
    assert not socket_folder.exists()


def test_a_socket_folder_of_another_user_is_rejected(folder: Path) -> None:
    data = folder / ("x" * 120)
    with pytest.raises(embedded.ServerError, match="belongs to another user"):
        # The folder belongs to this user, but is requested for another user.
        socket_folder = sockets.socket_folder(data, socket_name="s", owner=os.geteuid())
        try:
            sockets.socket_folder(data, socket_name="s", owner=os.geteuid() + 1)
        finally:
            sockets.remove_socket_folder(socket_folder, data)


def test_a_folder_in_use_is_rejected(folder: Path) -> None:
    with (
        embedded.servers(folder, logs=folder, durable=False) as servers,
        pytest.raises(embedded.ServerError, match="in use"),
    ):
        embedded.servers(folder, logs=folder).__enter__()
    assert all(process.poll() is not None for process in servers.processes.values())


def test_servers_left_running_are_stopped(folder: Path) -> None:
    with embedded.servers(folder, logs=folder):
        pass
    left_behind = postgres.running(folder / "postgres", log=folder / "left.log", durable=False)
    _, process = left_behind.__enter__()
    with (
        embedded.servers(folder, logs=folder) as servers,
        psycopg.connect(servers.database_url) as connection,
    ):
        assert process.poll() is not None
        assert connection.execute("select 1").fetchone() == (1,)
    assert servers_on(folder) == []


def test_a_stale_pid_file_of_a_running_process_is_ignored(folder: Path) -> None:
    with embedded.servers(folder, logs=folder):
        pass
    pid_file = folder / "postgres" / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n{folder / 'postgres'}\n0\n5432\n\n\n\nready\n")
    with (
        embedded.servers(folder, logs=folder) as servers,
        psycopg.connect(servers.database_url) as connection,
    ):
        assert connection.execute("select 1").fetchone() == (1,)


def test_a_command_can_have_its_own_servers() -> None:
    program = (
        "import os, sys, psycopg, redis\n"
        "psycopg.connect(os.environ['DATABASE_URL']).close()\n"
        "sys.exit(41 + redis.Redis.from_url(os.environ['REDIS_URL']).ping())\n"
    )
    command = [sys.executable, "-m", "embedded", sys.executable, "-c", program]
    assert subprocess.run(command, cwd=PROJECT, check=False).returncode == 42


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the next start stops them")
def test_killing_the_parent_ends_the_servers(folder: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; import embedded\n"
        "folder = Path(sys.argv[1])\n"
        "with embedded.servers(folder, logs=folder): print('up', flush=True); time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", program, folder], cwd=PROJECT, stdout=subprocess.PIPE)
    assert parent.stdout is not None
    with parent.stdout:
        assert parent.stdout.readline() == b"up\n"
    assert len(servers_on(folder)) > 2
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    assert wait_for(lambda: not servers_on(folder), seconds=15)


def test_a_server_that_does_not_start_is_reported_with_its_reason_and_log(folder: Path) -> None:
    with embedded.servers(folder, logs=folder):
        pass
    (folder / "postgres" / "PG_VERSION").write_text("9\n")
    with pytest.raises(embedded.ServerError, match=r"PostgreSQL did not start: .*version.*postgres\.log"):
        embedded.servers(folder, logs=folder).__enter__()
    assert servers_on(folder) == []


def test_given_processes_and_children_are_stopped_or_killed(tmp_path: Path) -> None:
    stubborn = "trap '' TERM; sleep 60 & echo ready; while :; do sleep 1; done"
    child = processes.start(["sh", "-c", stubborn], log=tmp_path / "log")
    bystander = processes.start(["sleep", "60"], log=tmp_path / "bystander.log")
    try:
        assert wait_for(lambda: processes.last_lines(tmp_path / "log") == ["ready"], seconds=10)
        parent = psutil.Process(child.pid)
        process_tree = [parent, *parent.children(recursive=True)]
        assert len(process_tree) > 1
        processes.stop([parent], first_signal=signal.SIGTERM, timeout=0.5)
        assert not any(is_running(process) for process in process_tree)
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()

"""The demo: its settings file, ports and supervisor, and a complete run with every way to stop."""

from __future__ import annotations

import os
import re
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import environ
import httpx
import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo import envfile, ports
from demo.errors import DemoError
from demo.ports import Ports
from demo.start import Demo, vehicle_count
from demo.supervisor import Stopped, Supervisor, listening
from embedded import processes
from tests.servers import free_port

PROJECT = Path(__file__).resolve().parents[2]
SERVERS = {
    "DATABASE_URL": "postgres://postgres@/fleet?host=/run/a&b",
    "REDIS_URL": "unix:///run/redis.sock?db=0",
}


def write_settings(path: Path, *, web: int = 8000) -> dict[str, str]:
    return envfile.update(path, ports=Ports(web=web), servers=SERVERS, vehicles=12, api_version="v3")


def wait_for(condition: Callable[[], bool], *, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


class TestSettingsFile:
    def test_secrets_and_manual_lines_are_preserved_while_urls_follow_the_ports(self, tmp_path: Path) -> None:
        path = tmp_path / "demo.env"
        first = write_settings(path, web=8000)
        with path.open("a") as file:
            file.write("LOG_LEVEL=DEBUG\n")
        second = write_settings(path, web=8001)
        changed = {name for name in second if second[name] != first.get(name)}
        assert changed == {"LOG_LEVEL", "SITE_URL", "CSRF_TRUSTED_ORIGINS"}
        assert second["SITE_URL"] == "http://127.0.0.1:8001"

    def test_only_a_new_demo_gets_a_history_and_a_fleet_in_munich(self, tmp_path: Path) -> None:
        new = write_settings(tmp_path / "new.env")
        assert (new["DEMO_HISTORY_DAYS"], new["DEMO_MUNICH_VEHICLES"]) == ("60", "4")
        assert write_settings(tmp_path / "new.env")["DEMO_MUNICH_VEHICLES"] == "4"
        (tmp_path / "old.env").write_text("DEMO_VEHICLES=12\n")
        old = write_settings(tmp_path / "old.env")
        assert not {"DEMO_HISTORY_DAYS", "DEMO_MUNICH_VEHICLES"} & old.keys()

    def test_only_the_owner_can_read_the_file(self, tmp_path: Path) -> None:
        write_settings(tmp_path / "demo.env")
        assert stat.S_IMODE((tmp_path / "demo.env").stat().st_mode) == 0o600

    def test_a_shell_and_django_environ_read_the_written_values(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        values = write_settings(tmp_path / "demo.env")
        shell = subprocess.check_output(
            ["sh", "-c", 'set -a; . "$1"; env', "sh", tmp_path / "demo.env"], env={}, text=True
        )
        assert values.items() <= dict(line.split("=", 1) for line in shell.splitlines()).items()
        for name in values:
            monkeypatch.delenv(name, raising=False)
        environ.Env.read_env(tmp_path / "demo.env")
        assert values.items() <= dict(os.environ).items()

    def test_two_demos_share_no_secret(self, tmp_path: Path) -> None:
        one, other = write_settings(tmp_path / "one.env"), write_settings(tmp_path / "other.env")
        secrets = [name for name in one if name.endswith(("KEY", "KEYS", "SECRET", "TOKENS", "PASSWORD"))]
        assert len(secrets) == 7
        assert not any(one[name] == other[name] for name in secrets)

    @given(value=st.text(st.characters(codec="utf-8", exclude_characters="\r\x00")))
    def test_any_manual_value_in_shell_quotes_is_preserved(
        self, tmp_path_factory: pytest.TempPathFactory, value: str
    ) -> None:
        path = tmp_path_factory.mktemp("demo") / "demo.env"
        quoted = "'" + value.replace("'", "'\"'\"'") + "'"
        path.write_text(f"NOTE={quoted}\n")
        assert write_settings(path)["NOTE"] == envfile.read(path)["NOTE"] == value


class TestPorts:
    @pytest.mark.parametrize("port", ["0", "65536", "-1", "80a", "８０００"])
    def test_an_invalid_port_is_named(self, port: str) -> None:
        with pytest.raises(DemoError, match=r"PORT is .*PORT=8000 make demo"):
            ports.read({"PORT": port})

    def test_the_same_port_twice_is_rejected(self) -> None:
        with pytest.raises(DemoError, match="PORT and SIMULATOR_PORT are both 9400"):
            ports.read({"PORT": "9400"})

    def test_a_busy_port_is_named_with_its_process_and_a_free_alternative(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as busy:
            port = busy.getsockname()[1]
            with pytest.raises(DemoError) as error:
                ports.check_free(Ports(web=free_port(), simulator=port))
        message = str(error.value)
        assert f"Port {port} is in use" in message
        assert f"(process {os.getpid()})" in message
        suggested = int(message.partition("SIMULATOR_PORT=")[2].partition(" ")[0])
        ports.check_free(Ports(web=free_port(), simulator=suggested))

    @pytest.mark.parametrize(
        ("name", "value"), [("DEMO_VEHICLES", "0"), ("DEMO_VEHICLES", "many"), ("SMARTCAR_API_VERSION", "v1")]
    )
    def test_an_invalid_variable_is_named(self, name: str, value: str) -> None:
        with pytest.raises(DemoError, match=f"{name} is '{value}'"):
            Demo.from_environment(PROJECT, {name: value})

    def test_the_old_name_of_the_api_version_is_read_with_a_warning(self) -> None:
        with pytest.warns(FutureWarning, match="Rename it to SMARTCAR_API_VERSION"):
            demo = Demo.from_environment(PROJECT, {"SMARTCAR_GENERATION": "v2"})
        assert demo.api_version == "v2"


class TestNumberOfVehicles:
    @staticmethod
    def demo(var: Path, **variables: str) -> Demo:
        return replace(Demo.from_environment(PROJECT, variables), var=var)

    def test_the_requested_number_is_used_and_stays(self, tmp_path: Path) -> None:
        assert vehicle_count(self.demo(tmp_path)) == 24
        assert vehicle_count(self.demo(tmp_path, DEMO_VEHICLES="40")) == 40
        (tmp_path / "demo.env").write_text("DEMO_VEHICLES=40\n")
        assert vehicle_count(self.demo(tmp_path)) == 40
        assert vehicle_count(self.demo(tmp_path, DEMO_VEHICLES="40")) == 40

    def test_a_number_that_differs_from_the_stored_one_is_rejected_with_a_hint(self, tmp_path: Path) -> None:
        (tmp_path / "demo.env").write_text("DEMO_VEHICLES=40\n")
        with pytest.raises(DemoError, match=r"has 40 vehicles, but DEMO_VEHICLES is 12\..*make demo-reset"):
            vehicle_count(self.demo(tmp_path, DEMO_VEHICLES="12"))


class TestSupervisor:
    @pytest.fixture
    def supervisor(self, tmp_path: Path) -> Iterator[Supervisor]:
        supervisor = Supervisor(root=tmp_path, logs=tmp_path, environment=os.environ)
        yield supervisor
        supervisor.stop_all()

    def test_a_failed_process_is_named_with_the_end_of_its_log(self, supervisor: Supervisor) -> None:
        supervisor.start("steady", ["sleep", "60"])
        supervisor.start("web", ["sh", "-c", "echo one; echo two; exit 3"])
        with pytest.raises(DemoError, match=r"web ended \(exit code 3\).*web\.log") as failure:
            supervisor.wait(lambda: False, what="steady", seconds=10)
        assert failure.value.details == ("one", "two")

    def test_a_process_that_does_not_start_in_time_is_named(self, supervisor: Supervisor) -> None:
        supervisor.start("web", ["sleep", "60"])
        with pytest.raises(DemoError, match="web did not come up within 0 s"):
            supervisor.wait(lambda: False, what="web", seconds=0.2)

    def test_a_failed_command_is_named_with_the_end_of_its_log(self, supervisor: Supervisor) -> None:
        with pytest.raises(DemoError, match="migrate failed") as failure:
            supervisor.run("migrate", ["sh", "-c", "echo no such table; exit 1"])
        assert failure.value.details == ("no such table",)

    def test_a_signal_stops_waiting_and_all_processes(self, supervisor: Supervisor) -> None:
        supervisor.start("web", ["sleep", "60"])
        child = psutil.Process().children()[-1]
        with listening(supervisor), pytest.raises(Stopped):
            os.kill(os.getpid(), signal.SIGHUP)
            supervisor.wait(lambda: False, what="web", seconds=10)
        supervisor.stop_all()
        assert not child.is_running()


class DemoRun:
    """A demo in a separate folder, started as `make demo` does."""

    program = (
        "import os, sys; from dataclasses import replace; from pathlib import Path\n"
        "from demo import __main__ as demo\n"
        "given = demo.Demo.from_environment\n"
        "demo.Demo.from_environment = lambda *a: replace(given(*a), var=Path(sys.argv[1]))\n"
        "sys.exit(demo.main([]))\n"
    )

    def __init__(self, var: Path) -> None:
        self.var = var
        self.ports = Ports(web=free_port(), simulator=free_port())

    def start(self) -> subprocess.Popen[str]:
        variables = {"PORT": self.ports.web, "SIMULATOR_PORT": self.ports.simulator, "DEMO_VEHICLES": 2}
        environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        return subprocess.Popen(
            [sys.executable, "-c", self.program, self.var],
            cwd=PROJECT,
            env=environment | {name: str(value) for name, value in variables.items()},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def read_until_up(self, process: subprocess.Popen[str]) -> str:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if "To start afresh: make demo-reset" in line:
                return "".join(lines)
        pytest.fail("the demo did not come up:\n" + "".join(lines))

    def remaining_processes(self) -> list[psutil.Process]:
        servers = self.var / "servers"
        return [
            *processes.marked("FLEET_DEMO", str(self.var)),
            *processes.working_in(servers / "postgres", name="postgres"),
            *processes.working_in(servers / "redis", name="redis-server"),
        ]


@pytest.fixture
def demo_run() -> Iterator[DemoRun]:
    with tempfile.TemporaryDirectory(prefix="smartcar-fleet-", ignore_cleanup_errors=True) as var:
        demo_run = DemoRun(Path(var))
        yield demo_run
        for process in demo_run.remaining_processes():
            process.kill()


@pytest.mark.slow
def test_a_complete_run(demo_run: DemoRun) -> None:
    """The demo starts, rejects a second start, stops on a signal, restarts with the same data, and is killed."""
    first = demo_run.start()
    shown = demo_run.read_until_up(first)
    values = envfile.read(demo_run.var / "demo.env")
    for name in ("SITE_URL", "DEMO_EMAIL", "DEMO_PASSWORD", "DEMO_OTHER_EMAIL", "DEMO_OTHER_PASSWORD"):
        assert values[name] in shown
    ready = httpx.get(f"{values['SITE_URL']}/readyz", trust_env=False)
    assert (ready.status_code, ready.json()["status"]) == (200, "ready")
    assert "60 days of history" in shown
    seeded = (demo_run.var / "log" / "seed_demo.log").read_text()
    assert re.search(r"Isar Kuriere: [0-9]{4,} readings since", seeded)
    assert httpx.get(f"{values['SITE_URL']}/demo/emails/", trust_env=False).status_code == 200
    for process in demo_run.remaining_processes():
        line = " ".join(process.cmdline())
        assert not any(
            values[name] in line for name in values if name.endswith(("KEY", "KEYS", "SECRET", "PASSWORD"))
        )

    output, _ = demo_run.start().communicate(timeout=30)
    assert f"A demo runs here already, at {values['SITE_URL']}" in output

    first.send_signal(signal.SIGTERM)
    assert first.wait(20) == 0
    assert demo_run.remaining_processes() == []

    second = demo_run.start()
    assert "The data is that of the earlier start" in demo_run.read_until_up(second)
    assert "readings" not in (demo_run.var / "log" / "seed_demo.log").read_text()
    values_after_restart = envfile.read(demo_run.var / "demo.env")
    assert values_after_restart == values
    second.kill()
    second.wait()
    if sys.platform == "linux":
        assert wait_for(lambda: demo_run.remaining_processes() == [], seconds=20)


@pytest.mark.slow
def test_the_demo_ends_if_one_process_dies(demo_run: DemoRun) -> None:
    demo = demo_run.start()
    demo_run.read_until_up(demo)
    beat = next(process for process in demo_run.remaining_processes() if "beat" in process.cmdline())
    beat.kill()
    output, _ = demo.communicate(timeout=20)
    assert "beat ended (killed by SIGKILL)" in output
    assert demo.returncode == 1
    assert demo_run.remaining_processes() == []

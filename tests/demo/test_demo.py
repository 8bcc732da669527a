"""The demo: its settings file, its ports, its supervisor, and one whole life of it with every way to end."""

from __future__ import annotations

import os
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


def written(path: Path, *, web: int = 8000) -> dict[str, str]:
    return envfile.update(path, ports=Ports(web=web), servers=SERVERS, vehicles=12, api_version="v3")


def eventually(holds: Callable[[], bool], *, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


class TestSettingsFile:
    def test_secrets_and_lines_added_by_hand_stay_while_addresses_follow_the_ports(
        self, tmp_path: Path
    ) -> None:
        path = tmp_path / "demo.env"
        first = written(path, web=8000)
        with path.open("a") as file:
            file.write("LOG_LEVEL=DEBUG\n")
        second = written(path, web=8001)
        changed = {name for name in second if second[name] != first.get(name)}
        assert changed == {"LOG_LEVEL", "SITE_URL", "CSRF_TRUSTED_ORIGINS"}
        assert second["SITE_URL"] == "http://127.0.0.1:8001"

    def test_only_its_owner_can_read_it(self, tmp_path: Path) -> None:
        written(tmp_path / "demo.env")
        assert stat.S_IMODE((tmp_path / "demo.env").stat().st_mode) == 0o600

    def test_a_shell_and_django_environ_read_the_same_as_was_written(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        values = written(tmp_path / "demo.env")
        shell = subprocess.check_output(
            ["sh", "-c", 'set -a; . "$1"; env', "sh", tmp_path / "demo.env"], env={}, text=True
        )
        assert values.items() <= dict(line.split("=", 1) for line in shell.splitlines()).items()
        for name in values:
            monkeypatch.delenv(name, raising=False)
        environ.Env.read_env(tmp_path / "demo.env")
        assert values.items() <= dict(os.environ).items()

    def test_two_demos_share_no_secret(self, tmp_path: Path) -> None:
        one, other = written(tmp_path / "one.env"), written(tmp_path / "other.env")
        secrets = [name for name in one if name.endswith(("KEY", "KEYS", "SECRET", "TOKENS", "PASSWORD"))]
        assert len(secrets) == 7
        assert not any(one[name] == other[name] for name in secrets)

    @given(value=st.text(st.characters(codec="utf-8", exclude_characters="\r\x00")))
    def test_any_value_added_by_hand_in_shell_quotes_is_kept(
        self, tmp_path_factory: pytest.TempPathFactory, value: str
    ) -> None:
        path = tmp_path_factory.mktemp("demo") / "demo.env"
        quoted = "'" + value.replace("'", "'\"'\"'") + "'"
        path.write_text(f"NOTE={quoted}\n")
        assert written(path)["NOTE"] == envfile.read(path)["NOTE"] == value


class TestPorts:
    @pytest.mark.parametrize("given", ["0", "65536", "-1", "80a", "８０００"])
    def test_what_is_no_port_is_named(self, given: str) -> None:
        with pytest.raises(DemoError, match=r"PORT is .*PORT=8000 make demo"):
            ports.read({"PORT": given})

    def test_the_same_port_twice_is_refused(self) -> None:
        with pytest.raises(DemoError, match="PORT and SIMULATOR_PORT are both 9400"):
            ports.read({"PORT": "9400"})

    def test_a_busy_port_is_named_with_who_has_it_and_a_free_one_instead(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as busy:
            port = busy.getsockname()[1]
            with pytest.raises(DemoError) as refusal:
                ports.check_free(Ports(web=free_port(), simulator=port))
        message = str(refusal.value)
        assert f"Port {port} is in use" in message
        assert f"(process {os.getpid()})" in message
        instead = int(message.partition("SIMULATOR_PORT=")[2].partition(" ")[0])
        ports.check_free(Ports(web=free_port(), simulator=instead))

    @pytest.mark.parametrize(
        ("name", "value"), [("DEMO_VEHICLES", "0"), ("DEMO_VEHICLES", "many"), ("SMARTCAR_API_VERSION", "v1")]
    )
    def test_a_wish_that_cannot_be_met_is_named(self, name: str, value: str) -> None:
        with pytest.raises(DemoError, match=f"{name} is '{value}'"):
            Demo.from_environment(PROJECT, {name: value})

    def test_the_old_name_of_the_api_version_is_read_with_a_warning(self) -> None:
        with pytest.warns(FutureWarning, match="Rename it to SMARTCAR_API_VERSION"):
            demo = Demo.from_environment(PROJECT, {"SMARTCAR_GENERATION": "v2"})
        assert demo.api_version == "v2"


class TestNumberOfCars:
    @staticmethod
    def demo(var: Path, **wishes: str) -> Demo:
        return replace(Demo.from_environment(PROJECT, wishes), var=var)

    def test_it_is_the_one_asked_for_and_stays(self, tmp_path: Path) -> None:
        assert vehicle_count(self.demo(tmp_path)) == 12
        assert vehicle_count(self.demo(tmp_path, DEMO_VEHICLES="40")) == 40
        (tmp_path / "demo.env").write_text("DEMO_VEHICLES=40\n")
        assert vehicle_count(self.demo(tmp_path)) == 40
        assert vehicle_count(self.demo(tmp_path, DEMO_VEHICLES="40")) == 40

    def test_another_than_the_kept_one_is_refused_with_what_to_do(self, tmp_path: Path) -> None:
        (tmp_path / "demo.env").write_text("DEMO_VEHICLES=40\n")
        with pytest.raises(DemoError, match=r"kept has 40 cars, and DEMO_VEHICLES is 12\..*make demo-reset"):
            vehicle_count(self.demo(tmp_path, DEMO_VEHICLES="12"))


class TestSupervisor:
    @pytest.fixture
    def supervisor(self, tmp_path: Path) -> Iterator[Supervisor]:
        supervisor = Supervisor(root=tmp_path, logs=tmp_path, environment=os.environ)
        yield supervisor
        supervisor.stop_all()

    def test_a_process_that_dies_is_named_with_the_end_of_its_log(self, supervisor: Supervisor) -> None:
        supervisor.start("steady", ["sleep", "60"])
        supervisor.start("web", ["sh", "-c", "echo one; echo two; exit 3"])
        with pytest.raises(DemoError, match=r"web ended \(exit code 3\).*web\.log") as failure:
            supervisor.wait(lambda: False, what="steady", seconds=10)
        assert failure.value.details == ("one", "two")

    def test_what_does_not_come_up_in_time_is_named(self, supervisor: Supervisor) -> None:
        supervisor.start("web", ["sleep", "60"])
        with pytest.raises(DemoError, match="web did not come up within 0 s"):
            supervisor.wait(lambda: False, what="web", seconds=0.2)

    def test_a_command_that_fails_is_named_with_the_end_of_its_log(self, supervisor: Supervisor) -> None:
        with pytest.raises(DemoError, match="migrate failed") as failure:
            supervisor.run("migrate", ["sh", "-c", "echo no such table; exit 1"])
        assert failure.value.details == ("no such table",)

    def test_a_signal_ends_the_waiting_and_everything_is_stopped(self, supervisor: Supervisor) -> None:
        supervisor.start("web", ["sleep", "60"])
        child = psutil.Process().children()[-1]
        with listening(supervisor), pytest.raises(Stopped):
            os.kill(os.getpid(), signal.SIGHUP)
            supervisor.wait(lambda: False, what="web", seconds=10)
        supervisor.stop_all()
        assert not child.is_running()


class Life:
    """One demo in a folder of its own, started as `make demo` starts it."""

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
        wanted = {"PORT": self.ports.web, "SIMULATOR_PORT": self.ports.simulator, "DEMO_VEHICLES": 2}
        environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        return subprocess.Popen(
            [sys.executable, "-c", self.program, self.var],
            cwd=PROJECT,
            env=environment | {name: str(value) for name, value in wanted.items()},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def read_until_up(self, process: subprocess.Popen[str]) -> str:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if "Ctrl-C stops everything" in line:
                return "".join(lines)
        pytest.fail("the demo did not come up:\n" + "".join(lines))

    def left(self) -> list[psutil.Process]:
        servers = self.var / "servers"
        return [
            *processes.marked("FLEET_DEMO", str(self.var)),
            *processes.working_in(servers / "postgres", name="postgres"),
            *processes.working_in(servers / "redis", name="redis-server"),
        ]


@pytest.fixture
def life() -> Iterator[Life]:
    with tempfile.TemporaryDirectory(prefix="smartcar-fleet-", ignore_cleanup_errors=True) as var:
        life = Life(Path(var))
        yield life
        for process in life.left():
            process.kill()


@pytest.mark.slow
def test_a_whole_life(life: Life) -> None:
    """Up with all parts, refused a second time, stopped by a signal, up again on the same data, killed."""
    first = life.start()
    shown = life.read_until_up(first)
    values = envfile.read(life.var / "demo.env")
    for name in ("SITE_URL", "DEMO_EMAIL", "DEMO_PASSWORD", "DEMO_OTHER_EMAIL", "DEMO_OTHER_PASSWORD"):
        assert values[name] in shown
    ready = httpx.get(f"{values['SITE_URL']}/readyz", trust_env=False)
    assert (ready.status_code, set(ready.json().values())) == (200, {"ok"})
    for process in life.left():
        line = " ".join(process.cmdline())
        assert not any(
            values[name] in line for name in values if name.endswith(("KEY", "KEYS", "SECRET", "PASSWORD"))
        )

    refused, _ = life.start().communicate(timeout=30)
    assert f"A demo runs here already, at {values['SITE_URL']}" in refused

    first.send_signal(signal.SIGTERM)
    assert first.wait(20) == 0
    assert life.left() == []

    second = life.start()
    life.read_until_up(second)
    kept = envfile.read(life.var / "demo.env")
    assert kept == values
    second.kill()
    second.wait()
    if sys.platform == "linux":
        assert eventually(lambda: life.left() == [], seconds=20)


@pytest.mark.slow
def test_a_process_that_dies_takes_the_demo_with_it(life: Life) -> None:
    demo = life.start()
    life.read_until_up(demo)
    beat = next(process for process in life.left() if "beat" in process.cmdline())
    beat.kill()
    rest, _ = demo.communicate(timeout=20)
    assert "beat ended (killed by SIGKILL)" in rest
    assert demo.returncode == 1
    assert life.left() == []

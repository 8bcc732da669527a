"""Starts the demo's processes in order, runs until the demo is stopped, and stops them."""

from __future__ import annotations

import fcntl
import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import psutil

import embedded
from demo import envfile, ports, services
from demo.errors import DemoError
from demo.supervisor import Stopped, Supervisor, listening
from embedded import processes
from fleet.environment import read_variable

# Every child process has this variable, so that the next start finds those whose supervisor was killed.
_MARK = "FLEET_DEMO"
_VEHICLES = 24
_UP_SECONDS = 60.0
_STOP_SECONDS = 20.0


@dataclass(frozen=True)
class Demo:
    """The options of one start of the demo. `root` is the project, and all data is stored in `var`.

    `vehicles` is None if no number was requested.
    """

    root: Path
    var: Path
    ports: ports.Ports
    vehicles: int | None
    api_version: str

    @classmethod
    def from_environment(cls, root: Path, environ: Mapping[str, str]) -> Demo:
        """Reads `PORT`, `SIMULATOR_PORT`, `DEMO_VEHICLES` and `SMARTCAR_API_VERSION`. Raises `DemoError`."""
        vehicles = environ.get("DEMO_VEHICLES", "")
        if vehicles and not (vehicles.isascii() and vehicles.isdigit() and 0 < int(vehicles) <= 3000):
            raise DemoError(f"DEMO_VEHICLES is {vehicles!r}, not a number from 1 to 3000")
        api_version = read_variable(environ, "SMARTCAR_API_VERSION", old_name="SMARTCAR_GENERATION") or "v3"
        if api_version not in ("v2", "v3"):
            raise DemoError(f"SMARTCAR_API_VERSION is {api_version!r}, not v2 or v3")
        return cls(
            root=root,
            var=root / "var",
            ports=ports.read(environ),
            vehicles=int(vehicles) if vehicles else None,
            api_version=api_version,
        )


def run(demo: Demo) -> None:
    """Starts everything, prints the URL, and runs until a signal requests a stop. Raises `DemoError`.

    All started processes are stopped at the end, whatever the reason.
    """
    started_at = time.monotonic()
    logs = demo.var / "log"
    logs.mkdir(parents=True, exist_ok=True)
    # All processes communicate over the loopback address only, where a proxy of the user would not work.
    no_proxy = dict.fromkeys(("NO_PROXY", "no_proxy"), "127.0.0.1,localhost")
    environment = dict(os.environ) | no_proxy | {_MARK: str(demo.var), "PYTHONUNBUFFERED": "1"}
    supervisor = Supervisor(root=demo.root, logs=logs, environment=environment)
    with _sole_use(demo.var), listening(supervisor), ExitStack() as stack:
        _stop_leftovers(demo.var)
        ports.check_free(demo.ports)
        try:
            servers = stack.enter_context(_servers(demo, supervisor))
            stack.callback(_stop_leftovers, demo.var)  # runs last: children of a process that died
            stack.callback(supervisor.stop_all)
            new = not (demo.var / "demo.env").exists()
            values = _settings(demo, supervisor, servers)
            _start_processes(demo, supervisor, values)
            _print_welcome(values, seconds=time.monotonic() - started_at, new=new)
            while True:
                supervisor.pause(0.25)
        except Stopped:
            print_line("Stopping …")
    print_line("Stopped.")


def stop(var: Path) -> None:
    """Stops the running demo, if any, and leftover processes of a killed one. Raises `DemoError`."""
    if not var.exists():
        return
    pid = _lock_holder(var)
    if pid is not None:
        supervisor = psutil.Process(pid)
        supervisor.send_signal(signal.SIGTERM)
        _, alive = psutil.wait_procs([supervisor], timeout=_STOP_SECONDS)
        if alive:
            raise DemoError(f"The running demo (process {pid}) does not stop. End it with: kill -9 {pid}")
        print_line(f"Stopped the running demo (process {pid}).")
    _stop_leftovers(var)
    embedded.stop(var / "servers")


def print_line(line: str, stream: TextIO | None = None) -> None:
    """Prints the line. Ignores a closed terminal, so that the processes can still be stopped."""
    try:
        print(line, file=stream or sys.stdout, flush=True)
    except OSError:
        sys.stdout = sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115 - stays open; the old stream would raise at exit


@contextmanager
def _servers(demo: Demo, supervisor: Supervisor) -> Iterator[dict[str, str]]:
    """Yields `DATABASE_URL` and `REDIS_URL` from the environment, or else of embedded servers."""
    configured = {name: os.environ[name] for name in ("DATABASE_URL", "REDIS_URL") if os.environ.get(name)}
    if len(configured) == 2:
        yield configured
        return
    with embedded.servers(demo.var / "servers", logs=demo.var / "log") as servers:
        for name, process in servers.processes.items():
            supervisor.watch(name, process)
        yield {"DATABASE_URL": servers.database_url, "REDIS_URL": servers.redis_url} | configured


def _settings(demo: Demo, supervisor: Supervisor, servers: Mapping[str, str]) -> dict[str, str]:
    path = demo.var / "demo.env"
    values = envfile.update(
        path, ports=demo.ports, servers=servers, vehicles=vehicle_count(demo), api_version=demo.api_version
    )
    supervisor.update_environment(values | {"ENV_FILE": str(path)})
    return values


def vehicle_count(demo: Demo) -> int:
    """Returns the number of vehicles of the demo's fleet: that of the existing demo, or else the requested one, or 24.

    Raises `DemoError` if the existing demo has another number than requested, because its simulator depends on it.
    """
    stored = envfile.read(demo.var / "demo.env").get("DEMO_VEHICLES")
    if stored and demo.vehicles not in (None, int(stored)):
        raise DemoError(
            f"The stored demo has {stored} vehicles, but DEMO_VEHICLES is {demo.vehicles}. Start the demo without "
            "DEMO_VEHICLES, or delete the stored demo first: make demo-reset"
        )
    return int(stored or demo.vehicles or _VEHICLES)


def _start_processes(demo: Demo, supervisor: Supervisor, values: Mapping[str, str]) -> None:
    """Starts the processes, each as soon as those it depends on are up, and waits until all are healthy."""
    site = values["SITE_URL"]
    origin = values["SMARTCAR_CONNECT_ORIGIN"].removesuffix("/connect")
    callback = f"{site}/connect/callback/"
    with _step("Database"):
        supervisor.start(
            "simulator",
            services.simulator(
                demo.ports,
                vehicles=int(values["DEMO_VEHICLES"]),
                munich=int(values.get("DEMO_MUNICH_VEHICLES", 0)),
                state=demo.var / "simulator.json",
                callback=callback,
            ),
        )
        supervisor.run("migrate", services.manage("migrate", "--no-input"))
    with _step("Simulator and web"):
        supervisor.start("web", services.web(demo.ports))
        supervisor.start("worker", services.worker("default", threads=4))
        supervisor.start("commands", services.worker("commands", threads=48))
        supervisor.start("beat", services.beat(demo.var / "beat-schedule"))
        supervisor.wait(services.responds(f"{origin}/control/health"), what="simulator", seconds=_UP_SECONDS)
        supervisor.wait(services.responds(f"{site}/readyz"), what="web", seconds=_UP_SECONDS)
    with _step("Demo fleets and their history" if values.get("DEMO_HISTORY_DAYS") else "Demo fleets"):
        services.register_webhook(values, ports=demo.ports)
        # On a slow machine, connecting a vehicle takes a third of a second.
        seconds = 300 + int(values["DEMO_VEHICLES"]) / 3
        supervisor.run("seed_demo", services.manage("seed_demo"), seconds=seconds)
    with _step("Workers and beat"):
        for name, queue in (("worker", "default"), ("commands", "commands")):
            responds = services.worker_responds(queue, redis_url=values["REDIS_URL"])
            supervisor.wait(responds, what=name, seconds=_UP_SECONDS)
        supervisor.wait(services.beat_is_up(supervisor.log("beat")), what="beat", seconds=_UP_SECONDS)


@contextmanager
def _step(title: str) -> Iterator[None]:
    started_at = time.monotonic()
    yield
    print_line(f"  {title:<40} {time.monotonic() - started_at:5.1f} s")


def _print_welcome(values: Mapping[str, str], *, seconds: float, new: bool) -> None:
    simulator = values["SMARTCAR_CONNECT_ORIGIN"].removesuffix("/connect")
    manager, other = values["DEMO_EMAIL"], values["DEMO_OTHER_EMAIL"]
    width = max(len(manager), len(other))
    print_line(f"""
The demo is up, {seconds:.1f} s after its start:  {values["SITE_URL"]}

  {"Sign in as":<{width}}  with the password
  {manager:<{width}}  {values["DEMO_PASSWORD"]}  (a fleet manager)
  {other:<{width}}  {values["DEMO_OTHER_PASSWORD"]}  (of another fleet)

Emails that the demo would send:  {values["SITE_URL"]}/demo/emails/
Simulator, in place of Smartcar:  {simulator}/control/
Logs are in var/log, settings in var/demo.env. {_data(values, new=new)}
Ctrl-C stops everything; the next start continues. To start afresh: make demo-reset
""")


def _data(values: Mapping[str, str], *, new: bool) -> str:
    days = values.get("DEMO_HISTORY_DAYS")
    if not new:
        return "The data is that of the earlier start."
    return f"The data is new, with {days} days of history." if days else "The data is new."


def _stop_leftovers(var: Path) -> None:
    """Stops processes of this demo whose parent was killed."""
    processes.stop(processes.marked(_MARK, str(var)), first_signal=signal.SIGTERM, timeout=4.0)


@contextmanager
def _sole_use(var: Path) -> Iterator[None]:
    """Holds the demo's lock, with our process ID in the file. Raises `DemoError` if another demo holds the lock."""
    with (var / "demo.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid, site = _read_pid(var), envfile.read(var / "demo.env").get("SITE_URL", "")
            raise DemoError(f"A demo runs here already, at {site}. To stop it: kill {pid}") from None
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield


def _lock_holder(var: Path) -> int | None:
    """Returns the ID of the process that holds the demo's lock, or None."""
    path = var / "demo.lock"
    if not path.exists():
        return None
    with path.open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return _read_pid(var)
    return None


def _read_pid(var: Path) -> int:
    return int((var / "demo.lock").read_text().strip() or 0)

"""Starting the demo in order, staying with it, and stopping it."""

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

# Every child carries this variable, so that the next start finds those whose supervisor was killed.
_MARK = "FLEET_DEMO"
_VEHICLES = 12
_UP_SECONDS = 60.0
_STOP_SECONDS = 20.0


@dataclass(frozen=True)
class Demo:
    """What one start of the demo was asked for: the project in `root` runs, and all that it keeps is in `var`.

    `vehicles`: None where nothing was asked for.
    """

    root: Path
    var: Path
    ports: ports.Ports
    vehicles: int | None
    api_version: str

    @classmethod
    def from_environment(cls, root: Path, environ: Mapping[str, str]) -> Demo:
        """Read `PORT`, `SIMULATOR_PORT`, `DEMO_VEHICLES` and `SMARTCAR_API_VERSION`. Raises `DemoError`."""
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
    """Start everything, say where it is, and stay until a signal asks to stop. Raises `DemoError`.

    Whichever way it ends, nothing that it started is left running.
    """
    began = time.monotonic()
    logs = demo.var / "log"
    logs.mkdir(parents=True, exist_ok=True)
    # All of it talks over the loopback address only, so a proxy of the user's would be in the way.
    no_proxy = dict.fromkeys(("NO_PROXY", "no_proxy"), "127.0.0.1,localhost")
    environment = dict(os.environ) | no_proxy | {_MARK: str(demo.var), "PYTHONUNBUFFERED": "1"}
    supervisor = Supervisor(root=demo.root, logs=logs, environment=environment)
    with _sole_use(demo.var), listening(supervisor), ExitStack() as stack:
        _stop_leftovers(demo.var)
        ports.check_free(demo.ports)
        try:
            servers = stack.enter_context(_servers(demo, supervisor))
            stack.callback(_stop_leftovers, demo.var)  # after the next line: the children of one that died
            stack.callback(supervisor.stop_all)
            values = _settings(demo, supervisor, servers)
            _bring_up(demo, supervisor, values)
            _introduce(values, seconds=time.monotonic() - began)
            while True:
                supervisor.pause(0.25)
        except Stopped:
            say("Stopping …")
    say("Stopped.")


def stop(var: Path) -> None:
    """Stop the demo that runs on `var`, if one does, and whatever a killed one left behind. Raises `DemoError`."""
    if not var.exists():
        return
    pid = _holder(var)
    if pid is not None:
        supervisor = psutil.Process(pid)
        supervisor.send_signal(signal.SIGTERM)
        _, alive = psutil.wait_procs([supervisor], timeout=_STOP_SECONDS)
        if alive:
            raise DemoError(f"The running demo (process {pid}) does not stop. End it with: kill -9 {pid}")
        say(f"Stopped the running demo (process {pid}).")
    _stop_leftovers(var)
    embedded.stop(var / "servers")


def say(line: str, stream: TextIO | None = None) -> None:
    """Print, unless the terminal has gone: then there is nobody to tell, but still processes to stop."""
    try:
        print(line, file=stream or sys.stdout, flush=True)
    except OSError:
        sys.stdout = sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115 - kept; the old one would complain at exit


@contextmanager
def _servers(demo: Demo, supervisor: Supervisor) -> Iterator[dict[str, str]]:
    """`DATABASE_URL` and `REDIS_URL`: as the environment names them, or of embedded servers."""
    named = {name: os.environ[name] for name in ("DATABASE_URL", "REDIS_URL") if os.environ.get(name)}
    if len(named) == 2:
        yield named
        return
    with embedded.servers(demo.var / "servers", logs=demo.var / "log") as servers:
        for name, process in servers.processes.items():
            supervisor.watch(name, process)
        yield {"DATABASE_URL": servers.database_url, "REDIS_URL": servers.redis_url} | named


def _settings(demo: Demo, supervisor: Supervisor, servers: Mapping[str, str]) -> dict[str, str]:
    path = demo.var / "demo.env"
    values = envfile.update(
        path, ports=demo.ports, servers=servers, vehicles=vehicle_count(demo), api_version=demo.api_version
    )
    supervisor.update_environment(values | {"ENV_FILE": str(path)})
    return values


def vehicle_count(demo: Demo) -> int:
    """How many cars the demo's fleet has: as many as it had before, else what was asked for, else 12.

    Raises `DemoError` when another number is asked for than is kept: the simulator's cars go by it.
    """
    kept = envfile.read(demo.var / "demo.env").get("DEMO_VEHICLES")
    if kept and demo.vehicles not in (None, int(kept)):
        raise DemoError(
            f"The demo that is kept has {kept} cars, and DEMO_VEHICLES is {demo.vehicles}. Start it without "
            "DEMO_VEHICLES, or let it be forgotten first: make demo-reset"
        )
    return int(kept or demo.vehicles or _VEHICLES)


def _bring_up(demo: Demo, supervisor: Supervisor, values: Mapping[str, str]) -> None:
    """Start the processes, each as soon as what it stands on is there, and wait until all are healthy."""
    site = values["SITE_URL"]
    origin = values["SMARTCAR_CONNECT_ORIGIN"].removesuffix("/connect")
    callback = f"{site}/connect/callback/"
    with _step("Database"):
        supervisor.start(
            "simulator",
            services.simulator(
                demo.ports,
                vehicles=int(values["DEMO_VEHICLES"]),
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
        supervisor.wait(services.answers(f"{origin}/control/health"), what="simulator", seconds=_UP_SECONDS)
        supervisor.wait(services.answers(f"{site}/readyz"), what="web", seconds=_UP_SECONDS)
    with _step("Demo fleets"):
        services.register_webhook(values, ports=demo.ports)
        supervisor.run("demo_fleet", services.manage("demo_fleet"))
    with _step("Workers and beat"):
        for name, queue in (("worker", "default"), ("commands", "commands")):
            answers = services.worker_answers(queue, redis_url=values["REDIS_URL"])
            supervisor.wait(answers, what=name, seconds=_UP_SECONDS)
        supervisor.wait(services.beat_is_up(supervisor.log("beat")), what="beat", seconds=_UP_SECONDS)


@contextmanager
def _step(title: str) -> Iterator[None]:
    began = time.monotonic()
    yield
    say(f"  {title:<40} {time.monotonic() - began:5.1f} s")


def _introduce(values: Mapping[str, str], *, seconds: float) -> None:
    simulator = values["SMARTCAR_CONNECT_ORIGIN"].removesuffix("/connect")
    boss, other = values["DEMO_EMAIL"], values["DEMO_OTHER_EMAIL"]
    width = max(len(boss), len(other))
    say(f"""
The demo is up, {seconds:.1f} s after its start:  {values["SITE_URL"]}

  {"Sign in as":<{width}}  with the password
  {boss:<{width}}  {values["DEMO_PASSWORD"]}  (a fleet manager)
  {other:<{width}}  {values["DEMO_OTHER_PASSWORD"]}  (of another fleet)

The simulator that stands in for Smartcar:  {simulator}/control/
Logs are in var/log, settings in var/demo.env. Ctrl-C stops everything; make demo-reset forgets it.
""")


def _stop_leftovers(var: Path) -> None:
    """End what runs for this demo although its parent was killed."""
    processes.stop(processes.marked(_MARK, str(var)), gently=signal.SIGTERM, patience=4.0)


@contextmanager
def _sole_use(var: Path) -> Iterator[None]:
    """Hold the demo's lock, with our process id in the file. Raises `DemoError` when another demo holds it."""
    with (var / "demo.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid, site = _written_pid(var), envfile.read(var / "demo.env").get("SITE_URL", "")
            raise DemoError(f"A demo runs here already, at {site}. To stop it: kill {pid}") from None
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield


def _holder(var: Path) -> int | None:
    """The process that holds the demo's lock, if one does."""
    path = var / "demo.lock"
    if not path.exists():
        return None
    with path.open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return _written_pid(var)
    return None


def _written_pid(var: Path) -> int:
    return int((var / "demo.lock").read_text().strip() or 0)

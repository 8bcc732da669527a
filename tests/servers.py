"""The servers of the tests, as a pytest plugin (`-p tests.servers`): PostgreSQL, Redis and the simulator.

Before Django's settings are read, the environment gets generated secrets, and PostgreSQL and Redis start in a
temporary folder, unless `DATABASE_URL` and `REDIS_URL` name servers. Concurrent sessions share nothing. The
simulator starts with the first test that uses it. Its vehicles are parked and held still; `--start HH:MM` sets their
local time.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from secrets import token_urlsafe

import httpx
import pytest
from cryptography.fernet import Fernet
from hypothesis import HealthCheck, settings

import embedded
from core import translations
from embedded import processes
from tests import database_template

_PROJECT = Path(__file__).resolve().parent.parent
_NOWHERE = "postgres://nowhere"
_PREFIX = "smartcar-fleet-tests-"
_SIMULATOR_START_SECONDS = 20.0
_PORTS = range(20_000, 26_000)  # below the kernel's range for outgoing connections
_MARK = 6_000  # offset of the port whose socket reserves a port
_PROCESS_FIXTURES = frozenset({"simulator", "smartcar", "live_server", "site", "worker"})
_PROCESS_FOLDERS = frozenset({"demo", "embedded", "simulator"})
_until_exit = ExitStack()
atexit.register(_until_exit.close)  # pytest's own last hook is not called when settings can't be imported


@dataclass(frozen=True)
class Simulator:
    """The running simulator: `url` is its origin without a trailing slash, `log` its log file."""

    url: str
    log: Path


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--start`."""
    parser.addoption(
        "--start",
        default=os.environ.get("TESTS_START", "03:00"),
        metavar="HH:MM",
        help="the local time at which the simulator's vehicles are held still (default: %(default)s)",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that use processes of their own, which `make test-fast` leaves out."""
    for item in items:
        folder = item.path.relative_to(_PROJECT).parts[1]
        if not _PROCESS_FIXTURES.isdisjoint(getattr(item, "fixturenames", ())) or folder in _PROCESS_FOLDERS:
            item.add_marker("servers")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, None, None]:
    """Set up the environment before it is read: as a wrapper, this hook runs before pytest-django's."""
    _set_environment(site_port=free_port(), simulator_port=free_port())
    has_servers = os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL")
    if _is_controller(early_config):
        # The controller runs no tests. Each worker has its own servers, so that their queues don't mix.
        os.environ |= {} if has_servers else {"DATABASE_URL": _NOWHERE, "REDIS_URL": _NOWHERE}
    elif not has_servers or _NOWHERE in (os.environ["DATABASE_URL"], os.environ["REDIS_URL"]):
        _start_servers()
    settings.register_profile(
        "tests", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
    settings.load_profile("tests")
    # Without `make`, changes in locale/ aren't compiled yet.
    if translations.stale():
        translations.compile_all()
    yield


def has_own_database() -> bool:
    """Whether this process started its own PostgreSQL, on a copy of the template."""
    return _PREFIX in os.environ["DATABASE_URL"]


def _is_controller(config: pytest.Config) -> bool:
    """Whether this process distributes the tests to workers (`-n`)."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        return False
    return bool(getattr(config.known_args_namespace, "numprocesses", None))


@pytest.fixture(scope="session")
def simulator(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """The simulator on the port that the settings' origins name: 40 vehicles, seed 1, without rate limits.

    All vehicles are parked and held still until a test changes or releases one. The simulator starts once for the
    session. Fails with the end of the log if the simulator isn't up within 20 s.
    """
    log = tmp_path_factory.mktemp("simulator") / "simulator.log"
    url = os.environ["SIMULATOR_URL"]
    limits = [f"--{name}=0" for name in ("request-bucket", "vehicle-bucket", "monthly-limit")]
    command = [sys.executable, "-m", "simulator", "--port", url.rpartition(":")[2], "--seed=1", *limits]
    command += [f"--start={pytestconfig.getoption('start')}", "--hold-all"]
    child = processes.start(command, log=log, cwd=_PROJECT, env=dict(os.environ))
    try:
        _wait_for_simulator(child, url=url, log=log)
        yield Simulator(url=url, log=log)
    finally:
        child.terminate()
        try:
            child.wait(5)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _set_environment(*, site_port: int, simulator_port: int) -> None:
    site = f"http://127.0.0.1:{site_port}"
    simulator = f"http://127.0.0.1:{simulator_port}"
    # Names that only a demo or a real application sets must not leak in from the developer's shell.
    for name in [name for name in os.environ if name.startswith(("SMARTCAR_", "DEMO", "FIELD_ENCRYPTION"))]:
        del os.environ[name]
    os.environ |= {
        "ENV_FILE": os.devnull,
        "DJANGO_SETTINGS_MODULE": "fleet.settings",
        "DJANGO_SECRET_KEY": token_urlsafe(50),
        "DJANGO_ALLOW_ASYNC_UNSAFE": "true",  # Playwright's loop runs in the thread of the tests
        "DJANGO_LIVE_TEST_SERVER_ADDRESS": f"127.0.0.1:{site_port}",
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
        "DEBUG": "false",
        "STATIC_HASHED": "false",
        "SITE_URL": site,
        "ALLOWED_HOSTS": "127.0.0.1,localhost,testserver",
        "CSRF_TRUSTED_ORIGINS": site,
        "FIELD_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
        "SMARTCAR_APPLICATION_ID": str(uuid.uuid4()),
        "SMARTCAR_APPLICATION_SECRET": str(uuid.uuid4()),
        "SMARTCAR_CLIENT_ID": f"client_{token_urlsafe(8)}",
        "SMARTCAR_CLIENT_SECRET": token_urlsafe(32),
        "SMARTCAR_MANAGEMENT_TOKENS": str(uuid.uuid4()),
        "SMARTCAR_WEBHOOK_ID": str(uuid.uuid4()),
        "SMARTCAR_API_VERSION": "v3",
        "SMARTCAR_MODE": "simulated",
        "SMARTCAR_REQUEST_BUCKET": "0",
        "SMARTCAR_MONTHLY_LIMIT": "0",
        "SIMULATOR_URL": simulator,
        "SMARTCAR_CONNECT_ORIGIN": f"{simulator}/connect",
        "SMARTCAR_AUTH_ORIGIN": f"{simulator}/auth/oauth/token",
        "SMARTCAR_API_ORIGIN": f"{simulator}/api",
        "SMARTCAR_MANAGEMENT_API_ORIGIN": f"{simulator}/management",
        "SMARTCAR_VEHICLE_API_V3_ORIGIN": f"{simulator}/vehicle",
        "SMARTCAR_IAM_ORIGIN": f"{simulator}/iam",
        "SMARTCAR_MANAGEMENT_API_V3_ORIGIN": f"{simulator}/management-v3",
        "SMARTCAR_COMPATIBILITY_ORIGIN": f"{simulator}/compatibility",
    }


def _start_servers() -> None:
    _remove_leftovers()
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    _until_exit.callback(shutil.rmtree, folder, ignore_errors=True)
    try:
        database_template.copy_to(folder)
        urls = _until_exit.enter_context(embedded.servers(folder, logs=folder, durable=False))
    except embedded.ServerError as error:
        _until_exit.close()
        raise pytest.UsageError(str(error)) from None
    for name, url in (("DATABASE_URL", urls.database_url), ("REDIS_URL", urls.redis_url)):
        if os.environ.get(name, _NOWHERE) in ("", _NOWHERE):
            os.environ[name] = url


def _remove_leftovers() -> None:
    """Remove the folders of sessions that were killed, which no process locks."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        try:
            with (folder / "lock").open("r+") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                embedded.stop(folder)
                shutil.rmtree(folder, ignore_errors=True)
        except OSError:  # in use, owned by another user, or just being created
            continue


def free_port() -> int:
    """Returns a free port, reserved for this process until it ends.

    A socket bound to another port reserves the port, so that two processes never choose the same one.
    """
    for port in _PORTS:
        reservation = socket.socket()
        try:
            reservation.bind(("127.0.0.1", port + _MARK))
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", port))
        except OSError:
            reservation.close()
            continue
        _until_exit.enter_context(reservation)
        return port
    raise pytest.UsageError(f"no port is free between {_PORTS.start} and {_PORTS.stop - 1}")


def _wait_for_simulator(child: subprocess.Popen[bytes], *, url: str, log: Path) -> None:
    deadline = time.monotonic() + _SIMULATOR_START_SECONDS
    while not _healthy(url):
        if child.poll() is not None or time.monotonic() > deadline:
            state = (
                "died" if child.poll() is not None else f"is not up after {_SIMULATOR_START_SECONDS:.0f} s"
            )
            pytest.fail(
                "\n".join([f"the simulator {state}; the end of its log:", *processes.last_lines(log, 20)])
            )
        time.sleep(0.05)


def _healthy(url: str) -> bool:
    try:
        return httpx.get(f"{url}/control/health", timeout=1, trust_env=False).status_code == 200
    except httpx.TransportError:
        return False

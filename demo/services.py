"""The demo's processes: their command lines, and checks whether they are up."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import httpx
from celery import Celery
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from demo.errors import DemoError
from demo.ports import HOST, Ports
from fleet.environment import celery_broker_url

PYTHON = Path(sys.executable)
_BIN = PYTHON.parent
_SIMULATOR_SEED = 7


def manage(*arguments: str) -> list[str | Path]:
    return [PYTHON, "manage.py", *arguments]


def simulator(ports: Ports, *, vehicles: int, munich: int, state: Path, callback: str) -> list[str | Path]:
    """The simulator has three vehicles for each one in the demo's fleets, which leaves makes for connecting more.

    Smartcar's limits (120 requests at once, refilled by 2 a minute) are raised, as they would cause waits of minutes.
    """
    return [
        *(PYTHON, "-m", "simulator"),
        *("--host", HOST, "--port", str(ports.simulator)),
        *("--seed", str(_SIMULATOR_SEED), "--vehicles", str(max(40, 3 * vehicles) + 2 * munich)),
        *("--munich", str(2 * munich)),
        *("--state", state, "--redirect-uri", callback),
        *("--request-bucket", "10000", "--request-refill", "10000", "--monthly-limit", "0"),
    ]


def web(ports: Ports) -> list[str | Path]:
    return [
        *(PYTHON, "-m", "granian", "--interface", "asgi", "fleet.asgi:application"),
        *("--host", HOST, "--port", str(ports.web), "--workers", "1", "--no-ws"),
        *("--log-level", "warning", "--workers-kill-timeout", "2"),
    ]


def worker(queue: str, *, threads: int) -> list[str | Path]:
    """The worker of one queue. Commands wait for vehicles, up to minutes each, so they have a worker of their own."""
    return [
        *(
            PYTHON,
            "-m",
            "celery",
            "--app",
            "fleet",
            "worker",
            "--queues",
            queue,
            "--hostname",
            _worker_name(queue),
        ),
        *("--pool", "threads", "--concurrency", str(threads), "--loglevel", "INFO"),
        *("--without-gossip", "--without-mingle"),
    ]


def _worker_name(queue: str) -> str:
    return f"{queue}@demo"


def beat(schedule: Path) -> list[str | Path]:
    return [PYTHON, "-m", "celery", "--app", "fleet", "beat", "--schedule", schedule, "--loglevel", "INFO"]


def responds(url: str) -> Callable[[], bool]:
    """Returns a check whether `url` responds with 200. It ignores the user's proxy settings."""

    def check() -> bool:
        try:
            return httpx.get(url, timeout=5, trust_env=False).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    return check


def worker_responds(queue: str, *, redis_url: str) -> Callable[[], bool]:
    """Returns a check whether the Celery worker of `queue` responds to a ping over the broker."""
    probe = Celery("demo-probe", broker=celery_broker_url(redis_url), set_as_current=False)
    name = _worker_name(queue)

    def check() -> bool:
        try:
            return bool(probe.control.ping(timeout=0.5, destination=[name], limit=1))
        except (OperationalError, RedisError):
            return False

    return check


def beat_is_up(log: Path) -> Callable[[], bool]:
    """Returns a check whether beat has read its schedule, according to its log. Later failures end its process."""
    return lambda: "beat: Starting..." in log.read_text(errors="replace")


def register_webhook(values: Mapping[str, str], *, ports: Ports) -> None:
    """Registers the webhook at the simulator, which verifies its URL as Smartcar does. Raises `DemoError`."""
    callback = f"{values['SITE_URL']}/webhooks/smartcar/"
    response = httpx.post(
        f"http://{HOST}:{ports.simulator}/control/webhooks",
        json={"id": values["SMARTCAR_WEBHOOK_ID"], "name": "Demo", "callbackUri": callback},
        timeout=20,
        trust_env=False,
    )
    if response.status_code >= httpx.codes.BAD_REQUEST or not response.json().get("verified"):
        raise DemoError(f"The simulator could not verify {callback}: {response.text[:200]}")

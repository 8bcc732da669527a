"""Names of tasks are text: in the schedule, in routes and where they are enqueued. Each has to exist."""

import re
from pathlib import Path

import pytest
from celery import current_app
from django.conf import settings

from fleet.environment import celery_broker_url

APPS = ("core", "accounts", "vehicles", "alerts", "connect", "commands", "webhooks", "dashboard", "fleet")
ENQUEUED = re.compile(r"""\benqueue(?:_on_commit)?\(\s*"([\w.]+)\"""")


def enqueued_names() -> set[str]:
    root = Path(settings.BASE_DIR)
    files = [file for app in APPS for file in (root / app).rglob("*.py")]
    return {name for file in files for name in ENQUEUED.findall(file.read_text())}


@pytest.fixture(autouse=True)
def tasks() -> None:
    current_app.loader.import_default_modules()


def test_every_scheduled_task_exists() -> None:
    assert {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()} <= set(current_app.tasks)


def test_every_enqueued_task_exists() -> None:
    assert enqueued_names()
    assert enqueued_names() <= set(current_app.tasks)


def test_only_sending_waits_for_cars_so_only_it_has_the_slow_queue() -> None:
    assert set(settings.CELERY_TASK_ROUTES) == {"commands.tasks.send"} <= set(current_app.tasks)


def test_commands_to_many_leave_threads_to_single_ones_as_the_worker_is_started() -> None:
    assert 0 < settings.BULK_COMMAND_CONCURRENCY < settings.COMMAND_WORKER_THREADS
    compose = (Path(settings.BASE_DIR) / "docker-compose.yml").read_text()
    assert (
        f'--pool, threads, --concurrency, "${{COMMAND_WORKER_THREADS:-{settings.COMMAND_WORKER_THREADS}}}"'
        in compose
    )
    demo = (Path(settings.BASE_DIR) / "demo" / "start.py").read_text()
    assert f'worker("commands", threads={settings.COMMAND_WORKER_THREADS})' in demo


def test_a_killed_workers_tasks_come_back_only_after_the_longest_could_have_ended() -> None:
    options = settings.CELERY_BROKER_TRANSPORT_OPTIONS
    assert options["visibility_timeout"] > settings.CELERY_TASK_TIME_LIMIT > 310
    assert settings.CELERY_TASK_ACKS_LATE
    assert settings.CELERY_TASK_REJECT_ON_WORKER_LOST


@pytest.mark.parametrize(
    ("redis_url", "broker_url"),
    [
        ("unix:///run/redis.sock?db=2", "redis+socket:///run/redis.sock?virtual_host=2"),
        ("unix:///run/redis.sock", "redis+socket:///run/redis.sock?virtual_host=0"),
        ("rediss://user:pass@host:6380/1", "rediss://user:pass@host:6380/1"),
    ],
)
def test_one_redis_address_serves_celery_too(redis_url: str, broker_url: str) -> None:
    assert celery_broker_url(redis_url) == broker_url

"""Celery: every task name in the code and the schedule exists, and worker settings fit together."""

import re
import ssl
from pathlib import Path

import pytest
from celery import current_app
from django.conf import settings
from kombu import Connection

from fleet.environment import celery_broker_url

APPS = ("core", "accounts", "vehicles", "alerts", "connect", "commands", "webhooks", "dashboard", "fleet")
ENQUEUED = re.compile(r"""\benqueue(?:_on_commit)?\(\s*"([\w.]+)\"""")
# Every task of version 0.1 whose name changed.
FORMER_NAMES = (
    "accounts.tasks.mail_letter",
    "accounts.tasks.mail_member_invitation",
    "accounts.tasks.mail_unsent",
    "alerts.tasks.mail_letter",
    "alerts.tasks.post_notices",
    "alerts.tasks.tidy_notices",
    "connect.tasks.carry_out_removal",
    "connect.tasks.compare_connections",
    "connect.tasks.find_notices",
    "connect.tasks.hide_places",
    "connect.tasks.mail_driver_page",
    "connect.tasks.mail_invitation",
    "connect.tasks.mail_unsent",
    "connect.tasks.move_generation",
    "connect.tasks.move_generations",
    "connect.tasks.refresh_tokens",
    "connect.tasks.sweep_removals",
    "connect.tasks.watch_connections",
    "vehicles.tasks.keep_history",
    "vehicles.tasks.sum_up",
    "webhooks.tasks.pull",
    "webhooks.tasks.read_silent",
    "webhooks.tasks.retire_replaced",
    "webhooks.tasks.tidy_inbox",
)


def enqueued_names() -> set[str]:
    root = Path(settings.BASE_DIR)
    files = [file for app in APPS for file in (root / app).rglob("*.py")]
    return {name for file in files for name in ENQUEUED.findall(file.read_text())}


@pytest.fixture(autouse=True)
def tasks() -> None:
    current_app.loader.import_default_modules()


def test_every_scheduled_task_exists() -> None:
    assert {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()} <= set(current_app.tasks)


@pytest.mark.parametrize("name", FORMER_NAMES)
def test_tasks_that_version_0_1_enqueued_still_run(name: str) -> None:
    assert name in current_app.tasks


def test_every_schedule_entry_has_a_dotted_name_of_its_app() -> None:
    pattern = rf"({'|'.join(APPS)})\.[a-z_]+"
    assert [name for name in settings.CELERY_BEAT_SCHEDULE if not re.fullmatch(pattern, name)] == []


def test_every_enqueued_task_exists() -> None:
    assert enqueued_names()
    assert enqueued_names() <= set(current_app.tasks)


def test_only_the_task_that_sends_commands_uses_the_commands_queue() -> None:
    assert set(settings.CELERY_TASK_ROUTES) == {"commands.tasks.send"} <= set(current_app.tasks)


def test_bulk_commands_leave_threads_of_the_worker_free_for_single_commands() -> None:
    assert 0 < settings.BULK_COMMAND_CONCURRENCY < settings.COMMAND_WORKER_THREADS
    compose = (Path(settings.BASE_DIR) / "docker-compose.yml").read_text()
    threads = f"${{COMMAND_WORKER_THREADS:-${{COMMAND_THREADS:-{settings.COMMAND_WORKER_THREADS}}}}}"
    assert f'--pool, threads, --concurrency, "{threads}"' in compose
    demo = (Path(settings.BASE_DIR) / "demo" / "start.py").read_text()
    assert f'worker("commands", threads={settings.COMMAND_WORKER_THREADS})' in demo


def test_tasks_of_a_killed_worker_are_redelivered_after_the_longest_task_would_have_ended() -> None:
    options = settings.CELERY_BROKER_TRANSPORT_OPTIONS
    assert options["visibility_timeout"] > settings.CELERY_TASK_TIME_LIMIT > 310
    assert settings.CELERY_TASK_ACKS_LATE
    assert settings.CELERY_TASK_REJECT_ON_WORKER_LOST


@pytest.mark.parametrize(
    ("redis_url", "broker_url"),
    [
        ("unix:///run/redis.sock?db=2", "redis+socket:///run/redis.sock?virtual_host=2"),
        ("unix:///run/redis.sock", "redis+socket:///run/redis.sock?virtual_host=0"),
        ("redis://user:pass@host:6379/1", "redis://user:pass@host:6379/1"),
    ],
)
def test_the_redis_url_is_converted_for_celery(redis_url: str, broker_url: str) -> None:
    assert celery_broker_url(redis_url) == broker_url


@pytest.mark.parametrize(
    ("query", "certificate", "host_name"),
    [
        ("", ssl.CERT_REQUIRED, True),
        ("?ssl_ca_certs=/etc/ssl/redis.pem", ssl.CERT_REQUIRED, True),
        ("?ssl_cert_reqs=none&ssl_check_hostname=false", ssl.CERT_NONE, False),
    ],
)
def test_celery_checks_the_certificate_of_redis_unless_the_url_says_otherwise(
    query: str, certificate: ssl.VerifyMode, host_name: bool
) -> None:
    broker = Connection(celery_broker_url(f"rediss://user:pass@host:6380/1{query}"))
    assert (broker.hostname, broker.password, broker.virtual_host) == ("host", "pass", "1")
    assert isinstance(broker.ssl, dict)
    assert broker.ssl["ssl_cert_reqs"] == certificate
    assert broker.ssl["ssl_check_hostname"] is host_name
    if "ca_certs" in query:
        assert broker.ssl["ssl_ca_certs"] == "/etc/ssl/redis.pem"

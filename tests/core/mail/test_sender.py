"""The sender of emails against a real SMTP server that is slow, refuses, and drops connections."""

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.db import OperationalError, connection, connections
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from core import tasks
from core.mail import sender, services
from core.mail.models import GIVE_UP_AFTER, EmailError, EmailState, OutgoingEmail
from tests.conftest import make_user
from tests.core.mail.kind import NOTE, register_note
from tests.smtp import Fault, SmtpServer, smtp_server

pytestmark = pytest.mark.django_db(transaction=True)
PROJECT = Path(__file__).parents[3]


@pytest.fixture
def server(settings: Settings) -> Iterator[SmtpServer]:
    register_note()
    with smtp_server() as running:
        settings.EMAIL_ENABLED = True
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", running.port
        settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
        settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
        settings.EMAIL_TIMEOUT = 5
        yield running


@pytest.fixture
def nia() -> User:
    return make_user("nia@home.example")


@pytest.fixture
def email(server: SmtpServer, nia: User) -> OutgoingEmail:
    return queue(nia)


def queue(user: User, **params: object) -> OutgoingEmail:
    email = services.queue_email(kind=NOTE, object_id=user.pk, recipient=user.email, params=params)
    assert email is not None
    return email


def send(email: OutgoingEmail, *, now: datetime | None = None) -> OutgoingEmail:
    sender.send(email_id=email.pk, now=now or timezone.now())
    email.refresh_from_db()
    return email


def in_threads(count: int, work: Callable[[], None]) -> None:
    def run() -> None:
        barrier.wait()
        try:
            work()
        finally:
            connections.close_all()

    barrier = threading.Barrier(count)
    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def sent_ids(server: SmtpServer) -> set[str]:
    return {message["Message-ID"] for message in server.received}


# One email, one delivery


def test_the_task_sends_a_queued_email_once_it_is_committed(
    server: SmtpServer, nia: User, run_enqueued: Callable[[], list[str]]
) -> None:
    run_enqueued()  # runs the tasks that earlier tests left in the broker
    email = queue(nia)
    assert server.connections == 0
    assert run_enqueued() == ["core.tasks.send_email"]
    email.refresh_from_db()
    assert (email.state, email.attempts, email.error) == (EmailState.SENT, 1, "")
    (message,) = server.accepted
    assert (message["To"], message["Message-ID"]) == ("nia@home.example", email.message_id)
    assert message["Auto-Submitted"] == "auto-generated"


def test_task_and_sweeper_together_send_once(
    server: SmtpServer, email: OutgoingEmail, run_enqueued: Callable[[], list[str]]
) -> None:
    tasks.send_due_emails()
    tasks.send_due_emails()
    assert run_enqueued() == ["core.tasks.send_email"] * 3
    assert len(server.received) == server.connections == 1


def test_workers_at_the_same_moment_send_once(server: SmtpServer, email: OutgoingEmail) -> None:
    server.faults = [Fault.SLOW]
    in_threads(4, lambda: sender.send(email_id=email.pk, now=timezone.now()))
    assert len(server.received) == server.connections == 1
    email.refresh_from_db()
    assert (email.state, email.attempts) == (EmailState.SENT, 1)


def test_two_workers_and_a_sweeper_send_many_emails_once_each(
    server: SmtpServer, nia: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every fault at once, with retries and leases as short as possible."""
    hanging = {Fault.HANG_BEFORE_DATA, Fault.HANG_AFTER_DATA}
    faults = [each for each in Fault if each not in hanging | {Fault.DROP_AFTER_DATA}]
    finals = {Fault.RECIPIENT_REFUSED, Fault.MESSAGE_REFUSED}
    server.delay = 0.02
    server.faults = faults * 3
    monkeypatch.setattr(sender, "MIN_PAUSE", timedelta(0))
    monkeypatch.setattr(sender, "MAX_PAUSE", timedelta(0))
    emails = [queue(nia) for _ in range(30)]
    deadline = time.monotonic() + 60

    def work() -> None:
        while time.monotonic() < deadline and (due := services.due_emails(now=timezone.now())):
            for email_id in due:
                sender.send(email_id=email_id, now=timezone.now())

    in_threads(2, work)
    states = list(OutgoingEmail.objects.order_by("state").values_list("state", flat=True))
    failed = 3 * len(finals)
    assert states == [EmailState.FAILED] * failed + [EmailState.SENT] * (len(emails) - failed)
    accepted = [message["Message-ID"] for message in server.accepted]
    assert len(accepted) == len(set(accepted)) == len(emails) - failed


def test_no_transaction_or_lock_is_open_during_smtp(server: SmtpServer, email: OutgoingEmail) -> None:
    server.faults = [Fault.HANG_BEFORE_DATA]
    worker = threading.Thread(
        target=lambda: in_threads(1, lambda: sender.send(email_id=email.pk, now=timezone.now()))
    )
    worker.start()
    assert server.hanging.wait(10)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND xact_start IS NOT NULL AND backend_type = 'client backend'"
        )
        assert cursor.fetchone() == (0,)
    OutgoingEmail.objects.select_for_update(nowait=True).filter(pk=email.pk).update(params={"free": True})
    worker.join()
    email.refresh_from_db()
    assert email.error == EmailError.CONNECTION_LOST


# Failures


@pytest.mark.parametrize(
    ("fault", "error", "code"),
    [
        (Fault.UNAVAILABLE, EmailError.DEFERRED, 421),
        (Fault.SENDER_REFUSED, EmailError.SENDER_REJECTED, 553),
        (Fault.RECIPIENT_DEFERRED, EmailError.DEFERRED, 450),
        (Fault.MESSAGE_DEFERRED, EmailError.DEFERRED, 451),
        (Fault.DROP_BEFORE_DATA, EmailError.CONNECTION_LOST, None),
    ],
)
def test_a_temporary_failure_is_recorded_and_retried(
    server: SmtpServer, email: OutgoingEmail, fault: Fault, error: EmailError, code: int | None
) -> None:
    server.faults = [fault]
    send(email)
    assert (email.state, email.error, email.error_params.get("code")) == (EmailState.PENDING, error, code)
    assert email.is_retrying
    assert server.accepted == []
    assert services.due_emails(now=timezone.now()) == []
    send(email, now=email.next_attempt_at)
    assert (email.state, email.error, email.attempts) == (EmailState.SENT, "", 2)
    assert len(server.accepted) == 1


@pytest.mark.parametrize(
    ("fault", "error", "code"),
    [
        (Fault.RECIPIENT_REFUSED, EmailError.RECIPIENT_REJECTED, 550),
        (Fault.MESSAGE_REFUSED, EmailError.MESSAGE_REJECTED, 554),
    ],
)
def test_a_permanent_rejection_is_not_retried_until_requested(
    server: SmtpServer, email: OutgoingEmail, fault: Fault, error: EmailError, code: int
) -> None:
    server.faults = [fault]
    send(email)
    assert (email.state, email.error, email.error_params) == (EmailState.FAILED, error, {"code": code})
    assert services.due_emails(now=timezone.now() + GIVE_UP_AFTER) == []
    assert services.retry(email=email, now=timezone.now())
    assert not services.retry(email=email, now=timezone.now())
    assert send(email).state == EmailState.SENT
    assert len(server.accepted) == 1


def test_the_servers_answer_is_stored_without_addresses_and_links(
    server: SmtpServer, email: OutgoingEmail, caplog: pytest.LogCaptureFixture
) -> None:
    server.faults = [Fault.RECIPIENT_REFUSED]
    with caplog.at_level(logging.INFO):
        send(email)
    assert email.smtp_response == "5.1.1 … unknown, see …"
    assert "recipient_rejected" in caplog.text
    assert "nia@" not in caplog.text


def test_an_unreachable_server_is_retried_with_growing_pauses_for_a_day(
    server: SmtpServer, email: OutgoingEmail, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.EMAIL_PORT = 1
    now = email.created_at
    pauses: list[timedelta] = []
    while email.state == EmailState.PENDING:
        assert len(pauses) < 50
        monkeypatch.setattr(timezone, "now", lambda: now)  # noqa: B023
        send(email, now=now)
        pauses.append(email.next_attempt_at - now)
        now = email.next_attempt_at
    assert pauses == sorted(pauses)
    assert pauses[0] == sender.MIN_PAUSE
    assert pauses[-1] == sender.MAX_PAUSE
    assert (email.state, email.error) == (EmailState.FAILED, EmailError.UNREACHABLE)
    assert email.created_at + GIVE_UP_AFTER - sender.MAX_PAUSE <= email.finished_at <= email.give_up_at  # type: ignore[operator]


def test_an_email_that_waited_for_too_long_fails_without_an_attempt(
    server: SmtpServer, email: OutgoingEmail
) -> None:
    send(email, now=email.give_up_at)
    assert (email.state, email.error, server.connections) == (EmailState.FAILED, EmailError.TOO_LATE, 0)


def test_a_connection_dropped_after_the_message_is_retried_under_the_same_message_id(
    server: SmtpServer, email: OutgoingEmail
) -> None:
    """The only case in which an email can arrive twice."""
    server.faults = [Fault.DROP_AFTER_DATA]
    send(email)
    assert email.error == EmailError.CONNECTION_LOST
    send(email, now=email.next_attempt_at)
    assert email.state == EmailState.SENT
    assert len(server.received) == 2
    assert sent_ids(server) == {email.message_id}


def test_a_connection_dropped_after_the_answer_changes_nothing(
    server: SmtpServer, email: OutgoingEmail
) -> None:
    server.faults = [Fault.DROP_ON_QUIT]
    assert send(email).state == EmailState.SENT
    tasks.send_due_emails()
    assert len(server.received) == 1


def test_an_attempt_ends_before_its_lease(
    server: SmtpServer, email: OutgoingEmail, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.faults = [Fault.HANG_BEFORE_DATA]
    monkeypatch.setattr(sender, "LEASE", timedelta(seconds=2))
    monkeypatch.setattr(sender, "_MARGIN", timedelta(seconds=1))
    started_at = time.monotonic()
    send(email)
    assert time.monotonic() - started_at < 4
    assert email.error == EmailError.CONNECTION_LOST
    assert server.received == []


def test_an_attempt_that_lost_its_lease_before_the_message_sends_nothing(
    server: SmtpServer, email: OutgoingEmail, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process is suspended for longer than the lease, and then continues."""
    opened = sender._open

    def open_late(*args: object) -> object:
        OutgoingEmail.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
        with monkeypatch.context() as other:
            other.setattr(sender, "_open", opened)
            sender.send(email_id=email.pk, now=timezone.now())
        return opened(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(sender, "_open", open_late)
    send(email)
    assert (email.state, email.attempts) == (EmailState.SENT, 2)
    assert len(server.received) == 1


def test_a_success_is_recorded_after_a_restart_of_the_database(
    server: SmtpServer, email: OutgoingEmail, monkeypatch: pytest.MonkeyPatch
) -> None:
    handed_over = sender._hand_over

    def hand_over(*args: object) -> object:
        failure = handed_over(*args)  # type: ignore[arg-type]
        with connection.cursor() as cursor, pytest.raises(OperationalError):
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        return failure

    monkeypatch.setattr(sender, "_hand_over", hand_over)
    monkeypatch.setattr(sender, "_RECORDING_PAUSES", (0, 0))
    assert send(email).state == EmailState.SENT
    assert len(server.received) == 1


# Killed processes


@pytest.fixture
def start_process(server: SmtpServer) -> Iterator[Callable[[OutgoingEmail], "subprocess.Popen[bytes]"]]:
    """Returns a function that starts a process which sends an email."""
    running = []

    def start(email: OutgoingEmail) -> "subprocess.Popen[bytes]":
        code = (
            "import django; django.setup(); from tests.core.mail.kind import send_in_own_process; "
            f"send_in_own_process({email.pk})"
        )
        url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}")
        process = subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=PROJECT,
            env=os.environ | {"DATABASE_URL": url.geturl(), "EMAIL_URL": f"smtp://127.0.0.1:{server.port}"},
        )
        running.append(process)
        return process

    yield start
    for process in running:
        if process.poll() is None:
            process.kill()
        process.wait(20)


@pytest.mark.parametrize(("fault", "received"), [(Fault.HANG_BEFORE_DATA, 1), (Fault.HANG_AFTER_DATA, 2)])
def test_a_killed_process_sends_twice_only_if_the_server_had_the_whole_message(
    server: SmtpServer,
    email: OutgoingEmail,
    start_process: Callable[[OutgoingEmail], "subprocess.Popen[bytes]"],
    fault: Fault,
    received: int,
) -> None:
    server.faults = [fault]
    process = start_process(email)
    assert server.hanging.wait(60)
    process.send_signal(signal.SIGKILL)
    process.wait(20)
    assert send(email).state == EmailState.SENDING, "the dead process's lease is still valid"
    assert services.due_emails(now=timezone.now()) == []
    OutgoingEmail.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    assert services.due_emails(now=timezone.now()) == [email.pk]
    assert send(email).state == EmailState.SENT
    assert len(server.accepted) == 1
    assert len(server.received) == received
    assert sent_ids(server) == {email.message_id}


def test_two_processes_send_one_email_once(
    server: SmtpServer,
    email: OutgoingEmail,
    start_process: Callable[[OutgoingEmail], "subprocess.Popen[bytes]"],
) -> None:
    server.faults = [Fault.SLOW]
    processes = [start_process(email), start_process(email)]
    assert [process.wait(60) for process in processes] == [0, 0]
    assert len(server.received) == server.connections == 1


# What is sent


def test_an_email_that_is_no_longer_wanted_is_canceled(
    server: SmtpServer, email: OutgoingEmail, nia: User
) -> None:
    nia.is_active = False
    nia.save()
    assert send(email).state == EmailState.CANCELED
    assert server.connections == 0


def test_a_renderer_that_raises_is_recorded_and_retried(
    server: SmtpServer, nia: User, caplog: pytest.LogCaptureFixture
) -> None:
    email = send(queue(nia, broken=True))
    assert (email.state, email.error) == (EmailState.PENDING, EmailError.NOT_RENDERED)
    assert "KeyError" in caplog.text
    assert "nia@" not in caplog.text


def test_replacing_an_email_cancels_the_one_that_waits(server: SmtpServer, nia: User) -> None:
    first = queue(nia)
    second = services.queue_email(kind=NOTE, object_id=nia.pk, recipient=nia.email, replace=True)
    assert second is not None
    assert send(first).state == EmailState.CANCELED
    assert send(second).state == EmailState.SENT
    assert services.latest_emails(kind=NOTE, object_ids=[nia.pk]) == {nia.pk: second}


def test_a_site_without_email_queues_and_sends_nothing(
    server: SmtpServer, email: OutgoingEmail, nia: User, settings: Settings
) -> None:
    settings.EMAIL_ENABLED = False
    assert services.queue_email(kind=NOTE, object_id=nia.pk, recipient=nia.email) is None
    assert services.due_emails(now=timezone.now()) == []
    assert send(email).state == EmailState.PENDING


def test_finished_emails_are_purged_after_the_retention(server: SmtpServer, nia: User) -> None:
    old, pending = send(queue(nia)), queue(nia)
    OutgoingEmail.objects.update(created_at=timezone.now() - 2 * services.RETENTION)
    tasks.purge_emails()
    assert OutgoingEmail.objects.count() == 2
    OutgoingEmail.objects.filter(pk=old.pk).update(finished_at=timezone.now() - services.RETENTION)
    tasks.purge_emails()
    assert list(OutgoingEmail.objects.all()) == [pending]


def test_deleting_the_object_deletes_its_emails(email: OutgoingEmail, nia: User) -> None:
    other = queue(make_user("ola@home.example"))
    nia.delete()
    assert list(OutgoingEmail.objects.all()) == [other]

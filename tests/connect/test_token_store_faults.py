"""The token store under real faults: many processes, kills at each step of a refresh, lost answers, and no leaks.

The functions at the top run in their own processes, which the tests below start with `python -c`.
"""

import hashlib
import json
import logging
import multiprocessing
import os
import signal
import subprocess
import sys
import uuid
from datetime import timedelta
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn
from unittest.mock import patch
from urllib.parse import urlsplit

import httpx
import pytest
from django.conf import settings as django_settings
from django.db import connection as database
from django.utils import timezone
from django.views.debug import ExceptionReporter

from accounts.models import Fleet, SmartcarApiVersion, User
from connect import applications, oauth, token_lease, token_store
from connect.models import ApplicationToken, Connection, UserToken
from core import encryption
from smartcar_api import Access, SmartcarApi, SmartcarError, TokenPair
from tests.smartcar import SESSION, authorize, connect, reset_budget

PROJECT = Path(__file__).resolve().parent.parent.parent
PROCESSES = 50


def ask_together(connection_id: str) -> None:
    """Forks processes that meet at a barrier and request a token at once. Prints a hash of each token, as JSON.

    Forked, as Celery's workers are: fifty interpreters would spend a minute on imports alone.
    """
    context = multiprocessing.get_context("fork")
    barrier, answers = context.Barrier(PROCESSES), context.Queue()
    processes = [
        context.Process(target=_fetch_token, args=(connection_id, barrier, answers)) for _ in range(PROCESSES)
    ]
    for process in processes:
        process.start()
    hashes = [answers.get(timeout=30) for _ in processes]
    for process in processes:
        process.join()
    sys.stdout.write(json.dumps(hashes))


def _fetch_token(connection_id: str, barrier: Barrier, answers: "Queue[str]") -> None:
    connection = Connection.objects.select_related("tokens").get(pk=connection_id)
    barrier.wait(20)
    token = token_store.access(connection=connection).token
    answers.put(hashlib.sha256(token.encode()).hexdigest())


def die_while_refreshing(connection_id: str, step: str) -> None:
    """Kills this process, as the kernel would, at a step of a refresh. The lease is short, to keep the test fast."""
    token_lease.LEASE = timedelta(seconds=1)
    store = UserToken.renew

    def die(*_: object, **__: object) -> NoReturn:
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("still alive")

    def store_and_die(row: UserToken, **columns: object) -> NoReturn:
        store(row, **columns)
        die()

    if step == "the lease is taken":
        patch.object(applications.default_application().v2, "refresh", die).start()
    elif step == "the answer is there":
        patch.object(UserToken, "renew", die).start()
    elif step == "the pair is stored":
        patch.object(UserToken, "renew", store_and_die).start()
    token_store.access(connection=Connection.objects.select_related("tokens").get(pk=connection_id))


def run_in_process(function: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Runs a function of this module in its own process, on the test database."""
    code = (
        "import sys, django; django.setup(); "
        f"from tests.connect.test_token_store_faults import {function}; {function}(*sys.argv[1:])"
    )
    url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{database.settings_dict['NAME']}")
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=PROJECT,
        # A pool would open a second connection while the first is being opened, which is too many for fifty processes.
        env=os.environ | {"DATABASE_URL": url.geturl(), "DATABASE_POOL_SIZE": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def v2_connection(smartcar: str, fleet: Fleet, owner: User) -> Connection:
    fleet.api_version = SmartcarApiVersion.V2
    fleet.save()
    (connection,) = connect(smartcar, fleet=fleet, user=owner, count=1).connections
    UserToken.objects.update(access_expires_at=timezone.now())
    return Connection.objects.select_related("tokens", "vehicle").get(pk=connection.pk)


def refreshes(smartcar: str) -> int:
    """Returns the number of refreshes that the simulator received, including the exchange of the code."""
    answer = httpx.get(
        f"{smartcar}/control/requests", params={"path": "/auth/oauth/token"}, timeout=10
    ).json()
    return len([request for request in answer["requests"] if request["method"] == "POST"])


def set_troubles(smartcar: str, **switches: float) -> None:
    httpx.post(f"{smartcar}/control/troubles", json=switches, timeout=10).raise_for_status()


def tokens_work(connection: Connection) -> bool:
    """Whether the simulator accepts the connection's access token, and afterwards its refresh token."""
    reloaded = Connection.objects.select_related("tokens", "vehicle").get(pk=connection.pk)
    vehicle_id = reloaded.vehicle.smartcar_id
    first = applications.default_application().v2.attributes(
        token_store.access(connection=reloaded), vehicle_id=vehicle_id
    )
    UserToken.objects.update(access_expires_at=timezone.now())
    second = applications.default_application().v2.attributes(
        token_store.access(connection=reloaded), vehicle_id=vehicle_id
    )
    return first.vehicle_id == second.vehicle_id == vehicle_id and reloaded.alive


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_fifty_processes_with_one_expired_token_make_one_refresh(
    smartcar: str, v2_connection: Connection
) -> None:
    before = refreshes(smartcar)
    set_troubles(smartcar, slowAnswers=0.5)
    done = run_in_process("ask_together", v2_connection.pk)
    assert done.returncode == 0, done.stderr
    hashes = json.loads(done.stdout)
    assert len(hashes) == PROCESSES
    assert len(set(hashes)) == 1
    assert refreshes(smartcar) - before == 1


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("step", "requested", "stored"),
    [
        ("the lease is taken", 0, 0),
        ("the answer is there", 1, 0),
        ("the pair is stored", 1, 1),
    ],
)
def test_connection_survives_a_process_killed_during_a_refresh(
    smartcar: str, v2_connection: Connection, step: str, requested: int, stored: int
) -> None:
    """SIGKILL at each step of a refresh: the connection works again once the lease of the dead process has expired."""
    before = refreshes(smartcar)
    done = run_in_process("die_while_refreshing", v2_connection.pk, step)
    assert done.returncode == -signal.SIGKILL, done.stderr
    tokens = UserToken.objects.get()
    assert refreshes(smartcar) - before == requested
    assert (tokens.version, tokens.lease_until is None) == (stored, bool(stored))
    assert tokens_work(v2_connection)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_lost_answer_is_requested_again_at_once(
    smartcar: str, v2_connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Smartcar rotated the token and the connection broke. The used token stays valid for minutes and is used again."""
    before = refreshes(smartcar)
    set_troubles(smartcar, tokenAnswerLost=1)
    api = applications.default_application().v2
    refresh, outcomes = api.refresh, []

    def lost_once(*, refresh_token: str) -> TokenPair:
        try:
            return refresh(refresh_token=refresh_token)
        except SmartcarError as error:
            outcomes.append(error.type)
            raise
        finally:
            set_troubles(smartcar, tokenAnswerLost=0)

    monkeypatch.setattr(api, "refresh", lost_once)
    assert token_store.access(connection=v2_connection).token
    assert outcomes == ["NO_ANSWER"]
    assert refreshes(smartcar) - before == 2
    assert tokens_work(v2_connection)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_repeatedly_lost_answers_cost_no_connection(smartcar: str, v2_connection: Connection) -> None:
    set_troubles(smartcar, tokenAnswerLost=1)
    for _ in range(3):
        with pytest.raises(SmartcarError):
            token_store.access(connection=v2_connection)
    set_troubles(smartcar, tokenAnswerLost=0)
    reset_budget()  # after so many lost answers in a row, calls to the host would pause for half a minute
    assert UserToken.objects.get().version == 0
    assert tokens_work(v2_connection)


class LeakDetector:
    """Records every secret that the keyring handles, and every text that might contain one."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        credentials = applications.default_application().credentials
        self.secrets = {
            credentials.application_secret,
            credentials.client_secret,
            *credentials.management_tokens,
        }
        self.secrets.update(django_settings.FIELD_ENCRYPTION_KEYS)
        self.texts: list[str] = []
        encrypt, decrypt = encryption.encrypt, encryption.decrypt

        def encrypted(secret: str) -> bytes:
            self.secrets.add(secret)
            return encrypt(secret)

        def decrypted(ciphertext: bytes) -> str:
            secret = decrypt(ciphertext)
            self.secrets.add(secret)
            return secret

        monkeypatch.setattr(encryption, "encrypt", encrypted)
        monkeypatch.setattr(encryption, "decrypt", decrypted)

    def __enter__(self) -> "LeakDetector":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        """Swallows an expected error, after recording its report as Django would email it."""
        if not isinstance(
            error, SmartcarError | token_store.TokensUnavailableError | encryption.DecryptionError
        ):
            return False
        report = ExceptionReporter(None, kind, error, trace)
        self.texts += [repr(error), str(error), repr(error.__dict__)]
        self.texts += [report.get_traceback_text(), report.get_traceback_html()]
        return True

    def leaks(self) -> list[str]:
        """Returns the text before each secret found, without the secret."""
        written = "\n".join(self.texts)
        assert len(self.secrets) > 5
        return [
            written[max(0, at - 80) : at]
            for secret in self.secrets
            if len(secret) > 7 and (at := written.find(secret)) >= 0
        ]


def exercise_all_paths(smartcar: str, connection: Connection, detector: LeakDetector) -> None:
    """Refreshes, reads and locks: first without failures, then with each kind of failure."""
    api: SmartcarApi = applications.default_application().api(connection.api_version)
    vehicle_id = connection.vehicle.smartcar_id

    def read(access: Access) -> None:
        detector.texts += [repr(access), str(access)]
        api.read(access, vehicle_id=vehicle_id)

    def lock(access: Access) -> None:
        api.lock(access, vehicle_id=vehicle_id)

    def renew() -> None:
        UserToken.objects.update(access_expires_at=timezone.now())
        token_store.discard_application_token(application=applications.default_application())

    token_store.call_with_token(connection=connection, call=lock)
    renew()
    token_store.call_with_token(connection=connection, call=read)
    for switch in ("serverErrors", "lostAnswers", "rateLimited"):
        set_troubles(smartcar, **{switch: 1})
        for call in (lock, read):
            with detector:
                token_store.call_with_token(connection=connection, call=call)
            renew()
        set_troubles(smartcar, **{switch: 0})
    unknown = encryption.encrypt(str(uuid.uuid4()))
    UserToken.objects.update(access_ciphertext=unknown, refresh_ciphertext=unknown)
    ApplicationToken.objects.update(token_ciphertext=unknown, expires_at=timezone.now() + timedelta(hours=1))
    with detector:
        token_store.call_with_token(connection=connection, call=read)


@pytest.mark.django_db
@pytest.mark.parametrize("api_version", SmartcarApiVersion.values)
def test_no_secret_is_written_anywhere(
    smartcar: str,
    fleet: Fleet,
    owner: User,
    api_version: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Connects, refreshes, reads and locks, with and without failures, with every logger at its most verbose level."""
    for name in ("", "httpx", "httpcore", "urllib3", "django", "django.db.backends"):
        caplog.set_level(logging.DEBUG, logger=name)
    detector = LeakDetector(monkeypatch)
    fleet.api_version = api_version
    fleet.save()
    params = authorize(smartcar, oauth.start(fleet=fleet, user=owner, session_secret=SESSION), count=1)
    detector.secrets.add(params.get("code", "no code on this generation"))
    (connection,) = oauth.handle_callback(params=params, user=owner, session_secret=SESSION).connections
    exercise_all_paths(smartcar, connection, detector)
    rows: list[Any] = [connection, *UserToken.objects.all(), *ApplicationToken.objects.all()]
    detector.texts += [text for row in rows for text in (repr(row), str(row), repr(row.__dict__))]
    detector.texts += [record.getMessage() + repr(record.__dict__) for record in caplog.records]
    detector.texts += capfd.readouterr()
    assert len(caplog.records) > 10
    assert detector.leaks() == []

"""The vault under real faults: crowds of processes, kills at each step of a refresh, lost answers, and no leaks.

The functions at the top run in processes of their own, started with `python -c` by the tests below.
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
ASKERS = 50


def ask_together(connection_id: str) -> None:
    """Forks askers that meet at a barrier and then ask at once; prints a hash of each one's token as JSON.

    Forked, as Celery's workers are: fifty interpreters would spend a minute on their imports alone.
    """
    context = multiprocessing.get_context("fork")
    barrier, answers = context.Barrier(ASKERS), context.Queue()
    askers = [context.Process(target=_ask, args=(connection_id, barrier, answers)) for _ in range(ASKERS)]
    for asker in askers:
        asker.start()
    hashes = [answers.get(timeout=30) for _ in askers]
    for asker in askers:
        asker.join()
    sys.stdout.write(json.dumps(hashes))


def _ask(connection_id: str, barrier: Barrier, answers: "Queue[str]") -> None:
    found = Connection.objects.select_related("tokens").get(pk=connection_id)
    barrier.wait(20)
    token = token_store.access(connection=found).token
    answers.put(hashlib.sha256(token.encode()).hexdigest())


def die_while_refreshing(connection_id: str, step: str) -> None:
    """Kills this process, as the kernel would, at a step of a refresh. The lease is short, lest the test wait."""
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


def run_apart(function: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Runs a function of this module in a process of its own, on the database of the tests."""
    code = (
        "import sys, django; django.setup(); "
        f"from tests.connect.test_token_store_faults import {function}; {function}(*sys.argv[1:])"
    )
    url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{database.settings_dict['NAME']}")
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=PROJECT,
        # A pool would open a second connection while the first is being made: too many for fifty.
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
    """How many refreshes the simulator was asked for since the exchange of the code, which is the first."""
    found = httpx.get(f"{smartcar}/control/requests", params={"path": "/auth/oauth/token"}, timeout=10).json()
    return len([request for request in found["requests"] if request["method"] == "POST"])


def trouble(smartcar: str, **switches: float) -> None:
    httpx.post(f"{smartcar}/control/troubles", json=switches, timeout=10).raise_for_status()


def works(connection: Connection) -> bool:
    """Whether the connection's token is good at the simulator, and so is the refresh token beside it."""
    again = Connection.objects.select_related("tokens", "vehicle").get(pk=connection.pk)
    vehicle_id = again.vehicle.smartcar_id
    first = applications.default_application().v2.attributes(
        token_store.access(connection=again), vehicle_id=vehicle_id
    )
    UserToken.objects.update(access_expires_at=timezone.now())
    second = applications.default_application().v2.attributes(
        token_store.access(connection=again), vehicle_id=vehicle_id
    )
    return first.vehicle_id == second.vehicle_id == vehicle_id and again.alive


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_fifty_processes_that_need_one_expired_token_make_one_refresh(
    smartcar: str, v2_connection: Connection
) -> None:
    before = refreshes(smartcar)
    trouble(smartcar, slowAnswers=0.5)
    done = run_apart("ask_together", v2_connection.pk)
    assert done.returncode == 0, done.stderr
    hashes = json.loads(done.stdout)
    assert len(hashes) == ASKERS
    assert len(set(hashes)) == 1
    assert refreshes(smartcar) - before == 1


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("step", "asked", "stored"),
    [
        ("the lease is taken", 0, 0),
        ("the answer is there", 1, 0),
        ("the pair is stored", 1, 1),
    ],
)
def test_a_connection_survives_a_process_killed_when(
    smartcar: str, v2_connection: Connection, step: str, asked: int, stored: int
) -> None:
    """SIGKILL at each step of a refresh: the connection works on, once the lease of the dead has run out."""
    before = refreshes(smartcar)
    done = run_apart("die_while_refreshing", v2_connection.pk, step)
    assert done.returncode == -signal.SIGKILL, done.stderr
    left = UserToken.objects.get()
    assert refreshes(smartcar) - before == asked
    assert (left.version, left.lease_until is None) == (stored, bool(stored))
    assert works(v2_connection)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_lost_answer_is_asked_for_again_at_once(
    smartcar: str, v2_connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Smartcar rotated and the connection broke: the used token is good for minutes more, and is used again."""
    before = refreshes(smartcar)
    trouble(smartcar, tokenAnswerLost=1)
    api = applications.default_application().v2
    refresh, outcomes = api.refresh, []

    def lost_once(*, refresh_token: str) -> TokenPair:
        try:
            return refresh(refresh_token=refresh_token)
        except SmartcarError as error:
            outcomes.append(error.type)
            raise
        finally:
            trouble(smartcar, tokenAnswerLost=0)

    monkeypatch.setattr(api, "refresh", lost_once)
    assert token_store.access(connection=v2_connection).token
    assert outcomes == ["NO_ANSWER"]
    assert refreshes(smartcar) - before == 2
    assert works(v2_connection)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_answers_that_stay_lost_cost_no_connection(smartcar: str, v2_connection: Connection) -> None:
    trouble(smartcar, tokenAnswerLost=1)
    for _ in range(3):
        with pytest.raises(SmartcarError):
            token_store.access(connection=v2_connection)
    trouble(smartcar, tokenAnswerLost=0)
    reset_budget()  # so many answers lost in a row: the host would rest for half a minute
    assert UserToken.objects.get().version == 0
    assert works(v2_connection)


class Witness:
    """Remembers every secret that passes the keyring, and everything in which one might have been written."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        held = applications.default_application().credentials
        self.secrets = {held.application_secret, held.client_secret, *held.management_tokens}
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

    def __enter__(self) -> "Witness":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        """Takes the error that was to come, with its report as Django would mail it, and goes on."""
        if not isinstance(
            error, SmartcarError | token_store.TokensUnavailableError | encryption.DecryptionError
        ):
            return False
        report = ExceptionReporter(None, kind, error, trace)
        self.texts += [repr(error), str(error), repr(error.__dict__)]
        self.texts += [report.get_traceback_text(), report.get_traceback_html()]
        return True

    def leaks(self) -> list[str]:
        """The ends of lines in which a secret stands, without it."""
        written = "\n".join(self.texts)
        assert len(self.secrets) > 5
        return [
            written[max(0, at - 80) : at]
            for secret in self.secrets
            if len(secret) > 7 and (at := written.find(secret)) >= 0
        ]


def go_through_it_all(smartcar: str, connection: Connection, witness: Witness) -> None:
    """Refresh, read and lock, first well, then with each kind of failure."""
    api: SmartcarApi = applications.default_application().api(connection.api_version)
    vehicle_id = connection.vehicle.smartcar_id

    def read(access: Access) -> None:
        witness.texts += [repr(access), str(access)]
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
        trouble(smartcar, **{switch: 1})
        for call in (lock, read):
            with witness:
                token_store.call_with_token(connection=connection, call=call)
            renew()
        trouble(smartcar, **{switch: 0})
    unknown = encryption.encrypt(str(uuid.uuid4()))
    UserToken.objects.update(access_ciphertext=unknown, refresh_ciphertext=unknown)
    ApplicationToken.objects.update(token_ciphertext=unknown, expires_at=timezone.now() + timedelta(hours=1))
    with witness:
        token_store.call_with_token(connection=connection, call=read)


@pytest.mark.django_db
@pytest.mark.parametrize("api_version", SmartcarApiVersion.values)
def test_no_secret_is_in_anything_that_was_written(
    smartcar: str,
    fleet: Fleet,
    owner: User,
    api_version: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Connect, refresh, read and lock, in good times and bad, with every logger at its most talkative."""
    for name in ("", "httpx", "httpcore", "urllib3", "django", "django.db.backends"):
        caplog.set_level(logging.DEBUG, logger=name)
    witness = Witness(monkeypatch)
    fleet.api_version = api_version
    fleet.save()
    params = authorize(smartcar, oauth.start(fleet=fleet, user=owner, session_secret=SESSION), count=1)
    witness.secrets.add(params.get("code", "no code on this generation"))
    (connection,) = oauth.handle_callback(params=params, user=owner, session_secret=SESSION).connections
    go_through_it_all(smartcar, connection, witness)
    rows: list[Any] = [connection, *UserToken.objects.all(), *ApplicationToken.objects.all()]
    witness.texts += [text for row in rows for text in (repr(row), str(row), repr(row.__dict__))]
    witness.texts += [record.getMessage() + repr(record.__dict__) for record in caplog.records]
    witness.texts += capfd.readouterr()
    assert len(caplog.records) > 10
    assert witness.leaks() == []

"""`manage.py rotate_encryption_keys`: re-encrypts every secret with the newest key, and loses nothing."""

import threading
from io import StringIO

import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command
from django.db import connections
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Fleet, SmartcarApiVersion, User
from connect import key_rotation, oauth
from connect.models import ApplicationToken, UserToken
from connect.v2 import user_tokens
from core import encryption
from smartcar_api import TokenPair
from tests.smartcar import SESSION, authorize

OLD, NEW, LOST = (Fernet.generate_key().decode() for _ in range(3))


def make_pair(secret: str) -> UserToken:
    now = timezone.now()
    pair = TokenPair(
        access_token=f"access {secret}",
        refresh_token=f"refresh {secret}",
        access_expires_at=now,
        refresh_expires_at=now,
    )
    return user_tokens.store(user_id=secret, pair=pair)


def refresh_tokens() -> list[str]:
    rows = UserToken.objects.order_by("pk")
    return [encryption.decrypt(row.refresh_ciphertext) for row in rows]


def rotate(**options: object) -> tuple[str, str, int]:
    """Returns the command's output, its error output and its exit code."""
    output, errors, code = StringIO(), StringIO(), 0
    try:
        call_command("rotate_encryption_keys", stdout=output, stderr=errors, **options)
    except SystemExit as end:
        code = int(end.code or 0)
    return output.getvalue(), errors.getvalue(), code


def test_every_secret_column_is_covered() -> None:
    columns = key_rotation.encrypted_columns()
    assert columns[UserToken] == ("access_ciphertext", "refresh_ciphertext")
    assert columns[ApplicationToken] == ("token_ciphertext",)


@pytest.mark.django_db
def test_old_key_can_be_removed_after_rotation(settings: Settings) -> None:
    settings.FIELD_ENCRYPTION_KEYS = [OLD]
    for number in range(5):
        make_pair(str(number))
    ApplicationToken.objects.create(client_id="one", token_ciphertext=encryption.encrypt("application"))
    ApplicationToken.objects.create(client_id="never minted")
    settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
    output, errors, code = rotate(batch=2)
    assert (output, errors, code) == (
        "6 re-encrypted, 1 already under the newest key, 0 left.\n",
        "",
        0,
    )
    settings.FIELD_ENCRYPTION_KEYS = [NEW]
    assert refresh_tokens() == [f"refresh {number}" for number in range(5)]
    assert encryption.decrypt(ApplicationToken.objects.get(client_id="one").token_ciphertext) == "application"


@pytest.mark.django_db
def test_second_rotation_writes_nothing(settings: Settings) -> None:
    settings.FIELD_ENCRYPTION_KEYS = [OLD]
    make_pair("one")
    settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
    rotate()
    before = UserToken.objects.values().get()
    output, _, code = rotate()
    assert UserToken.objects.values().get() == before
    assert (output, code) == ("0 re-encrypted, 1 already under the newest key, 0 left.\n", 0)


@pytest.mark.django_db
def test_row_without_a_matching_key_is_reported_and_does_not_stop_the_others(settings: Settings) -> None:
    settings.FIELD_ENCRYPTION_KEYS = [OLD]
    make_pair("before")
    settings.FIELD_ENCRYPTION_KEYS = [LOST]
    lost = make_pair("lost")
    settings.FIELD_ENCRYPTION_KEYS = [OLD]
    make_pair("after")
    settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
    output, errors, code = rotate()
    assert code == 1
    assert output == "2 re-encrypted, 0 already under the newest key, 1 left.\n"
    assert f"connect.UserToken {lost.pk}: no key of FIELD_ENCRYPTION_KEYS fits." in errors
    settings.FIELD_ENCRYPTION_KEYS = [NEW, LOST]
    assert rotate()[2] == 0
    settings.FIELD_ENCRYPTION_KEYS = [NEW]
    assert refresh_tokens() == ["refresh before", "refresh lost", "refresh after"]


@pytest.mark.django_db
def test_token_refresh_between_reading_and_writing_is_not_overwritten(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.FIELD_ENCRYPTION_KEYS = [OLD]
    pair = make_pair("old")
    settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
    reencrypt = encryption.reencrypt

    def overtaken(ciphertext: bytes) -> bytes:
        renewed = {
            "refresh_ciphertext": encryption.encrypt("newer"),
            "access_ciphertext": encryption.encrypt("a"),
        }
        pair.reread().renew(**renewed)
        return reencrypt(ciphertext)

    monkeypatch.setattr(encryption, "reencrypt", overtaken)
    assert key_rotation.rotate().done == 0
    assert refresh_tokens() == ["newer"]


@pytest.mark.django_db
def test_token_refresh_in_progress_can_still_be_stored(settings: Settings) -> None:
    settings.FIELD_ENCRYPTION_KEYS = [OLD]
    read_before = make_pair("old")
    settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
    key_rotation.rotate()
    assert read_before.renew(refresh_ciphertext=encryption.encrypt("newer"))


@pytest.mark.django_db(transaction=True)
def test_rotation_during_refreshes_loses_nothing(
    smartcar: str, fleet: Fleet, owner: User, settings: Settings
) -> None:
    """Four threads rotate four token pairs at the simulator while keys change twice. Every pair is valid afterwards."""
    fleet.api_version = SmartcarApiVersion.V2
    fleet.save()
    settings.FIELD_ENCRYPTION_KEYS = [OLD]
    for _ in range(4):
        url = oauth.start(fleet=fleet, user=owner, session_secret=SESSION)
        params = authorize(smartcar, url, count=1)
        oauth.handle_callback(params=params, user=owner, session_secret=SESSION)
    pairs = list(UserToken.objects.order_by("pk"))
    stop, failures = threading.Event(), list[BaseException]()

    def keep_refreshing(pair: UserToken) -> None:
        try:
            while not stop.is_set():
                pair = user_tokens.refresh(tokens=pair)
        except BaseException as error:  # noqa: BLE001 - reported by the assertion below
            failures.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=keep_refreshing, args=[pair]) for pair in pairs]
    for thread in threads:
        thread.start()
    try:
        for keys in ([NEW, OLD], [LOST, NEW, OLD]):
            settings.FIELD_ENCRYPTION_KEYS = keys
            for _ in range(10):
                assert key_rotation.rotate(batch=1).unreadable == ()
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert failures == []
    key_rotation.rotate()
    settings.FIELD_ENCRYPTION_KEYS = [LOST]
    for pair in UserToken.objects.order_by("pk"):
        assert pair.version > 0
        assert user_tokens.refresh(tokens=pair).version == pair.version + 1

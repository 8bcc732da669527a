"""The vault: valid tokens for calls, renewed once, encrypted, and never lost to a transient failure."""

import threading
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import httpx
import pytest
from cryptography.fernet import Fernet
from django.db import connections
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Fleet, SmartcarApiVersion, User
from connect import applications, token_store
from connect.models import ApplicationToken, Connection, ConnectionState, UserToken
from connect.v2 import user_tokens
from core import encryption
from smartcar_api import Access, SmartcarError, TokenPair
from tests.smartcar import connect


@pytest.fixture
def v2_connection(smartcar: str, fleet: Fleet, owner: User) -> Connection:
    fleet.api_version = SmartcarApiVersion.V2
    fleet.save()
    (connection,) = connect(smartcar, fleet=fleet, user=owner, count=1).connections
    return connection


def token_requests(smartcar: str, path: str) -> int:
    seen = httpx.get(f"{smartcar}/control/requests", params={"path": path}, timeout=10).json()["requests"]
    return len([request for request in seen if request["method"] == "POST"])


def expire_access() -> None:
    UserToken.objects.update(access_expires_at=timezone.now())


@pytest.mark.django_db
def test_a_valid_token_is_used_as_it_is(smartcar: str, v2_connection: Connection) -> None:
    first = token_store.access(connection=v2_connection)
    assert token_store.access(connection=v2_connection) == first
    assert first.token not in repr(first)


@pytest.mark.django_db
def test_an_expiring_token_is_renewed_ahead_of_its_end(smartcar: str, v2_connection: Connection) -> None:
    before = token_store.access(connection=v2_connection)
    UserToken.objects.update(access_expires_at=timezone.now() + timedelta(minutes=4))
    after = token_store.access(connection=v2_connection)
    assert after.token != before.token
    assert UserToken.objects.get().version == 1


@pytest.mark.django_db
def test_an_ended_grant_marks_the_connection_for_reauthentication(
    smartcar: str, v2_connection: Connection
) -> None:
    expire_access()
    UserToken.objects.update(refresh_ciphertext=encryption.encrypt("not a token Smartcar knows"))
    with pytest.raises(SmartcarError):
        token_store.access(connection=v2_connection)
    v2_connection.refresh_from_db()
    assert v2_connection.state == ConnectionState.NEEDS_REAUTHENTICATION
    with pytest.raises(token_store.TokensUnavailableError, match="reconnect the vehicle"):
        token_store.access(connection=v2_connection)


@pytest.mark.django_db
def test_a_transient_failure_keeps_the_old_pair(
    smartcar: str, v2_connection: Connection, settings: Settings
) -> None:
    expire_access()
    origins = dict(settings.SMARTCAR_ORIGINS)
    settings.SMARTCAR_ORIGINS = {**origins, "auth": "http://127.0.0.1:1/oauth/token"}
    with pytest.raises(SmartcarError):
        token_store.access(connection=v2_connection)
    tokens = UserToken.objects.get()
    assert (tokens.version, tokens.lease_until, tokens.revoked_at) == (0, None, None)
    settings.SMARTCAR_ORIGINS = origins
    assert token_store.access(connection=v2_connection).token


@pytest.mark.django_db
def test_a_renewal_whose_answer_was_lost_is_healed_with_the_old_token(
    smartcar: str, v2_connection: Connection
) -> None:
    """Smartcar rotated, we never stored it: the old refresh token is good for minutes more."""
    before = UserToken.objects.get()
    user_tokens.refresh(tokens=before)
    UserToken.objects.update(
        refresh_ciphertext=bytes(before.refresh_ciphertext), access_expires_at=timezone.now(), version=0
    )
    assert token_store.access(connection=v2_connection).token


@pytest.mark.django_db
def test_a_lease_left_behind_by_a_dead_process_is_taken_over(
    smartcar: str, v2_connection: Connection
) -> None:
    expire_access()
    UserToken.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert token_store.access(connection=v2_connection).token


def _at_once(count: int, work: Callable[[], object]) -> list[object]:
    """Runs the work in threads that start together, each with a database connection of its own."""
    results: list[object] = []
    barrier = threading.Barrier(count)

    def run() -> None:
        barrier.wait()
        try:
            results.append(work())
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.mark.django_db(transaction=True)
def test_many_who_need_one_expired_token_make_one_refresh(smartcar: str, v2_connection: Connection) -> None:
    expire_access()
    before = token_requests(smartcar, "/auth/oauth/token")
    tokens = _at_once(
        8, lambda: token_store.access(connection=Connection.objects.get(pk=v2_connection.pk)).token
    )
    assert len(set(tokens)) == 1
    assert len(tokens) == 8
    assert token_requests(smartcar, "/auth/oauth/token") - before == 1


@pytest.mark.django_db(transaction=True)
def test_many_who_need_the_application_token_mint_it_once(smartcar: str) -> None:
    before = token_requests(smartcar, "/iam/oauth2/token")
    tokens = _at_once(
        8,
        lambda: (
            token_store.application_access(
                application=applications.default_application(), user_id="user"
            ).token
        ),
    )
    assert len(set(tokens)) == 1
    assert len(tokens) == 8
    assert token_requests(smartcar, "/iam/oauth2/token") - before == 1


@pytest.mark.django_db
def test_a_forgotten_application_token_is_minted_anew(smartcar: str) -> None:
    first = token_store.application_access(application=applications.default_application(), user_id="user")
    token_store.discard_application_token(application=applications.default_application())
    assert (
        token_store.application_access(application=applications.default_application(), user_id="user").token
        != first.token
    )
    assert ApplicationToken.objects.count() == 1


def refused(status: int) -> SmartcarError:
    return SmartcarError(type="AUTHENTICATION", status=status)


@pytest.mark.django_db
def test_a_call_refused_with_401_is_made_once_more_with_a_new_token(
    smartcar: str, v2_connection: Connection
) -> None:
    UserToken.objects.update(access_ciphertext=encryption.encrypt("a token that Smartcar has forgotten"))
    answer = token_store.call_with_token(
        connection=v2_connection,
        call=partial(
            applications.default_application().v2.attributes, vehicle_id=v2_connection.vehicle.smartcar_id
        ),
    )
    assert answer.vehicle_id == v2_connection.vehicle.smartcar_id
    assert UserToken.objects.get().version == 1


@pytest.mark.django_db
def test_a_forgotten_application_token_is_minted_anew_by_the_call_that_meets_it(
    smartcar: str, fleet: Fleet, owner: User
) -> None:
    (connection,) = connect(smartcar, fleet=fleet, user=owner, count=1).connections
    ApplicationToken.objects.update(
        token_ciphertext=encryption.encrypt("a token that Smartcar has forgotten")
    )
    read = partial(applications.default_application().v3.read, vehicle_id=connection.vehicle.smartcar_id)
    assert token_store.call_with_token(connection=connection, call=read).body
    assert ApplicationToken.objects.get().version == 2


@pytest.mark.django_db
def test_a_call_refused_twice_is_not_made_a_third_time(smartcar: str, v2_connection: Connection) -> None:
    tokens = []

    def call(access: Access) -> None:
        tokens.append(access.token)
        raise refused(401)

    with pytest.raises(SmartcarError):
        token_store.call_with_token(connection=v2_connection, call=call)
    assert len(set(tokens)) == len(tokens) == 2


@pytest.mark.django_db
@pytest.mark.parametrize("status", [0, 400, 403, 429, 500])
def test_any_other_refusal_is_not_repeated(smartcar: str, v2_connection: Connection, status: int) -> None:
    tokens = []

    def call(access: Access) -> None:
        tokens.append(access.token)
        raise refused(status)

    with pytest.raises(SmartcarError):
        token_store.call_with_token(connection=v2_connection, call=call)
    assert len(tokens) == 1
    assert UserToken.objects.get().version == 0


@pytest.mark.django_db(transaction=True)
def test_many_calls_refused_at_once_renew_the_token_once(smartcar: str, v2_connection: Connection) -> None:
    stale = token_store.access(connection=v2_connection).token
    held = threading.Barrier(6)

    def call(access: Access) -> str:
        if access.token == stale:
            held.wait()
            raise refused(401)
        return access.token

    connection = Connection.objects.select_related("tokens").get()
    tokens = _at_once(6, lambda: token_store.call_with_token(connection=connection, call=call))
    assert len(set(tokens)) == 1
    assert len(tokens) == 6
    assert UserToken.objects.get().version == 1


@pytest.mark.django_db
def test_an_end_of_a_pair_that_was_replaced_meanwhile_ends_nothing(
    smartcar: str, v2_connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process stored a newer pair while ours asked: its pair is good, and so is the connection."""
    expire_access()

    def overtaken(*, refresh_token: str) -> TokenPair:
        UserToken.objects.update(version=7)
        raise SmartcarError(type="invalid_grant", status=400)

    monkeypatch.setattr(applications.default_application().v2, "refresh", overtaken)
    with pytest.raises(SmartcarError):
        token_store.access(connection=v2_connection)
    v2_connection.refresh_from_db()
    assert v2_connection.alive
    assert UserToken.objects.get().revoked_at is None


def test_the_newest_key_encrypts_and_every_key_decrypts(settings: Settings) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings.FIELD_ENCRYPTION_KEYS = [old]
    ciphertext = encryption.encrypt("secret")
    settings.FIELD_ENCRYPTION_KEYS = [new, old]
    assert encryption.decrypt(ciphertext) == "secret"
    assert Fernet(new).decrypt(encryption.encrypt("secret")) == b"secret"


def test_a_missing_key_is_a_clear_error(settings: Settings) -> None:
    ciphertext = encryption.encrypt("secret")
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(encryption.DecryptionError, match="FIELD_ENCRYPTION_KEYS"):
        encryption.decrypt(ciphertext)

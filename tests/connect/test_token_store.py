"""The token store: valid tokens for calls, refreshed once, encrypted, and never lost to a transient failure."""

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
    requests = httpx.get(f"{smartcar}/control/requests", params={"path": path}, timeout=10).json()["requests"]
    return len([request for request in requests if request["method"] == "POST"])


def expire_access() -> None:
    UserToken.objects.update(access_expires_at=timezone.now())


@pytest.mark.django_db
def test_valid_token_is_used_unchanged(smartcar: str, v2_connection: Connection) -> None:
    first = token_store.access(connection=v2_connection)
    assert token_store.access(connection=v2_connection) == first
    assert first.token not in repr(first)


@pytest.mark.django_db
def test_expiring_token_is_refreshed_ahead_of_time(smartcar: str, v2_connection: Connection) -> None:
    before = token_store.access(connection=v2_connection)
    UserToken.objects.update(access_expires_at=timezone.now() + timedelta(minutes=4))
    after = token_store.access(connection=v2_connection)
    assert after.token != before.token
    assert UserToken.objects.get().version == 1


@pytest.mark.django_db
def test_ended_grant_requires_reauthentication(smartcar: str, v2_connection: Connection) -> None:
    expire_access()
    UserToken.objects.update(refresh_ciphertext=encryption.encrypt("not a token Smartcar knows"))
    with pytest.raises(SmartcarError):
        token_store.access(connection=v2_connection)
    v2_connection.refresh_from_db()
    assert v2_connection.state == ConnectionState.NEEDS_REAUTHENTICATION
    with pytest.raises(token_store.TokensUnavailableError, match="reconnect the vehicle"):
        token_store.access(connection=v2_connection)


@pytest.mark.django_db
@pytest.mark.parametrize("state", [ConnectionState.REMOVED, ConnectionState.REVOKED])
def test_ended_pair_does_not_revive_a_connection_that_has_ended(
    smartcar: str, v2_connection: Connection, state: ConnectionState
) -> None:
    v2_connection.move_to(state, now=timezone.now())
    UserToken.objects.update(refresh_ciphertext=encryption.encrypt("not a token Smartcar knows"))
    with pytest.raises(SmartcarError):
        user_tokens.refresh(tokens=UserToken.objects.get())
    v2_connection.refresh_from_db()
    assert v2_connection.state == state


@pytest.mark.django_db
def test_transient_failure_retains_the_old_pair(
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
def test_lost_refresh_answer_is_recovered_with_the_old_token(
    smartcar: str, v2_connection: Connection
) -> None:
    """Smartcar rotated the token and the answer was lost: the old refresh token stays valid for some minutes."""
    before = UserToken.objects.get()
    user_tokens.refresh(tokens=before)
    UserToken.objects.update(
        refresh_ciphertext=bytes(before.refresh_ciphertext), access_expires_at=timezone.now(), version=0
    )
    assert token_store.access(connection=v2_connection).token


@pytest.mark.django_db
def test_lease_of_a_dead_process_is_taken_over(smartcar: str, v2_connection: Connection) -> None:
    expire_access()
    UserToken.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert token_store.access(connection=v2_connection).token


def _run_concurrently(count: int, work: Callable[[], object]) -> list[object]:
    """Runs the function in threads that start together, each with its own database connection."""
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
def test_concurrent_use_of_one_expired_token_makes_one_refresh(
    smartcar: str, v2_connection: Connection
) -> None:
    expire_access()
    before = token_requests(smartcar, "/auth/oauth/token")
    tokens = _run_concurrently(
        8, lambda: token_store.access(connection=Connection.objects.get(pk=v2_connection.pk)).token
    )
    assert len(set(tokens)) == 1
    assert len(tokens) == 8
    assert token_requests(smartcar, "/auth/oauth/token") - before == 1


@pytest.mark.django_db(transaction=True)
def test_concurrent_use_of_the_application_token_fetches_it_once(smartcar: str) -> None:
    before = token_requests(smartcar, "/iam/oauth2/token")
    tokens = _run_concurrently(
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
def test_discarded_application_token_is_fetched_again(smartcar: str) -> None:
    first = token_store.application_access(application=applications.default_application(), user_id="user")
    token_store.discard_application_token(application=applications.default_application())
    assert (
        token_store.application_access(application=applications.default_application(), user_id="user").token
        != first.token
    )
    assert ApplicationToken.objects.count() == 1


def rejection(status: int) -> SmartcarError:
    return SmartcarError(type="AUTHENTICATION", status=status)


@pytest.mark.django_db
def test_call_rejected_with_401_is_repeated_once_with_a_new_token(
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
def test_call_rejected_for_an_invalid_application_token_fetches_another(
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
def test_call_rejected_twice_is_not_repeated_again(smartcar: str, v2_connection: Connection) -> None:
    tokens = []

    def call(access: Access) -> None:
        tokens.append(access.token)
        raise rejection(401)

    with pytest.raises(SmartcarError):
        token_store.call_with_token(connection=v2_connection, call=call)
    assert len(set(tokens)) == len(tokens) == 2


@pytest.mark.django_db
@pytest.mark.parametrize("status", [0, 400, 403, 429, 500])
def test_call_rejected_for_another_reason_is_not_repeated(
    smartcar: str, v2_connection: Connection, status: int
) -> None:
    tokens = []

    def call(access: Access) -> None:
        tokens.append(access.token)
        raise rejection(status)

    with pytest.raises(SmartcarError):
        token_store.call_with_token(connection=v2_connection, call=call)
    assert len(tokens) == 1
    assert UserToken.objects.get().version == 0


@pytest.mark.django_db(transaction=True)
def test_concurrent_rejected_calls_refresh_the_token_once(smartcar: str, v2_connection: Connection) -> None:
    stale = token_store.access(connection=v2_connection).token
    barrier = threading.Barrier(6)

    def call(access: Access) -> str:
        if access.token == stale:
            barrier.wait()
            raise rejection(401)
        return access.token

    connection = Connection.objects.select_related("tokens").get()
    tokens = _run_concurrently(6, lambda: token_store.call_with_token(connection=connection, call=call))
    assert len(set(tokens)) == 1
    assert len(tokens) == 6
    assert UserToken.objects.get().version == 1


@pytest.mark.django_db
def test_error_for_a_replaced_pair_does_not_end_the_connection(
    smartcar: str, v2_connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process stored a newer pair during this request. That pair and the connection are still valid."""
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


def test_newest_key_encrypts_and_every_key_decrypts(settings: Settings) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings.FIELD_ENCRYPTION_KEYS = [old]
    ciphertext = encryption.encrypt("secret")
    settings.FIELD_ENCRYPTION_KEYS = [new, old]
    assert encryption.decrypt(ciphertext) == "secret"
    assert Fernet(new).decrypt(encryption.encrypt("secret")) == b"secret"


def test_missing_key_raises_a_clear_error(settings: Settings) -> None:
    ciphertext = encryption.encrypt("secret")
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(encryption.DecryptionError, match="FIELD_ENCRYPTION_KEYS"):
        encryption.decrypt(ciphertext)

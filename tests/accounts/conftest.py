"""Shared by the sign-in tests: rate limits that start at zero, and a user with a password."""

import time
from collections.abc import Iterator

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.core.cache import cache
from django.test import Client

from accounts import reauthentication
from accounts.models import User

PASSWORD = "a long enough passphrase"


@pytest.fixture(autouse=True)
def reset_rate_limits() -> Iterator[None]:
    """Reset the limits, because the requests of all tests come from 127.0.0.1."""
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def person(owner: User) -> User:
    """The owner, with a password."""
    owner.set_password(PASSWORD)
    owner.save()
    return owner


def sign_in(person: User, *, password: str = PASSWORD, client: Client | None = None, **more: str) -> Client:
    """Returns a client that sent the sign-in form, whatever the result."""
    client = client or Client()
    client.post("/accounts/sign-in/", {"login": person.email, "password": password, **more})
    return client


def is_signed_in(client: Client) -> bool:
    """Whether the client is signed in."""
    return "_auth_user_id" in client.session


def age_session(client: Client) -> None:
    """Set the session's last confirmation to eleven minutes ago."""
    session = client.session
    session["confirmed_at"] = time.time() - reauthentication.VALID_FOR.total_seconds() - 60
    session.save()


def totp_code(secret: str, *, later: int = 0) -> str:
    """Returns an authenticator app's code for the secret, `later` steps of 30 s from now."""
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + later))


def add_authenticator_app(client: Client) -> str:
    """Add an authenticator app through its page. Returns the secret."""
    secret: str = client.get("/accounts/two-factor/app/").context["form"].secret
    assert client.post("/accounts/two-factor/app/", {"code": totp_code(secret)}).status_code == 302
    return secret

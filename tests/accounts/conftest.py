"""What tests of signing in share: limits that start at nothing, and a person with a password."""

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
def nothing_tried_before() -> Iterator[None]:
    """The limits of earlier tests are forgotten: all of them come from 127.0.0.1."""
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
    """A client after the sign-in form was sent, wherever that led."""
    client = client or Client()
    client.post("/accounts/sign-in/", {"login": person.email, "password": password, **more})
    return client


def is_in(client: Client) -> bool:
    """Whether the client is signed in."""
    return "_auth_user_id" in client.session


def let_age(client: Client) -> None:
    """As if the person had signed in eleven minutes ago."""
    session = client.session
    session["confirmed_at"] = time.time() - reauthentication.VALID_FOR.total_seconds() - 60
    session.save()


def code_of(secret: str, *, later: int = 0) -> str:
    """What an authenticator app shows for the secret, `later` steps of 30 s from now."""
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + later))


def add_app(client: Client) -> str:
    """Adds an authenticator app as its page does; returns the secret."""
    secret: str = client.get("/accounts/two-factor/app/").context["form"].secret
    assert client.post("/accounts/two-factor/app/", {"code": code_of(secret)}).status_code == 302
    return secret

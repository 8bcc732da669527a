"""Secrets that are never logged."""

import logging
from logging.config import dictConfig

import pytest
from django.conf import settings
from django.test import Client


@pytest.mark.django_db
@pytest.mark.parametrize(
    "page", ["connect/invitation", "connect/driver", "accounts/invitation", "accounts/password/new"]
)
def test_the_secret_of_a_signed_link_is_not_logged(page: str, capfd: pytest.CaptureFixture[str]) -> None:
    secret = "0123456789abcdef" * 4
    root = logging.getLogger()
    before = root.handlers[:]
    try:
        dictConfig(settings.LOGGING)
        Client().get(f"/{page}/{secret}/")
    finally:
        root.handlers[:] = before
    logged = capfd.readouterr().err
    assert f"Not Found: /{page}/…/" in logged
    assert secret not in logged

"""The browser session that an authorization is bound to."""

import secrets

from django.http import HttpRequest

_KEY = "connect_secret"


def session_secret(request: HttpRequest) -> str:
    """Returns the secret of this browser session; creates it if there is none."""
    secret: str = request.session.setdefault(_KEY, secrets.token_urlsafe(32))
    return secret


def known_session_secret(request: HttpRequest) -> str:
    """Returns the secret of this browser session, or "" if no authorization was started in it."""
    secret: str = request.session.get(_KEY, "")
    return secret

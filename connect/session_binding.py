"""The browser session that a trip to Connect is bound to."""

import secrets

from django.http import HttpRequest

_KEY = "connect_secret"


def session_secret(request: HttpRequest) -> str:
    """The secret of this browser session, made when it has none."""
    secret: str = request.session.setdefault(_KEY, secrets.token_urlsafe(32))
    return secret


def known_session_secret(request: HttpRequest) -> str:
    """The secret of this browser session, or "" when it never set out."""
    secret: str = request.session.get(_KEY, "")
    return secret
